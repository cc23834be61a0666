package people_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

func TestService_Login(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lin := o.hire("lin", "rep", "manager")
	o.exec(`INSERT INTO schemas (org, seq, body) VALUES ($1, 3, '{"version": "7"}')`, o.org)
	o.exec(`UPDATE heads SET schema = 3, epoch = 'e1' WHERE org = $1`, o.org)

	got := o.login(request())

	require.Equal(t, wire.Actor{ID: lin, Name: "lin", Roles: []string{"rep", "manager"}}, got.Actor)
	require.Equal(t, 900, got.ExpiresIn)
	require.NotEmpty(t, got.RefreshToken)
	require.False(t, got.Device.IsZero())
	require.Len(t, got.Replica, 7)
	require.Equal(t, uint64(1), got.NextN)
	require.Empty(t, got.JudgedID)
	require.Equal(t, "e1", got.Epoch)
	require.Equal(t, "7", got.Schema)
	require.Equal(t, o.now().UTC(), got.ServerTime)
	caller, err := o.Caller(t.Context(), got.AccessToken)
	require.NoError(t, err)
	require.Equal(t, o.org, caller.Org)
	require.Equal(t, lin, caller.Person)
	require.Equal(t, got.Device, caller.Device)
	require.Equal(t, []string{"rep", "manager"}, caller.Roles)
}

func TestService_Login_again(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	o.hire("zhou", "rep")
	in := request()
	first := o.login(in)
	last := newID()
	o.exec(`UPDATE replicas SET n = 7, last = $2 WHERE org = $1 AND device = $3`, o.org, last, first.Device)

	again := o.login(in)
	in.Fresh = true
	fresh := o.login(in)
	in.Fresh = false
	after := o.login(in)
	in.User = "zhou"
	zhou := o.login(in)
	wiped := o.login(request())

	require.Equal(t, first.Device, again.Device)
	require.Equal(t, first.Replica, again.Replica)
	require.Equal(t, uint64(8), again.NextN)
	require.Equal(t, last.String(), again.JudgedID)
	require.Equal(t, first.Device, fresh.Device)
	require.NotEqual(t, first.Replica, fresh.Replica)
	require.Equal(t, uint64(1), fresh.NextN)
	require.Equal(t, fresh.Replica, after.Replica, "the newest one counts")
	require.NotEqual(t, first.Device, zhou.Device, "a shared phone is two devices")
	require.NotEqual(t, fresh.Replica, zhou.Replica)
	require.NotEqual(t, first.Device, wiped.Device)
}

func TestService_Login_replacesSession(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	in := request()
	first := o.login(in)
	tablet := o.login(request())
	again := o.login(in)

	_, old := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: first.RefreshToken})
	_, other := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: tablet.RefreshToken})
	_, now := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: again.RefreshToken})

	requireCode(t, old, errs.Anonymous, "token")
	require.NoError(t, other)
	require.NoError(t, now)
}

func TestService_Login_oneAnswer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	o.setActive(o.hire("gone", "rep"), false)
	require.NoError(t, o.SetPassword(t.Context(), o.org, newID(), "nobody", password))

	var answers []error
	for _, change := range []func(*wire.LoginRequest){
		func(in *wire.LoginRequest) { in.Password = "wrong horse" },
		func(in *wire.LoginRequest) { in.User = "unknown" },
		func(in *wire.LoginRequest) { in.Org = "unknown" },
		func(in *wire.LoginRequest) { in.User = "gone" },
		func(in *wire.LoginRequest) { in.User = "nobody" },
	} {
		in := request()
		change(in)
		_, err := o.Login(t.Context(), in, "")
		answers = append(answers, err)
	}

	requireCode(t, answers[0], errs.Anonymous, "credentials")
	for _, err := range answers {
		require.Equal(t, answers[0], err)
	}
}

