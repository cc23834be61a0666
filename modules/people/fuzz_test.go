package people_test

import (
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/record"
)

// tokens is a service without a database, which tokens do not need.
func tokens(now time.Time) *people.Service {
	return people.New(people.Config{
		Key: key("k"), Now: func() time.Time { return now }, Draw: mathrand.Int32, NewID: newID, NewToken: newToken,
	})
}

// FuzzCaller lets nobody in: whatever is no token of ours is anonymous, also
// if somebody has put together what looks like one.
func FuzzCaller(f *testing.F) {
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	s := tokens(now)
	for _, claims := range []jwt.MapClaims{
		{},
		{"iss": "roadbook", "aud": "roadbook.v1", "exp": now.Unix() + 60, "sub": newID().String(), "org": 1},
		{"exp": now.Unix() - 60},
		{"exp": "x", "org": -1},
		{"exp": 1e300},
		{"aud": 7, "roles": "admin"},
	} {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key("x"))
		require.NoError(f, err)
		f.Add(token)
	}
	for _, text := range []string{"", ".", "..", "....", "e30.e30.", "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, token string) {
		who, err := s.Caller(t.Context(), token)
		require.Equal(t, errs.Anonymous, errs.KindOf(err))
		require.Contains(t, []string{"token", "expired"}, errs.CodeOf(err))
		require.Zero(t, who)
	})
}

// FuzzClaims reads genuine tokens that say anything: they are a person's or
// nobody's.
func FuzzClaims(f *testing.F) {
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	s := tokens(now)
	f.Add(newID().String(), "7", []byte("admin"), now.Unix()+60)
	f.Add("", "-1", []byte{}, now.Unix()-60)
	f.Add("x", "1e400", []byte("\xff"), int64(-1))
	f.Fuzz(func(t *testing.T, sub, org string, role []byte, exp int64) {
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"iss": "roadbook", "aud": "roadbook.v1", "sub": sub, "exp": exp, "org": org, "roles": []string{string(role)},
		}).SignedString(key("k"))
		require.NoError(t, err)
		who, err := s.Caller(t.Context(), token)
		if err != nil {
			require.Equal(t, errs.Anonymous, errs.KindOf(err))
			return
		}
		require.Greater(t, exp, now.Unix())
		require.False(t, who.Person.IsZero(), "nobody is signed in")
	})
}

// FuzzRefresh reads refresh tokens and stored passwords made of anything.
func FuzzRefresh(f *testing.F) {
	f.Add(people.NewRefresh(7, record.ID{1}, "chance"))
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=-1,t=99999999999,p=256$$")
	f.Add(".")
	f.Fuzz(func(t *testing.T, text string) {
		if org, session, ok := people.ParseRefresh(text); ok {
			again := people.NewRefresh(org, session, "x")
			sameOrg, same, ok := people.ParseRefresh(again)
			require.True(t, ok)
			require.Equal(t, org, sameOrg)
			require.Equal(t, session, same)
		}
		if kept, err := people.ParseHash(text); err == nil {
			again, err := people.ParseHash(kept)
			require.NoError(t, err)
			require.Equal(t, kept, again)
		}
	})
}
