package device

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"roadbook/errs"
	"roadbook/sync/wire"
)

// Codes of answers that a device acts on.
const (
	codeHole    = "hole"
	codeFork    = "fork"
	codeSize    = "size"
	codeCrowded = "crowded" // there is a queue, and we have an appointment
	codeSlow    = "slow"    // the server has waited for the rest of the frame for long enough
	codeHorizon = "horizon" // the device was away for too long
	codeEpoch   = "epoch"   // the server was restored …
	codeRewound = "rewound" // … and has lost what the device has seen
	codeReplica = "replica" // the server does not know us by this name
	codeRoute   = "route"   // it is of a release that had not learnt this yet

	codeOffline = "offline" // ours: the server was not reached
)

// problem is an answer of the server that is not the one hoped for.
type problem struct {
	wire.Problem

	after time.Duration // how long the server asks to be left alone
	err   *errs.Error
}

func (p *problem) Error() string { return p.err.Error() }
func (p *problem) Unwrap() error { return p.err }

func asProblem(err error) (*problem, bool) { return errors.AsType[*problem](err) }

// newProblem reads an error answer. One that is not ours, from a proxy or a
// gate in between, is known by its status alone.
func newProblem(res *http.Response, text []byte) error {
	p := &problem{after: retryAfter(res.Header.Get("Retry-After"))}
	if json.Unmarshal(text, &p.Problem) != nil || p.Kind == "" {
		p.Problem = wire.Problem{
			Kind: string(kindOf(res.StatusCode)), Detail: "the network answered: " + strconv.Itoa(res.StatusCode),
		}
	}
	p.Status = res.StatusCode
	p.err = errs.New("server", errs.Kind(p.Kind), "%s", p.Detail).Coded(p.Code).Of(p.Fields...)
	return p
}

func kindOf(status int) errs.Kind {
	switch status {
	case http.StatusUnauthorized:
		return errs.Anonymous
	case http.StatusForbidden:
		return errs.Denied
	case http.StatusConflict:
		return errs.Clash
	case http.StatusGone:
		return errs.Stale
	case http.StatusTooManyRequests:
		return errs.Limited
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return errs.Invalid
	default:
		return errs.Busy
	}
}

// RetryAfter is how long the server asks to be left alone, 0 if it does not.
func RetryAfter(err error) time.Duration {
	if p, ours := asProblem(err); ours {
		return p.after
	}
	return 0
}

// saysWhen reports whether a busy server has said when to come again.
func saysWhen(err error) bool { return errs.KindOf(err) == errs.Busy && RetryAfter(err) > 0 }

// retryAfter reads the header's seconds; we never send a date.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// mayPass reports whether the same bytes may do better later.
func mayPass(err error) bool {
	if errs.CodeOf(err) == codeOffline {
		return true
	}
	if _, ok := asProblem(err); !ok {
		return false
	}
	switch errs.KindOf(err) {
	case errs.Busy, errs.Internal, errs.Limited:
		return true
	default:
		return false
	}
}
