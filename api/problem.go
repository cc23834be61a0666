package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"roadbook/api/words"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/telemetry"
)

// Times after which to try again, if the error names none.
const (
	busyDelay    = 5 * time.Second
	limitedDelay = 30 * time.Second
)

// problem is the part of an error answer that every error has, as in RFC 9457.
type problem struct {
	Status    int          `json:"status"`
	Title     string       `json:"title"`
	Detail    string       `json:"detail"`
	Kind      errs.Kind    `json:"kind"`
	Code      string       `json:"code,omitempty"`
	Fields    []errs.Field `json:"fields,omitempty"`
	RequestID string       `json:"request_id,omitempty"`
}

var statuses = map[errs.Kind]int{
	errs.Internal:  http.StatusInternalServerError,
	errs.Invalid:   http.StatusBadRequest,
	errs.Anonymous: http.StatusUnauthorized,
	errs.Denied:    http.StatusForbidden,
	errs.Missing:   http.StatusNotFound,
	errs.Clash:     http.StatusConflict,
	errs.Stale:     http.StatusGone,
	errs.Limited:   http.StatusTooManyRequests,
	errs.Busy:      http.StatusServiceUnavailable,
}

// narrower are the codes of HTTP's own problems, whose status says more than
// that of their kind.
var narrower = map[string]int{
	"size":     http.StatusRequestEntityTooLarge,
	"encoding": http.StatusUnsupportedMediaType,
	"method":   http.StatusMethodNotAllowed,
	"slow":     http.StatusRequestTimeout,
}

// coded is an error that says what its code says.
func coded(op string, kind errs.Kind, code string) *errs.Error { return words.Coded(op, kind, code) }

// languageOf is the one that the client likes best.
func languageOf(c *gin.Context) words.Language {
	return words.Preferred(c.GetHeader("Accept-Language"))
}

// fail answers an error. It is the one place where an error leaves the
// process, and so the one that logs it: with everything for the operator, and
// with a sentence for the person who asked. After it nothing else is answered.
func (s *Server) fail(c *gin.Context, err error) {
	failure := classify(err)
	status := statusOf(failure)
	s.logFailure(c, failure, status, err)
	if levelOf(c) > slog.LevelDebug { // a server that starts has not failed
		s.Metrics.Failed(string(failure.Kind))
	}
	if c.Writer.Written() {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	lang := languageOf(c)
	detail, fields := words.Explain(failure.Kind, failure.Code, failure.Msg, failure.Fields, lang)
	p := problem{
		Status: status, Title: words.Title(failure.Kind, lang), Detail: detail,
		Kind: failure.Kind, Code: failure.Code, Fields: fields, RequestID: requestID(c),
	}
	more, missing := extras(err, failure, lang)
	body, broken := p.with(more)
	if wrong := errors.Join(missing, broken); wrong != nil {
		s.logFailure(c, coded("api.fail", errs.Internal, "internal"), status, wrong)
	}
	hint(c, failure, err)
	c.Header("Content-Language", string(lang))
	c.Writer.Header().Add("Vary", "Accept-Language")
	s.respond(c, status, &reply{contentType: "application/problem+json", body: body})
}

// classify finds the error that can be shown. What nobody has vouched for is
// internal, except that time ran out or the client went away.
func classify(err error) *errs.Error {
	known, ok := errors.AsType[*errs.Error](err)
	switch {
	case ok && known.Kind != errs.Internal && statuses[known.Kind] != 0:
		return known
	case errors.Is(err, context.DeadlineExceeded):
		return coded("api.fail", errs.Busy, "timeout")
	case errors.Is(err, context.Canceled):
		return coded("api.fail", errs.Busy, "cut")
	}
	return errs.New("api.fail", errs.Internal, "")
}

func statusOf(e *errs.Error) int {
	if status, ok := narrower[e.Code]; ok && (e.Kind == errs.Invalid || e.Kind == errs.Busy) {
		return status
	}
	return statuses[e.Kind]
}

func (s *Server) logFailure(c *gin.Context, failure *errs.Error, status int, err error) {
	level := levelOf(c)
	if failure.Kind == errs.Internal {
		level = slog.LevelError
	}
	s.Log.LogAttrs(c.Request.Context(), level, "failure",
		slog.String(telemetry.KeyOp, operation(c)),
		slog.Int(telemetry.KeyStatus, status),
		slog.String(telemetry.KeyKind, string(failure.Kind)),
		slog.String(telemetry.KeyCode, failure.Code),
		slog.Any(telemetry.KeyErr, err),
	)
}

// hint says in a header what the client can do.
func hint(c *gin.Context, failure *errs.Error, err error) {
	switch failure.Kind {
	case errs.Anonymous:
		c.Header("WWW-Authenticate", "Bearer")
	case errs.Busy:
		c.Header("Retry-After", seconds(err, busyDelay))
	case errs.Limited:
		c.Header("Retry-After", seconds(err, limitedDelay))
	}
	if failure.Code == "slow" || failure.Code == "cut" {
		c.Header("Connection", "close") // what is left of the body is not worth waiting for
	}
}

func seconds(err error, delay time.Duration) string {
	if d, ok := errors.AsType[Delayer](err); ok {
		delay = d.RetryAfter()
	}
	return strconv.Itoa(max(1, int(math.Ceil(delay.Seconds()))))
}

// with writes the problem and, behind its own members, more.
func (p problem) with(more record.Values) ([]byte, error) {
	body, err := json.Marshal(p)
	if err != nil || len(more) == 0 {
		return body, err
	}
	body = append(bytes.TrimSuffix(body, []byte("}")), ',')
	return append(body, bytes.TrimPrefix(more.AppendJSON(nil), []byte("{"))...), nil
}
