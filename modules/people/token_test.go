package people_test

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
)

func TestService_Caller_expires(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	token := o.login(request()).AccessToken

	o.wait(900*time.Second - time.Millisecond)
	_, early := o.Caller(t.Context(), token)
	o.wait(time.Millisecond)
	_, late := o.Caller(t.Context(), token)

	require.NoError(t, early)
	requireCode(t, late, errs.Anonymous, "expired")
}

func TestService_Caller_org(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	ours := o.login(request())
	other, err := o.CreateOrg(t.Context(), "other")
	require.NoError(t, err)
	demo := o.org
	o.org = other
	o.hire("lin", "admin")
	in := request()
	in.Org = "other"
	theirs := o.login(in)

	here, err := o.Caller(t.Context(), ours.AccessToken)
	require.NoError(t, err)
	there, err := o.Caller(t.Context(), theirs.AccessToken)
	require.NoError(t, err)

	require.Equal(t, demo, here.Org)
	require.Equal(t, other, there.Org)
	require.Equal(t, []string{"rep"}, here.Roles)
	require.NotEqual(t, here.Person, there.Person)
}

func TestService_Caller_foreign(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.hire("lin", "rep")
	good := o.login(request()).AccessToken
	sign := func(method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
		claims := jwt.MapClaims{}
		_, _, err := jwt.NewParser().ParseUnverified(good, claims)
		require.NoError(t, err)
		change(claims)
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		require.NoError(t, err)
		return token
	}
	same := func(jwt.MapClaims) {}

	tests := []struct{ name, token string }{
		{"nothing", ""},
		{"not a token", "k7f2"},
		{"too long", good + strings.Repeat("x", 2<<10)},
		{"another key", sign(jwt.SigningMethodHS256, key("x"), same)},
		{"no signature", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, same)},
		{"another algorithm", sign(jwt.SigningMethodHS512, key("k"), same)},
		{"another issuer", sign(jwt.SigningMethodHS256, key("k"), func(c jwt.MapClaims) { c["iss"] = "x" })},
		{"another audience", sign(jwt.SigningMethodHS256, key("k"), func(c jwt.MapClaims) { c["aud"] = "x" })},
		{"no end", sign(jwt.SigningMethodHS256, key("k"), func(c jwt.MapClaims) { delete(c, "exp") })},
		{"nobody", sign(jwt.SigningMethodHS256, key("k"), func(c jwt.MapClaims) { delete(c, "sub") })},
		{"cut short", good[:len(good)-1]},
	}
	_, err := o.Caller(t.Context(), sign(jwt.SigningMethodHS256, key("k"), same))
	require.NoError(t, err, "the forger's tool works")
	for _, tt := range tests {
		_, err := o.Caller(t.Context(), tt.token)
		requireCode(t, err, errs.Anonymous, "token")
	}
	_, err = o.service(key("x")).Caller(t.Context(), good)
	requireCode(t, err, errs.Anonymous, "token")
}
