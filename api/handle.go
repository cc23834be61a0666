package api

import (
	"bytes"
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
	contentType string
	body        []byte
}

const jsonType = "application/json"

// handle makes a gin handler of a plain function.
func (s *Server) handle(r Route) gin.HandlerFunc {
	return func(c *gin.Context) {
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
		answer, err := r.serve(ctx, in)
		if in.replica != "" {
			c.Request = c.Request.WithContext(telemetry.With(c.Request.Context(),
				slog.String(telemetry.KeyReplica, string(in.replica))))
		}
		if err != nil {
			s.fail(c, err)
			return
		}
		if answer != nil {
			share.Hold(len(answer.body)) // until it has been taken, which may be slow
		}
		s.respond(c, http.StatusOK, answer)
	}
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
	header.Set("Content-Length", strconv.Itoa(len(r.body)))
	c.AbortWithStatus(status)
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
	return &reply{jsonType, b.Bytes()}, nil
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