func TestService_Login_form(t *testing.T) {
	t.Parallel()
	o := newOffice(t)

	tests := []struct {
		name   string
		change func(*wire.LoginRequest)
		field  string
	}{
		{"no org", func(in *wire.LoginRequest) { in.Org = "" }, "org"},
		{"an org of 65 characters", func(in *wire.LoginRequest) { in.Org = strings.Repeat("店", 65) }, "org"},
		{"no user", func(in *wire.LoginRequest) { in.User = " " }, "user"},
		{"a user with a NUL", func(in *wire.LoginRequest) { in.User = "a\x00" }, "user"},
		{"no password", func(in *wire.LoginRequest) { in.Password = "" }, "password"},
		{"a password of 257 bytes", func(in *wire.LoginRequest) { in.Password = strings.Repeat("x", 257) }, "password"},
		{"no install", func(in *wire.LoginRequest) { in.Device.Install = "" }, "device.install"},
		{"an install that is none", func(in *wire.LoginRequest) { in.Device.Install = "phone-1" }, "device.install"},
		{"another kind of device", func(in *wire.LoginRequest) { in.Device.Kind = "watch" }, "device.kind"},
		{"a long platform", func(in *wire.LoginRequest) { in.Device.Platform = strings.Repeat("x", 65) }, "device.platform"},
		{"a long app", func(in *wire.LoginRequest) { in.Device.App = strings.Repeat("x", 33) }, "device.app"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := request()
			tt.change(in)

			_, err := o.Login(t.Context(), in, "")

			requireCode(t, err, errs.Invalid, "login")
			var flaw *errs.Error
			require.ErrorAs(t, err, &flaw)
			require.Len(t, flaw.Fields, 1)
			require.Equal(t, tt.field, flaw.Fields[0].Field)
		})
	}
}

func TestService_Login_formAtLimit(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	in := &wire.LoginRequest{
		Org: strings.Repeat("店", 64), User: strings.Repeat("林", 64), Password: strings.Repeat("x", 256),
		Device: wire.DeviceInfo{
			Install: newID().String(), Kind: "mini", Platform: strings.Repeat("x", 64), App: strings.Repeat("x", 32),
		},
	}

	_, err := o.Login(t.Context(), in, "")
	requireCode(t, err, errs.Anonymous, "credentials")
	_, err = o.Login(t.Context(), &wire.LoginRequest{}, "")

	var flaw *errs.Error
	require.ErrorAs(t, err, &flaw)
	require.Len(t, flaw.Fields, 5, "everything is reported at once")
}

// fail has a neighbouring server count wrong passwords, now.
func (o *office) fail(org record.OrgID, subject string, times int) {
	o.t.Helper()
	o.exec(`INSERT INTO login_attempts (org, subject, failed_at, last_at)
	        VALUES ($1, $2, array_fill($3::timestamptz, ARRAY[$4::int]), $3)
	        ON CONFLICT (org, subject) DO UPDATE
	        SET failed_at = login_attempts.failed_at || excluded.failed_at, last_at = excluded.last_at`,
		org, subject, o.now(), times)
}

func retryAfter(t *testing.T, err error) time.Duration {
	t.Helper()
	requireCode(t, err, errs.Limited, "locked")
	var wait interface{ RetryAfter() time.Duration }
	require.ErrorAs(t, err, &wait)
	return wait.RetryAfter()
}

func TestService_Login_locked(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	wrong := request()
	wrong.Password = "wrong horse"
	for range 10 {
		_, err := o.Login(t.Context(), wrong, "")
		requireCode(t, err, errs.Anonymous, "credentials")
	}

	_, eleventh := o.Login(t.Context(), wrong, "")
	_, right := o.Login(t.Context(), request(), "192.0.2.7")
	o.wait(15*time.Minute - time.Millisecond)
	_, early := o.Login(t.Context(), request(), "")
	o.wait(time.Millisecond)
	_, late := o.Login(t.Context(), request(), "")

	require.Equal(t, 15*time.Minute, retryAfter(t, eleventh))
	require.Equal(t, 15*time.Minute, retryAfter(t, right), "the right password does not open it")
	require.Equal(t, time.Millisecond, retryAfter(t, early))
	require.NoError(t, late)
}

