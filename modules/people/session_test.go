package people_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/sync/wire"
)

// Each step uses a token: "1>2" gets the token 2 for the token 1, which came
// with the sign-in; "1!" is refused. "other 1!" comes from another install,
// "plain 1>2" does not say from which.
func TestService_Refresh(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, steps string }{
		{"each token makes the next", "1>2, 2>3, 3>4"},
		{"a lost answer is asked for again", "1>2, 1>3, 1>4, 4>5"},
		{"and either answer is good", "1>2, 1>3, 2>4"},
		{"whoever kept the other one holds a copy", "1>2, 1>3, 2>4, 3!, 4!"},
		{"a token after its successor ends the session", "1>2, 2>3, 1!, 3!"},
		{"however long after", "1>2, 2>3, 3>4, 4>5, 1!, 5!"},
		{"the same token is good again after a repeat", "1>2, 1>3, 3>4, 3>5, 5>6"},
		{"another install ends the session", "other 1!, 1!"},
		{"also when it repeats", "1>2, other 1!, 2!"},
		{"an old client does not say its install", "plain 1>2, plain 1>3, 3>4, plain 1!, 4!"},
		{"eight answers are kept", "1>2, 1>3, 1>4, 1>5, 1>6, 1>7, 1>8, 1>9, 2>10"},
		{"the ninth drops the first", "1>2, 1>3, 1>4, 1>5, 1>6, 1>7, 1>8, 1>9, 1>10, 2!"},
		{"signing out ends it", "1>2, logout, 2!, 1!"},
	}
	o := newOffice(t)
	o.hire("lin", "rep")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o.run(t, tt.steps)
		})
	}
}

func (o *office) run(t *testing.T, steps string) {
	t.Helper()
	in := request()
	first, err := o.Login(t.Context(), in, "")
	require.NoError(t, err)
	tokens := map[string]string{"1": first.RefreshToken}
	for step := range strings.SplitSeq(steps, ", ") {
		install := in.Device.Install
		if rest, ok := strings.CutPrefix(step, "other "); ok {
			step, install = rest, newID().String()
		} else if rest, ok := strings.CutPrefix(step, "plain "); ok {
			step, install = rest, ""
		}
		if step == "logout" {
			caller, err := o.Caller(t.Context(), first.AccessToken)
			require.NoError(t, err)
			require.NoError(t, o.Logout(t.Context(), caller))
			continue
		}
		from, to, good := strings.Cut(strings.TrimSuffix(step, "!"), ">")
		out, err := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: tokens[from], Install: install})
		if !good {
			requireCode(t, err, errs.Anonymous, "token")
			continue
		}
		require.NoError(t, err, step)
		tokens[to] = out.RefreshToken
		_, err = o.Caller(t.Context(), out.AccessToken)
		require.NoError(t, err)
	}
}

func TestService_Refresh_rights(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lin := o.hire("lin", "rep")
	first := o.login(request())
	in := &wire.RefreshRequest{RefreshToken: first.RefreshToken}

	o.setActive(lin, false)
	_, left := o.Refresh(t.Context(), in)
	o.setActive(lin, true)
	o.exec(`UPDATE actors SET roles = '{rep,manager}' WHERE org = $1`, o.org)
	out, back := o.Refresh(t.Context(), in)

	requireCode(t, left, errs.Anonymous, "token")
	require.NoError(t, back, "a refused token is not spent")
	caller, err := o.Caller(t.Context(), out.AccessToken)
	require.NoError(t, err)
	require.Equal(t, []string{"rep", "manager"}, caller.Roles, "roles are looked up anew")
	require.Equal(t, first.Device, caller.Device)
}

func TestService_Refresh_lifetime(t *testing.T) {
	t.Parallel()
	const lifetime = 180 * 24 * time.Hour
	o := newOffice(t)
	o.hire("lin", "rep")
	token := o.login(request()).RefreshToken

	o.wait(lifetime - time.Millisecond)
	out, err := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: token})
	require.NoError(t, err)
	o.wait(lifetime)
	_, err = o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: out.RefreshToken})

	requireCode(t, err, errs.Anonymous, "expired")
}

func TestService_Refresh_foreign(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	other, err := o.CreateOrg(t.Context(), "other")
	require.NoError(t, err)
	token := o.login(request()).RefreshToken
	name, secret, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(name)
	require.NoError(t, err)
	raw[3] += byte(other - o.org)

	for _, forged := range []string{
		"", ".", secret, name, name + "." + newToken() + strings.Repeat("x", 256),
		base64.RawURLEncoding.EncodeToString(raw) + "." + secret,
	} {
		_, err := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: forged})
		requireCode(t, err, errs.Anonymous, "token")
	}
	_, badInstall := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: token, Install: "phone-1"})
	_, err = o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: token})

	require.Equal(t, errs.Invalid, errs.KindOf(badInstall))
	require.NoError(t, err, "none of this touched the session")
}

func TestService_Logout_ownDevice(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	phone, tablet := o.login(request()), o.login(request())
	caller, err := o.Caller(t.Context(), phone.AccessToken)
	require.NoError(t, err)

	require.NoError(t, o.Logout(t.Context(), caller))
	require.NoError(t, o.Logout(t.Context(), caller), "again is harmless")
	require.NoError(t, o.Logout(t.Context(), access.Caller{Org: o.org}))

	_, gone := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: phone.RefreshToken})
	_, kept := o.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: tablet.RefreshToken})
	requireCode(t, gone, errs.Anonymous, "token")
	require.NoError(t, kept)
}
