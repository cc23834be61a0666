package people_test

import (
	"crypto/rand"
	"encoding/base64"
	mathrand "math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync/wire"
)

const password = "correct horse"

// office is an org with a service in front of it and a clock that stands still.
type office struct {
	*people.Service

	t   *testing.T
	db  *pgxpool.Pool
	org record.OrgID
	ms  atomic.Int64
}

func newID() record.ID { return record.ID(uuid.Must(uuid.NewV7())) }

func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func key(c string) []byte { return []byte(strings.Repeat(c, 32)) }

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, db: pgtest.DB(t)}
	o.ms.Store(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC).UnixMilli())
	o.Service = o.service(key("k"))
	org, err := o.CreateOrg(t.Context(), "demo")
	require.NoError(t, err)
	o.org = org
	return o
}

func (o *office) service(key []byte) *people.Service {
	return people.New(people.Config{
		Pool: o.db, Key: key, Now: o.now, Draw: mathrand.Int32, NewID: newID, NewToken: newToken,
	})
}

func (o *office) now() time.Time { return time.UnixMilli(o.ms.Load()) }

func (o *office) wait(d time.Duration) { o.ms.Add(d.Milliseconds()) }

// exec stands in for what the engine, an administrator or a neighbouring
// server would have done.
func (o *office) exec(sql string, args ...any) {
	o.t.Helper()
	_, err := o.db.Exec(o.t.Context(), sql, args...)
	require.NoError(o.t, err)
}

// hire adds a person who may act and gives him his name as login.
func (o *office) hire(name string, roles ...string) record.ID {
	o.t.Helper()
	person := newID()
	o.exec(`INSERT INTO actors (org, id, name, roles, active) VALUES ($1, $2, $3, $4, true)`, o.org, person, name, roles)
	require.NoError(o.t, o.SetPassword(o.t.Context(), o.org, person, name, password))
	return person
}

func (o *office) setActive(person record.ID, active bool) {
	o.t.Helper()
	o.exec(`UPDATE actors SET active = $3 WHERE org = $1 AND id = $2`, o.org, person, active)
}

// request is a sign-in of lin's from a phone of his.
func request() *wire.LoginRequest {
	return &wire.LoginRequest{
		Org: "demo", User: "lin", Password: password,
		Device: wire.DeviceInfo{Install: newID().String(), Kind: "phone", Platform: "android 15", App: "1.4.0"},
	}
}

func (o *office) login(in *wire.LoginRequest) *wire.LoginAnswer {
	o.t.Helper()
	out, err := o.Login(o.t.Context(), in, "")
	require.NoError(o.t, err)
	return out
}

func requireCode(t *testing.T, err error, kind errs.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, errs.KindOf(err), err)
	require.Equal(t, code, errs.CodeOf(err), err)
}

func TestService_CreateOrg(t *testing.T) {
	t.Parallel()
	o := newOffice(t)

	_, again := o.CreateOrg(t.Context(), " demo ")
	other, err := o.CreateOrg(t.Context(), "另一家公司")
	require.NoError(t, err)
	found, err := store.OrgByName(t.Context(), o.db, "demo")
	require.NoError(t, err)
	log, err := store.LogOf(t.Context(), o.db, o.org)
	require.NoError(t, err)
	otherLog, err := store.LogOf(t.Context(), o.db, other)
	require.NoError(t, err)

	requireCode(t, again, errs.Clash, "org")
	require.Equal(t, o.org, found.ID)
	require.False(t, found.UID.IsZero())
	require.Len(t, log.Epoch, 12)
	require.NotEqual(t, log.Epoch, otherLog.Epoch)
	require.Empty(t, log.Schema, "nobody has given it one yet")
}

func TestService_CreateOrg_name(t *testing.T) {
	t.Parallel()
	o := newOffice(t)

	_, longest := o.CreateOrg(t.Context(), strings.Repeat("名", 64))
	_, tooLong := o.CreateOrg(t.Context(), strings.Repeat("名", 65))
	_, empty := o.CreateOrg(t.Context(), "  ")
	_, broken := o.CreateOrg(t.Context(), "a\x00b")

	require.NoError(t, longest)
	requireCode(t, tooLong, errs.Invalid, "org")
	requireCode(t, empty, errs.Invalid, "org")
	requireCode(t, broken, errs.Invalid, "org")
}

func TestService_SetPassword(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lin := o.hire("lin", "rep")
	session := o.login(request())

	require.NoError(t, o.SetPassword(t.Context(), o.org, lin, "Lin.Xiao ", "another horse"))

	_, old := o.Login(t.Context(), request(), "")
	_, refresh := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: session.RefreshToken})
	in := request()
	in.User, in.Password = "LIN.xiao", "another horse"
	require.Equal(t, lin, o.login(in).Actor.ID, "capitals do not matter")
	requireCode(t, old, errs.Anonymous, "credentials")
	requireCode(t, refresh, errs.Anonymous, "token")
}

func TestService_SetPassword_refuses(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lin, zhou := o.hire("lin", "rep"), newID()

	tests := []struct {
		name            string
		login, password string
		kind            errs.Kind
		code            string
	}{
		{"a login that somebody has", "LIN", password, errs.Clash, "login"},
		{"seven characters", "zhou", "密码密码密码密", errs.Invalid, "password"},
		{"257 bytes", "zhou", strings.Repeat("x", 257), errs.Invalid, "password"},
		{"no login", " ", password, errs.Invalid, "password"},
		{"a login of 65 characters", strings.Repeat("周", 65), password, errs.Invalid, "password"},
	}
	for _, tt := range tests {
		requireCode(t, o.SetPassword(t.Context(), o.org, zhou, tt.login, tt.password), tt.kind, tt.code)
	}
	require.NoError(t, o.SetPassword(t.Context(), o.org, lin, "lin", "密码密码密码密码"), "eight characters")
	require.NoError(t, o.SetPassword(t.Context(), o.org, zhou, strings.Repeat("周", 64), strings.Repeat("x", 256)))
}

func TestNew_shortKey(t *testing.T) {
	t.Parallel()

	require.Panics(t, func() { people.New(people.Config{Key: key("k")[:31]}) })
}
