// Package errs is the vocabulary of failure. A problem is given a kind once,
// where it is understood, and turned into a status once, where it leaves the
// process. Everything in between adds context with fmt.Errorf and %w.
package errs

import (
	"errors"
	"fmt"
)

// Kind says what the caller can do about an error. Kinds travel on the wire,
// so a released kind is never renamed.
type Kind string

// The nine kinds of failure.
const (
	Internal  Kind = "internal"  // our fault; nothing the caller can fix
	Invalid   Kind = "invalid"   // can never succeed as it stands
	Anonymous Kind = "anonymous" // we do not know who is asking
	Denied    Kind = "denied"    // we do, and they may not
	Missing   Kind = "missing"   // absent, or not for this caller to see
	Clash     Kind = "clash"     // was true when written, no longer is
	Stale     Kind = "stale"     // the cursor is too old: start over
	Limited   Kind = "limited"   // too much, too fast
	Busy      Kind = "busy"      // send the same bytes again later
)

// Kinds are all of them, in the order of the documentation.
func Kinds() []Kind {
	return []Kind{Internal, Invalid, Anonymous, Denied, Missing, Clash, Stale, Limited, Busy}
}

// Field is what is wrong with one field of what was sent.
type Field struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error is a failure with a kind. Msg may be shown to a salesperson; Cause is
// for the operator's log and never leaves the process.
type Error struct {
	Op     string // where: "sync.Commit"
	Kind   Kind
	Code   string  // for programs: "required", "hole"; stable once released
	Msg    string  // a sentence: what, and what to do
	Fields []Field // what is wrong, field by field
	Cause  error
}

func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Op + ": " + e.Msg
	}
	return e.Op + ": " + e.Msg + ": " + e.Cause.Error()
}

func (e *Error) Unwrap() error { return e.Cause }

// New reports a problem discovered here.
func New(op string, kind Kind, format string, args ...any) *Error {
	return &Error{Op: op, Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// Coded returns a copy of e that programs can recognise by code.
func (e *Error) Coded(code string) *Error {
	c := *e
	c.Code = code
	return &c
}

// Of returns a copy of e that names what is wrong field by field.
func (e *Error) Of(fields ...Field) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), fields...)
	return &c
}

// Because returns a copy of e that remembers what caused it.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// KindOf reports the kind of the outermost Error in err's chain. An error that
// nobody has classified is Internal: nobody has vouched for its message.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// CodeOf reports the code of the outermost Error in err's chain, or "".
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
