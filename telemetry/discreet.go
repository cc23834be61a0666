package telemetry

import (
	"fmt"
	"log/slog"
	"reflect"
)

// discreet is the last line of defence for what customers wrote: of a value
// that is neither a plain one nor an error, and that has no LogValue, a line of the log has the type and the size, and nothing of what is
// in it.
func discreet(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}
	switch v := a.Value.Any().(type) {
	case nil, error, slog.Level, *slog.Source:
		return a
	default:
		a.Value = slog.StringValue(sizeOf(v))
		return a
	}
}

// Size is how much of something there is, for a line of the log that must not
// have the thing itself.
func Size[T ~string | ~[]byte](v T) slog.Value { return slog.StringValue(sizeOf(v)) }

func sizeOf(v any) string {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Array, reflect.Chan:
		return fmt.Sprintf("[%T of %d]", v, r.Len())
	}
	return fmt.Sprintf("[%T]", v)
}
