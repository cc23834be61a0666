package people

import (
	"cmp"
	"context"
	"net/netip"
	"time"

	"roadbook/errs"
	"roadbook/record"
)

// How many wrong passwords are borne within failureWindow. Ten for one login
// is more than a person mistypes and gets nobody through a password of eight
// characters; a hundred for one address is an office, or a carrier's gateway,
// on a Monday. Right passwords count for nothing.
const (
	maxLoginFailures   = 10
	maxAddressFailures = 100
	failureWindow      = 15 * time.Minute
)

// noOrg holds the counters that belong to no org.
const noOrg record.OrgID = 0

// addressBits is what one subscriber has of IPv6; he changes the rest at will.
const addressBits = 64

// subject is whom wrong passwords are counted for.
type subject struct {
	org   record.OrgID
	name  string
	limit int
}

// loginSubject counts for a name, whether or not there is such a person: being
// locked must say nothing about that.
func loginSubject(org record.OrgID, orgName, login string) subject {
	if org == noOrg {
		return subject{noOrg, "login:" + login + "@" + orgName, maxLoginFailures}
	}
	return subject{org, "login:" + login, maxLoginFailures}
}

// addressSubject counts for an address. It is false for what is not one, as in
// a test without a network.
func addressSubject(remoteIP string) (subject, bool) {
	addr, err := netip.ParseAddr(remoteIP)
	if err != nil {
		return subject{}, false
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		prefix, _ := addr.Prefix(addressBits)
		return subject{noOrg, "address:" + prefix.String(), maxAddressFailures}, true
	}
	return subject{noOrg, "address:" + addr.String(), maxAddressFailures}, true
}

// errCleared is met when the right password arrives elsewhere between two looks
// at a full counter.
var errCleared error = errs.New("people.Login", errs.Busy, "somebody is signing in; try again").Coded("sign_in")

// guard decides whether a password may be tried at all, and reports what came
// of it. It is used inside a seat, so that a flood of guesses cannot pass it
// before the first of them has been counted.
//
// The login's counter is taken before the password is looked at and given back
// if it was right; hence no number of parallel guesses gets past the limit.
// The address's is taken afterwards, because many people who sign in at once
// behind one address do nothing wrong.
func (s *Service) guard(
	ctx context.Context, login subject, remoteIP string,
) (report func(right bool) error, err error) {
	now := s.now()
	address, known := addressSubject(remoteIP)
	if known {
		if err := s.refuseLocked(ctx, address, now); err != nil {
			return nil, err
		}
	}
	taken, err := s.db.countFailure(ctx, login, now)
	if err != nil {
		return nil, err
	}
	if !taken {
		return nil, cmp.Or(s.refuseLocked(ctx, login, now), errCleared)
	}
	return func(right bool) error {
		if right {
			return s.db.forgetFailures(ctx, login)
		}
		if !known {
			return nil
		}
		_, err := s.db.countFailure(ctx, address, now)
		return err
	}, nil
}

// refuseLocked is an error while as many failures as the limit lie within the
// window: until the oldest of those that fill it has left.
func (s *Service) refuseLocked(ctx context.Context, of subject, now time.Time) error {
	oldest, full, err := s.db.fullSince(ctx, of, now.Add(-failureWindow))
	if err != nil || !full {
		return err
	}
	left := oldest.Add(failureWindow).Sub(now)
	minutes := (left + time.Minute - 1) / time.Minute
	return errs.New("people.Login", errs.Limited, "too many wrong passwords; try again in %d min", minutes).
		Coded("locked").Because(waitError(left))
}

// waitError says when it is worth trying again. It lies in the chain of an
// error of kind limited, whoever answers it finds it with errors.As:
//
//	var wait interface{ RetryAfter() time.Duration }
//	if errors.As(err, &wait) { … wait.RetryAfter() … }
type waitError time.Duration

func (w waitError) Error() string { return "locked for " + time.Duration(w).String() }

// RetryAfter is how long to wait.
func (w waitError) RetryAfter() time.Duration { return time.Duration(w) }
