package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"roadbook/access"
	"roadbook/api/contract"
	"roadbook/api/words"
	"roadbook/errs"
	"roadbook/telemetry"
	"roadbook/version"
)

// call is what a handler may know of a request.
type call struct {
	who  access.Caller // nobody on public routes
	ip   string
	lang words.Language
	body []byte // decompressed, within the route's limit

	replica version.Replica // that the frame speaks for, for the log
}

// reply is what a handler answers; none at all is 204.
type reply struct {
	status      int // 200 if it is not said
	contentType string
	body        []byte
	header      map[string]string // beside what every answer has, or instead
}

const jsonType = "application/json"

// plain serves a route by a function that reads the body itself.
func plain(serve func(context.Context, *call) (*reply, error)) endpoint {
	return func(s *Server, r Route) gin.HandlerFunc {
		s.contract.Add(r.listed())
		return func(c *gin.Context) { s.exchange(c, r, serve) }
	}
}

// exchange reads a request, has it served and answers.
func (s *Server) exchange(c *gin.Context, r Route, serve func(context.Context, *call) (*reply, error)) {
	share := s.held.Share()
	defer share.Free()
	body, err := s.readBody(c, r.maxBody, share)
	if err != nil {
		s.fail(c, err)
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), r.within)
	defer cancel()
	in := &call{who: caller(c), ip: c.ClientIP(), lang: languageOf(c), body: body}
	answer, err := serve(ctx, in)
	if in.replica != "" {
		c.Request = c.Request.WithContext(telemetry.With(c.Request.Context(),
			slog.String(telemetry.KeyReplica, string(in.replica))))
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	if answer == nil {
		s.respond(c, http.StatusNoContent, nil)
		return
	}
	share.Hold(len(answer.body)) // until it has been taken, which may be slow
	s.respond(c, cmp.Or(answer.status, http.StatusOK), answer)
}

// listed is the route as the contract lists it.
func (r Route) listed() contract.Route {
	return contract.Route{Method: r.Method, Path: r.Path, Right: r.Right, MaxBody: r.maxBody, Within: r.within}
}

// respond writes an answer in one piece, so that it is either whole or
// visibly cut. What it holds is somebody's: no cache may keep it.
func (s *Server) respond(c *gin.Context, status int, r *reply) {
	header := c.Writer.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if r == nil {
		c.AbortWithStatus(http.StatusNoContent)
		return
	}
	header.Set("Content-Type", r.contentType)
	for name, value := range r.header {
		header.Set(name, value)
	}
	header.Set("Content-Length", strconv.Itoa(len(r.body)))
	c.AbortWithStatus(status)
	if err := setWriteDeadline(c, len(r.body)); err != nil {
		s.Log.DebugContext(c.Request.Context(), "the answer has no deadline", telemetry.KeyErr, err)
	}
	if _, err := c.Writer.Write(r.body); err != nil {
		s.Log.DebugContext(c.Request.Context(), "the answer was not taken", telemetry.KeyErr, err)
	}
}

// encode makes a reply of a value. Text is written as it is: <, > and & need
// no escape in JSON.
func encode(v any) (*reply, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, errs.New("api.encode", errs.Internal, "the answer could not be written").Because(err)
	}
	return &reply{contentType: jsonType, body: b.Bytes()}, nil
}

// decode reads a small JSON body: strict about the types of what it knows,
// and indifferent to what it does not.
func decode[T any](body []byte) (*T, error) {
	const op = "api.decode"
	if !utf8.Valid(body) {
		return nil, coded(op, errs.Invalid, "utf8")
	}
	if hasNUL(body) {
		return nil, coded(op, errs.Invalid, "nul")
	}
	in := new(T)
	err := json.Unmarshal(body, in)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		what := errs.Field{Field: wrong.Field, Detail: "must be " + jsonName(wrong.Type.Kind())}
		return nil, coded(op, errs.Invalid, "type").Of(what).Because(err)
	}
	if err != nil {
		return nil, coded(op, errs.Invalid, "malformed").Because(err)
	}
	return in, nil
}

// jsonName is what somebody who has never seen our source calls a kind.
func jsonName(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	}
	return "a number"
}

// hasNUL finds the escape of the one character that databases do not store,
// and tells it from an escaped backslash before the letters u0000.
func hasNUL(body []byte) bool {
	for i := 0; i+1 < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		if bytes.HasPrefix(body[i:], []byte(`\u0000`)) {
			return true
		}
		i++
	}
	return false
}
