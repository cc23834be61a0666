// Package telemetry is how the process speaks to its operator: structured
// logs whose lines carry who asked and for what. It is set up once, in cmd,
// and handed down as a *slog.Logger; nobody reads a global one.
//
// Customer data does not belong in a log. What is logged is who, which and how
// long: ids, kinds, counts and durations, under the keys below.
package telemetry

import (
	"io"
	"log/slog"
	"os"
	"time"
)

// The keys of a log line. There are no others, so that a line can be searched
// for without knowing who wrote it.
const (
	KeyOp      = "op"      // what was asked: "POST /v1/sync/push"
	KeyKind    = "kind"    // the kind of a failure, or of a record
	KeyOrg     = "org"     // the org's number
	KeyActor   = "actor"   // the person or integration
	KeyReplica = "replica" // the writer
	KeySeq     = "seq"     // a place in the log
	KeyDot     = "dot"     // the name of one write
	KeyTook    = "took"    // how long; milliseconds in JSON
	KeyN       = "n"       // how many
	KeyErr     = "err"     // what went wrong, for the operator

	KeyRequestID = "request_id" // the same as in the answer's X-Request-Id
	KeyStatus    = "status"     // of an HTTP answer
	KeyCode      = "code"       // of a failure
	KeyAddr      = "addr"       // where something listens or comes from
)

// Keys are all of them.
func Keys() []string {
	return []string{
		KeyOp, KeyKind, KeyOrg, KeyActor, KeyReplica, KeySeq, KeyDot, KeyTook, KeyN, KeyErr,
		KeyRequestID, KeyStatus, KeyCode, KeyAddr,
	}
}

// Options say how logs are written.
type Options struct {
	Format string     // "json", "text", or anything else: text in a terminal, JSON elsewhere
	Level  slog.Level // the least that is written
}

// New makes the process's logger.
func New(w io.Writer, o Options) *slog.Logger {
	options := &slog.HandlerOptions{Level: o.Level, ReplaceAttr: inUTC}
	if o.Format == "text" || (o.Format != "json" && isTerminal(w)) {
		return slog.New(NewHandler(slog.NewTextHandler(w, options)))
	}
	options.ReplaceAttr = forMachines
	return slog.New(NewHandler(slog.NewJSONHandler(w, options)))
}

// inUTC makes the lines of servers in several places comparable.
func inUTC(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return discreet(groups, a)
}

// forMachines also writes durations as milliseconds, which a person can read
// and a query can add up.
func forMachines(groups []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.Float64Value(float64(a.Value.Duration().Round(time.Microsecond)) / float64(time.Millisecond))
	}
	return inUTC(groups, a)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
