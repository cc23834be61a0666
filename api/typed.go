package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"roadbook/errs"
)

// typed serves a route by a function whose types are its contract. huma reads
// the parameters and writes the answer; bodies, times and failures are ours,
// as on plain routes.
func typed[In, Out any](serve func(context.Context, *In) (*Out, error)) endpoint {
	return func(s *Server, r Route) gin.HandlerFunc {
		op := s.contract.Operation(r.listed())
		huma.Register(s.contract.API, op, serve)
		s.contract.Typed(r.listed())
		return s.through(r, &op, s.served.last)
	}
}

// registrar is where huma leaves a handler that it has made.
type registrar struct{ last func(huma.Context) }

// Handle takes the handler; mount gives it its place.
func (a *registrar) Handle(_ *huma.Operation, serve func(huma.Context)) { a.last = serve }

// ServeHTTP is what huma asks of every adapter and does not use.
func (a *registrar) ServeHTTP(http.ResponseWriter, *http.Request) {}

// through lets a handler of huma's answer into memory.
func (s *Server) through(r Route, op *huma.Operation, serve func(huma.Context)) gin.HandlerFunc {
	return func(c *gin.Context) {
		s.exchange(c, r, func(ctx context.Context, in *call) (*reply, error) {
			inner := *c.Request.WithContext(context.WithValue(ctx, callKey{}, in))
			inner.Body = io.NopCloser(bytes.NewReader(in.body))
			asked := c.Copy()
			asked.Request = &inner
			a := &answering{humaContext: humagin.NewContext(op, asked), status: http.StatusOK}
			serve(a)
			if a.failure != nil || a.status == http.StatusNoContent {
				return nil, a.failure
			}
			return a.reply(), nil
		})
	}
}

type callKey struct{}

// callOf is what a typed handler may know of its request beside its types.
func callOf(ctx context.Context) *call {
	in, _ := ctx.Value(callKey{}).(*call)
	return in
}

// humaContext is huma.Context under a name that its own method does not have.
type humaContext = huma.Context

// answering keeps what huma answers, so that it is either whole or a failure.
type answering struct {
	humaContext
	status      int
	contentType string
	header      map[string]string
	body        bytes.Buffer
	failure     error
}

func (a *answering) reply() *reply {
	r := &reply{status: a.status, contentType: a.contentType, body: a.body.Bytes(), header: a.header}
	if a.status == http.StatusNotModified {
		r.body = nil
	}
	return r
}

// Header says that a body is JSON, whatever the client calls it.
func (a *answering) Header(name string) string {
	if strings.EqualFold(name, "Content-Type") {
		return jsonType
	}
	return a.humaContext.Header(name)
}

func (a *answering) SetStatus(code int)              { a.status = code }
func (a *answering) Status() int                     { return a.status }
func (a *answering) BodyWriter() io.Writer           { return &a.body }
func (a *answering) SetReadDeadline(time.Time) error { return nil } // the body is here already

func (a *answering) SetHeader(name, value string) {
	if name == "Content-Type" {
		a.contentType = value
		return
	}
	if a.header == nil {
		a.header = map[string]string{}
	}
	a.header[name] = value
}

func (a *answering) AppendHeader(name, value string) { a.SetHeader(name, value) }

// huma makes its errors by functions that belong to the process, like gin's
// mode. Ours keep the error for fail, which puts it into words.
func init() {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, causes ...error) huma.StatusError {
		failure := failureOf(status, message, causes)
		if a, ok := ctx.(*answering); ok {
			a.failure = failure
		}
		return kept{status, failure}
	}
}

// kept is an error that is told elsewhere; what huma writes of it is not used.
type kept struct {
	status int
	error
}

func (k kept) GetStatus() int { return k.status }

// failureOf is what huma found as an error of ours. Values are never in it:
// they are somebody's.
func failureOf(status int, message string, causes []error) error {
	if status == http.StatusInternalServerError && len(causes) == 1 {
		return causes[0] // a handler's own
	}
	var fields []errs.Field
	for _, cause := range causes {
		if d, ok := cause.(huma.ErrorDetailer); ok {
			fields = append(fields, fieldOf(d.ErrorDetail()))
		}
	}
	if len(fields) > 0 && fields[0].Field == keyHeader {
		return coded("api.typed", errs.Invalid, "idempotency_key")
	}
	if len(fields) > 0 {
		return errs.New("api.typed", errs.Invalid, "%s", fields[0].Field+": "+fields[0].Detail).Coded("parameter").Of(fields...)
	}
	return coded("api.typed", errs.Invalid, "malformed").Because(errs.New("huma", errs.Invalid, "%s", message))
}

// fieldOf names a parameter, without where in the request it stands.
func fieldOf(d *huma.ErrorDetail) errs.Field {
	_, name, ok := strings.Cut(d.Location, ".")
	if !ok {
		name = d.Location
	}
	return errs.Field{Field: name, Detail: parameterFault(d.Message)}
}

// parameterFault says in our words what huma expects. Beside the limits, which
// are numbers, there is little that a parameter can be.
func parameterFault(message string) string {
	if bound, ok := strings.CutPrefix(message, "expected number <= "); ok {
		return "must be at most " + bound
	}
	if bound, ok := strings.CutPrefix(message, "expected number >= "); ok {
		return "must be at least " + bound
	}
	switch {
	case strings.HasPrefix(message, "invalid integer"), strings.HasPrefix(message, "expected integer"):
		return "must be a whole number"
	case strings.HasPrefix(message, "required "):
		return "this must be filled in"
	case strings.Contains(message, "uuid"):
		return "must be a UUID"
	}
	return "does not fit here"
}
