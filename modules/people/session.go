package people

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// refreshLifetime is as long as the log's horizon: a phone that may still
// bring its outbox home may also still sign in with what it has.
const refreshLifetime = 180 * 24 * time.Hour

// maxSuccessors is how many answers to one repeated token are kept good. A
// device that has lost one asks again, and may then receive either.
const maxSuccessors = 8

// maxRefreshBytes is more than a refresh token ever has.
const maxRefreshBytes = 256

var (
	errUnknown  = errors.New("no such session")
	errEnded    = errors.New("the session has ended")
	errReused   = errors.New("a token was used after its successor; the session is ended")
	errInstall  = errors.New("a token was used by another install; the session is ended")
	errInactive = errors.New("the person may not act")
)

// Refresh exchanges a refresh token for new tokens. The same install may
// repeat it until a successor has been used, because answers get lost; a use
// after that, or by another install, ends the session. What a person may do is
// looked up anew.
func (s *Service) Refresh(ctx context.Context, in *wire.RefreshRequest) (*wire.RefreshAnswer, error) {
	org, session, ok := parseRefresh(in.RefreshToken)
	if !ok {
		return nil, anonymous("people.Refresh", errUnknown)
	}
	var install record.ID
	if err := install.UnmarshalText([]byte(in.Install)); err != nil {
		return nil, errs.New("people.Refresh", errs.Invalid, "the install is not a UUID").
			Of(errs.Field{Field: "install", Detail: "must be a UUID"})
	}
	now := s.now()
	successor := newRefresh(org, session, s.newToken())
	f, person, err := s.db.changeFamily(ctx, org, session, func(f family) (family, error) {
		return f.use(hashToken(in.RefreshToken), hashToken(successor), install, now)
	})
	if err != nil {
		return nil, err
	}
	token, err := s.accessToken(f, person.Roles, now)
	if err != nil {
		return nil, err
	}
	return &wire.RefreshAnswer{
		AccessToken:  token,
		ExpiresIn:    int(accessLifetime.Seconds()),
		RefreshToken: successor,
		ServerTime:   now.UTC(),
	}, nil
}

// Logout ends the caller's sessions on his device. It touches neither the
// replica nor anything that the device still has to send; the access token
// stays good until it runs out.
func (s *Service) Logout(ctx context.Context, caller access.Caller) error {
	return s.db.endSessions(ctx, caller.Org, caller.Person, caller.Device, s.now())
}

// family is a session: a sign-in and all refresh tokens that follow from it.
//
// A token is good once, and makes a successor. Because the answer may be lost
// on the way, it may be repeated until one of its successors has been used;
// each time there is one successor more. Whoever uses any other token of the
// family holds a copy, or somebody else does, and nobody can say which: the
// family ends for both.
type family struct {
	org     record.OrgID
	id      record.ID
	person  record.ID
	device  record.ID
	install record.ID // of the device
	revoked bool      // the device may not sign in

	spent   []byte   // hash of the token used last
	next    [][]byte // hashes of its successors, none of them used
	expires time.Time
	ended   *time.Time
}

// use spends a token and takes in its successor. The family that comes back is
// to be kept also when the token is refused.
func (f family) use(token, successor []byte, install record.ID, now time.Time) (family, error) {
	first := slices.ContainsFunc(f.next, func(h []byte) bool { return bytes.Equal(h, token) })
	switch {
	case f.ended != nil:
		return f, anonymous("people.Refresh", errEnded)
	case !install.IsZero() && install != f.install:
		return f.endedAt(now), anonymous("people.Refresh", errInstall)
	case !first && !bytes.Equal(f.spent, token):
		return f.endedAt(now), anonymous("people.Refresh", errReused)
	case !now.Before(f.expires):
		return f, expired("people.Refresh")
	case f.revoked:
		return f, errRevoked("people.Refresh")
	}
	if first {
		f.spent, f.next = token, nil
	}
	f.next = append(slices.Clone(f.next), successor)
	f.next = f.next[max(0, len(f.next)-maxSuccessors):]
	f.expires = now.Add(refreshLifetime)
	return f, nil
}

func (f family) endedAt(now time.Time) family {
	f.ended = &now
	return f
}

// errRevoked is the answer to a device that has been taken out of use. It does
// not tell the device to drop anything.
func errRevoked(op string) *errs.Error {
	return errs.New(op, errs.Denied, "this device has been taken out of use").Coded("revoked")
}

// A refresh token names its family, so that an old one is recognised however
// often its successors were used, and its org, so that the look-up stays in
// the org: both in base 64, a dot, and 32 random bytes in base 64.
func newRefresh(org record.OrgID, session record.ID, chance string) string {
	name := binary.BigEndian.AppendUint32(nil, uint32(org))
	return base64.RawURLEncoding.EncodeToString(append(name, session[:]...)) + "." + chance
}

// parseRefresh is the family that a refresh token names. That it is genuine is
// for its hash to show.
func parseRefresh(token string) (org record.OrgID, session record.ID, ok bool) {
	name, _, found := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(name)
	if !found || err != nil || len(raw) != 4+len(session) || len(token) > maxRefreshBytes {
		return 0, record.NoID, false
	}
	return record.OrgID(int32(binary.BigEndian.Uint32(raw))), record.ID(raw[4:]), true
}

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
