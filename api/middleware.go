package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"roadbook/errs"
	"roadbook/telemetry"
)

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 64
)

// identify names the request, so that what a salesperson reads to the help
// desk finds the line in the log. A client may bring a name of its own.
func (s *Server) identify(c *gin.Context) {
	id := c.GetHeader(requestIDHeader)
	if !plainID(id) {
		id = s.NewID()
	}
	c.Header(requestIDHeader, id)
	ctx := telemetry.With(c.Request.Context(), slog.String(telemetry.KeyRequestID, id))
	c.Request = c.Request.WithContext(ctx)
}

// plainID keeps out of the log what could be taken for something else there.
func plainID(id string) bool {
	for _, r := range id {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '-' && r != '_' && r != '.' {
			return false
		}
	}
	return id != "" && len(id) <= maxRequestID
}

func requestID(c *gin.Context) string { return c.Writer.Header().Get(requestIDHeader) }

// log writes one line per request; a failure has a second one from fail, with
// its reason. Health checks would be most of the log, so they count as Debug.
func (s *Server) log(c *gin.Context) {
	start := s.Now()
	c.Next()
	took := s.Now().Sub(start).Round(time.Microsecond)
	s.Metrics.Requested(template(c), c.Writer.Status(), took)
	s.Log.LogAttrs(c.Request.Context(), levelOf(c), "request",
		slog.String(telemetry.KeyOp, operation(c)),
		slog.Int(telemetry.KeyStatus, c.Writer.Status()),
		slog.Int(telemetry.KeyN, max(c.Writer.Size(), 0)),
		slog.Duration(telemetry.KeyTook, took),
		slog.String(telemetry.KeyAddr, c.ClientIP()),
	)
}

// levelOf keeps what a monitor asks every second out of the ordinary log, also
// while the answer is “not yet”.
func levelOf(c *gin.Context) slog.Level {
	switch c.FullPath() {
	case "/healthz", "/readyz", "/metrics":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// template is operation, for a label: a method may be any word, too.
func template(c *gin.Context) string {
	if c.FullPath() == "" {
		return "unknown"
	}
	return operation(c)
}

// operation is the route as it is listed. An address that is none of ours may
// hold anything, so it stays out of the log.
func operation(c *gin.Context) string {
	if c.FullPath() == "" {
		return c.Request.Method + " unknown"
	}
	return c.Request.Method + " " + c.FullPath()
}

// recovery turns a broken invariant of ours into an internal error. An abort
// is no accident: it is how a handler cuts the connection.
func (s *Server) recovery(c *gin.Context) {
	defer func() {
		thrown := recover()
		if thrown == nil {
			return
		}
		if err, ok := thrown.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(thrown)
		}
		s.fail(c, errs.New("api.recover", errs.Internal, "a handler panicked").
			Because(fmt.Errorf("panic: %v\n%s", thrown, debug.Stack())))
	}()
	c.Next()
}
