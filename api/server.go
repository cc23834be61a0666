// Package api is Roadbook over HTTP. It decodes, finds out who is asking, calls
// the engine and turns what comes back into an answer; it decides nothing about
// records. It is the only package that knows gin.
//
// routes.go lists every route and every step that a request goes through. A
// handler is a plain function that never sees gin and has no way to answer an
// error except by returning it; fail, in problem.go, is the one place where an
// error becomes a status.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	stdsync "sync"
	"time"

	"github.com/gin-gonic/gin"

	"roadbook/access"
	"roadbook/api/contract"
	"roadbook/api/crowd"
	"roadbook/record"
	"roadbook/sync/online"
	"roadbook/sync/wire"
	"roadbook/telemetry"
	"roadbook/version"
)

// Limits of a request; how long its body and its answer may take is in pace.go.
const (
	maxHeaderBytes = 16 << 10         // a token is under 2 KB
	maxSmallBytes  = 16 << 10         // of a sign-in: names, a password, a token
	headerTimeout  = 10 * time.Second // to send the headers
	requestTimeout = 30 * time.Second // to be served, once the body is here
	pullTimeout    = requestTimeout + wire.MaxWaitMS*time.Millisecond
	idleTimeout    = 2 * time.Minute // between two requests of one connection
	readyTimeout   = 5 * time.Second // to find out whether the server can serve
)

// Line is the engine, as far as devices see it.
type Line interface {
	// Push judges an outbox. A refusal is an outcome; an error means that
	// nothing was judged, or only what the error says.
	Push(ctx context.Context, who access.Caller, p *wire.Push) (*wire.PushAnswer, error)
	// Pull builds one page, already encoded.
	Pull(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, error)
	// Check compares what a device has with what it must have, and mends it.
	Check(ctx context.Context, who access.Caller, r *wire.CheckRequest) ([]byte, error)
}

// SignIn knows people and their devices.
type SignIn interface {
	Login(ctx context.Context, r *wire.LoginRequest, remoteIP string) (*wire.LoginAnswer, error)
	Refresh(ctx context.Context, r *wire.RefreshRequest) (*wire.RefreshAnswer, error)
	Logout(ctx context.Context, who access.Caller) error
	// Caller says whose access token this is, or fails as anonymous.
	Caller(ctx context.Context, token string) (access.Caller, error)
}

// Records is for clients that are online.
type Records interface {
	List(ctx context.Context, who access.Caller, q online.Query) (online.Page, error)
	Get(ctx context.Context, who access.Caller, kind string, id record.ID) (online.Record, error)
	// Write takes in one change. A refused one is an outcome and no error.
	Write(ctx context.Context, who access.Caller, m record.Mutation) (record.Outcome, error)
	History(ctx context.Context, who access.Caller, kind string, id record.ID, after record.Seq, limit int) (online.History, error)
	Restore(ctx context.Context, who access.Caller, key record.ID, kind string, id record.ID, field string, dot version.Dot) (record.Outcome, error)
	Timeline(ctx context.Context, who access.Caller, kind string, id record.ID, after string, limit int) (online.Timeline, error)
	Inbox(ctx context.Context, who access.Caller, q online.InboxQuery) (online.Inbox, error)
	// Decide takes in one decision under a key of its own.
	Decide(ctx context.Context, who access.Caller, key record.ID, d online.Decision) (record.Outcome, error)
	Refused(ctx context.Context, who access.Caller, q online.RefusedQuery) (online.RefusedPage, error)
	Today(ctx context.Context, who access.Caller, at time.Time) (online.Today, error)
	Board(ctx context.Context, who access.Caller, at time.Time) (online.Board, error)
	Morning(ctx context.Context, who access.Caller, at time.Time) (online.Morning, error)
	Duplicates(ctx context.Context, who access.Caller, kind string, id record.ID, values record.Values) ([]online.Alike, error)
	Fingerprints(ctx context.Context, who access.Caller, kind string) (online.Sieve, error)
}

// Config is what a Server is made of. Everything is required down to NewID,
// except News and Sockets.
type Config struct {
	Line       Line
	SignIn     SignIn
	Online     func() (Records, error)     // busy until it is there
	Ways       func() (Ways, error)        // the same
	Deliveries func() (Deliveries, error)  // the same
	Approvals  func() (Approvals, error)   // the same
	News       News                        // without it no pull waits
	Sockets    Sockets                     // without them nobody listens
	Ready      func(context.Context) error // nil when requests can be served
	Log        *slog.Logger
	Now        func() time.Time
	NewID      func() string // names a request that has not brought a name

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Limits         *Limits        // how much is borne at once; nil is DefaultLimits
	Metrics        *telemetry.Metrics
	MetricsToken   string // that a monitor must bring; empty: it must be on this machine
}

// Server answers HTTP requests.
type Server struct {
	Config
	unpack   unpacker
	held     *crowd.Store
	contract *contract.Contract
	served   *registrar
	written  func() (yaml, json []byte) // the contract, once all routes are in it
	handler  http.Handler
}

// gin's mode is a global of the process, and its other modes print.
func init() { gin.SetMode(gin.ReleaseMode) }

// New makes a Server.
func New(c Config) *Server {
	s := &Server{Config: c, unpack: newUnpacker(), served: &registrar{}}
	s.admit()
	s.contract = contract.New(s.served)
	s.written = stdsync.OnceValues(s.contract.Write)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false // a redirected POST loses its body with some clients
	if err := engine.SetTrustedProxies(texts(c.TrustedProxies)); err != nil {
		panic(err) // a Prefix is always a network
	}
	s.mount(engine)
	s.handler = packed(engine)
	return s
}

// Handler serves all routes.
func (s *Server) Handler() http.Handler { return s.handler }

// NewHTTPServer gives h a server with limits on everything that a client can
// draw out. Its Shutdown waits for pulls that wait, up to wire.MaxWaitMS.
func NewHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      bodyTimeout + pullTimeout + answerTimeout, // counts from the headers
		IdleTimeout:       idleTimeout,
	}
}

// texts is nil for no prefixes, which to gin means to believe nobody.
func texts(prefixes []netip.Prefix) []string {
	var list []string
	for _, p := range prefixes {
		list = append(list, p.String())
	}
	return list
}
