package people

import (
	"context"
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
)

// accessLifetime is how long an access token is good. It is checked without
// the database, so this is also how long a person who was signed out elsewhere
// can still ask; what he gets, his grants decide at that moment.
const accessLifetime = 15 * time.Minute

// Who makes access tokens and for whom: a token made for something else with
// the same key is not one.
const (
	issuer   = "roadbook"
	audience = "roadbook.v1"
)

// maxTokenBytes is a token with all roles, twice over.
const maxTokenBytes = 2 << 10

// claims are what an access token says.
type claims struct {
	jwt.RegisteredClaims

	Org     record.OrgID `json:"org"`
	Device  record.ID    `json:"dev"`
	Session record.ID    `json:"sid"`
	Roles   []string     `json:"roles"`
}

// accessToken signs what is known of a person on his device.
func (s *Service) accessToken(f family, roles []string, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Audience:  jwt.ClaimStrings{audience},
			Subject:   f.person.String(),
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(accessLifetime)),
		},
		Org:     f.org,
		Device:  f.device,
		Session: f.id,
		Roles:   roles,
	}).SignedString(s.key)
}

// Caller reads an access token: who is asking, from which device, with which
// roles. A token past its time is answered with code expired, for which a
// device refreshes; anything else with code token, for which it signs in.
func (s *Service) Caller(_ context.Context, token string) (access.Caller, error) {
	if len(token) > maxTokenBytes {
		return access.Caller{}, anonymous("people.Caller", errors.New("the token is too long"))
	}
	var c claims
	_, err := s.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return s.key, nil })
	if errors.Is(err, jwt.ErrTokenExpired) {
		return access.Caller{}, expired("people.Caller").Because(err)
	}
	if err != nil {
		return access.Caller{}, anonymous("people.Caller", err)
	}
	person, err := record.ParseID(c.Subject)
	if err != nil {
		return access.Caller{}, anonymous("people.Caller", err)
	}
	return access.Caller{
		Org: c.Org, Person: person, Device: c.Device, Roles: c.Roles, Until: c.ExpiresAt.Time,
	}, nil
}

// newParser takes what accessToken makes and nothing else.
func newParser(now func() time.Time) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(now),
	)
}

// anonymous is the answer to a token that is not good, whatever is wrong with
// it; cause is for the operator.
func anonymous(op string, cause error) *errs.Error {
	return errs.New(op, errs.Anonymous, "please sign in again").Coded("token").Because(cause)
}

// expired is the answer to a token that was good.
func expired(op string) *errs.Error {
	return errs.New(op, errs.Anonymous, "your sign-in has run out; please sign in again").Coded("expired")
}
