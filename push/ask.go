package push

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// connections are kept open to one vendor.
const connections = 64

// NewClient is for asking one vendor. It follows nobody elsewhere: what is sent is
// for him.
func NewClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = connections
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Ask sends a request of a channel and says what its answer means, as far as HTTP
// goes: taken (2xx), busy, broken, refused, or none at all. An address in an error
// is left out: it may hold a secret.
func Ask(client *http.Client, r *http.Request) (body []byte, a Answer) {
	response, err := client.Do(r) //nolint:gosec // where to is the operator's to say
	if err != nil {
		return nil, unanswered(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, unanswered(err)
	}
	switch s := response.StatusCode; {
	case s >= 200 && s < 300:
		return body, Answer{}
	case s == http.StatusRequestTimeout, s == http.StatusTooManyRequests, s >= http.StatusInternalServerError:
		a.Again, a.After = true, retryAfter(response.Header)
	case s == http.StatusGone:
		a.Gone = true
	}
	a.Err = fmt.Errorf("answered %d: %s", response.StatusCode, strings.TrimSpace(string(body)))
	return body, a
}

// unanswered says what an error means after which nobody knows what has arrived.
// Where nobody has even picked up, nothing has.
func unanswered(err error) Answer {
	var dial *net.OpError
	a := Answer{Err: bare(err), Silent: true}
	if errors.As(err, &dial) && dial.Op == "dial" {
		a.Silent, a.Again = false, true
	}
	return a
}

// retryAfter reads how many seconds to wait, 0 if it does not say.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, putOffFor)
}

// bare is an error without the address that was asked.
func bare(err error) error {
	type wraps interface{ Unwrap() error }
	if w, is := err.(wraps); is && strings.Contains(err.Error(), "://") {
		return w.Unwrap()
	}
	return err
}