func TestService_Login_lockSlides(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	o.fail(o.org, "login:lin", 1)
	o.wait(10 * time.Minute)
	o.fail(o.org, "login:lin", 9)

	_, err := o.Login(t.Context(), request(), "")
	require.Equal(t, 5*time.Minute, retryAfter(t, err), "until the first of them is old")
	o.wait(5 * time.Minute)
	wrong := request()
	wrong.Password = "wrong horse"
	_, err = o.Login(t.Context(), wrong, "")
	requireCode(t, err, errs.Anonymous, "credentials")
	_, err = o.Login(t.Context(), request(), "")

	require.Equal(t, 10*time.Minute, retryAfter(t, err), "now until the nine are")
}

func TestService_Login_successResets(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	o.fail(o.org, "login:lin", 9)
	o.login(request())
	o.fail(o.org, "login:lin", 9)

	_, err := o.Login(t.Context(), request(), "")

	require.NoError(t, err)
}

func TestService_Login_unknownLocksToo(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.fail(o.org, "login:nobody", 10)
	o.fail(0, "login:lin@nowhere", 10)
	nobody, nowhere := request(), request()
	nobody.User = "Nobody"
	nowhere.Org = "nowhere"

	_, person := o.Login(t.Context(), nobody, "")
	_, org := o.Login(t.Context(), nowhere, "")

	require.Equal(t, 15*time.Minute, retryAfter(t, person))
	require.Equal(t, 15*time.Minute, retryAfter(t, org))
	require.Equal(t, person, org)
}

func TestService_Login_addressLocked(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	wrong := request()
	wrong.User = "unknown"
	o.fail(0, "address:192.0.2.1", 99)

	_, right := o.Login(t.Context(), request(), "192.0.2.1")
	_, hundredth := o.Login(t.Context(), wrong, "192.0.2.1")
	_, past := o.Login(t.Context(), request(), "::ffff:192.0.2.1")
	_, neighbour := o.Login(t.Context(), request(), "192.0.2.2")
	o.wait(15 * time.Minute)
	_, late := o.Login(t.Context(), request(), "192.0.2.1")

	require.NoError(t, right, "the right password counts for nothing")
	requireCode(t, hundredth, errs.Anonymous, "credentials")
	require.Equal(t, 15*time.Minute, retryAfter(t, past))
	require.NoError(t, neighbour)
	require.NoError(t, late)
}

// However many guess at once, no more than the limit are told that they are
// wrong.
func TestService_Login_parallelGuesses(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.fail(o.org, "login:lin", 6)
	answers := make([]error, 12)

	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { _, answers[i] = o.Login(t.Context(), request(), "") })
	}
	all.Wait()

	var tried int
	for _, err := range answers {
		if errs.KindOf(err) == errs.Anonymous {
			tried++
			continue
		}
		require.Equal(t, 15*time.Minute, retryAfter(t, err))
	}
	require.Equal(t, 4, tried)
}

func TestService_Login_sweeps(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	for _, name := range []string{"a", "b", "c"} {
		o.fail(o.org, "login:"+name, 3)
	}
	o.wait(15 * time.Minute)
	o.login(request())

	var left int
	require.NoError(t, o.db.QueryRow(t.Context(), `SELECT count(*) FROM login_attempts`).Scan(&left))
	require.Zero(t, left)
}

func TestService_Login_revoked(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	in := request()
	first := o.login(in)
	o.exec(`UPDATE devices SET revoked_at = $2 WHERE org = $1`, o.org, o.now())

	_, same := o.Login(t.Context(), in, "")
	_, refresh := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: first.RefreshToken})
	_, other := o.Login(t.Context(), request(), "")

	requireCode(t, same, errs.Denied, "revoked")
	requireCode(t, refresh, errs.Denied, "revoked")
	require.NoError(t, other)
}
