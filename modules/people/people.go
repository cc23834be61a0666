package people

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
)

// minKeyBytes is the output of the hash that signs: a shorter key would be
// the weakest part.
const minKeyBytes = 32

// maxNameRunes is the longest name of an org and the longest login: what fits
// a phone's input field.
const maxNameRunes = 64

// Config is what a Service is made of. Time and chance come from outside, so
// that a simulation can repeat them.
type Config struct {
	Pool     *Pool
	Key      []byte           // signs access tokens and nothing else; at least 32 bytes
	Now      func() time.Time // the server's clock
	Draw     func() int32     // a random number for a replica, of either sign
	NewID    func() record.ID // a UUIDv7
	NewToken func() string    // 32 random bytes as base64url
}

// Service signs people in and keeps them signed in. It is safe for concurrent
// use.
type Service struct {
	db       tables
	key      []byte
	now      func() time.Time
	draw     func() int32
	newID    func() record.ID
	newToken func() string
	parser   *jwt.Parser
	seats    chan struct{}
}

// New makes a service. A key that is too short is a fault in the wiring, which
// has read and checked it; so it panics.
func New(c Config) *Service {
	if len(c.Key) < minKeyBytes {
		panic("people.New: the key needs 32 bytes")
	}
	return &Service{
		db:       tables{c.Pool},
		key:      c.Key,
		now:      c.Now,
		draw:     c.Draw,
		newID:    c.NewID,
		newToken: c.NewToken,
		parser:   newParser(c.Now),
		seats:    make(chan struct{}, hashingAtOnce()),
	}
}

// epochRunes is how much of a token names an epoch: 72 bits, so that no two
// lives of a log are ever called the same.
const epochRunes = 12

// CreateOrg adds an org: its place among the orgs, the head of its log, the
// server's own replica and the catalogue's scope. It has no schema and no
// people yet. A name that is taken is a clash, code org.
func (s *Service) CreateOrg(ctx context.Context, name string) (record.OrgID, error) {
	name = strings.TrimSpace(name)
	if detail := nameFault(name); detail != "" {
		return 0, errs.New("people.CreateOrg", errs.Invalid, "this cannot be the name of an organisation").
			Coded("org").Of(errs.Field{Field: "org", Detail: detail})
	}
	return s.db.createOrg(ctx, store.NewOrg{
		Name:  name,
		UID:   s.newID(),
		Epoch: s.newToken()[:epochRunes],
		Draw:  s.draw,
	})
}

// SetPassword gives a person a login and a password, or new ones, and ends his
// sessions: a password is often changed because somebody else knows it. His
// devices sign in again and lose nothing. A login that another person of the
// org has is a clash, code login. Logins are compared in lower case.
func (s *Service) SetPassword(ctx context.Context, org record.OrgID, person record.ID, login, password string) error {
	login = foldLogin(login)
	var faults []errs.Field
	if detail := nameFault(login); detail != "" {
		faults = append(faults, errs.Field{Field: "user", Detail: detail})
	}
	if detail := passwordFault(password); detail != "" {
		faults = append(faults, errs.Field{Field: "password", Detail: detail})
	}
	if len(faults) > 0 {
		return errs.New("people.SetPassword", errs.Invalid, "this login cannot be used").
			Coded("password").Of(faults...)
	}
	leave, err := s.seat(ctx)
	if err != nil {
		return err
	}
	defer leave()
	hashed := hashPassword(password, s.newToken())
	return s.db.savePassword(ctx, credentials{org, login, person, hashed.String()}, s.now())
}

// foldLogin makes one of the ways in which phones write a name.
func foldLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// nameFault says what is wrong with the name of an org or a login, "" if
// nothing is.
func nameFault(name string) string {
	switch {
	case name == "":
		return "is missing"
	case utf8.RuneCountInString(name) > maxNameRunes:
		return "has more than 64 characters"
	case !plain(name):
		return "has characters that cannot be typed"
	}
	return ""
}

func passwordFault(password string) string {
	switch {
	case utf8.RuneCountInString(password) < minPasswordRunes:
		return "needs at least 8 characters"
	case len(password) > maxPasswordBytes:
		return "is too long"
	}
	return ""
}

// plain reports whether a text can be stored and shown in one line.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
