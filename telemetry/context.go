package telemetry

import (
	"context"
	"log/slog"
	"slices"
)

type contextKey struct{}

// With returns a context whose log lines carry attrs too. A later attribute
// replaces an earlier one of the same key, so that a line never says two
// things at once.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	carried := slices.DeleteFunc(slices.Clone(Attrs(ctx)), func(old slog.Attr) bool {
		return slices.ContainsFunc(attrs, func(a slog.Attr) bool { return a.Key == old.Key })
	})
	return context.WithValue(ctx, contextKey{}, append(carried, attrs...))
}

// Attrs are the attributes that ctx carries.
func Attrs(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(contextKey{}).([]slog.Attr)
	return attrs
}

// Handler adds what the context carries to every line.
type Handler struct{ next slog.Handler }

// NewHandler wraps next. Attributes of a context stand beside those of the
// line, also inside a group.
func NewHandler(next slog.Handler) *Handler { return &Handler{next: next} }

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if attrs := Attrs(ctx); len(attrs) > 0 {
		r = r.Clone()
		r.AddAttrs(attrs...)
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{next: h.next.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{next: h.next.WithGroup(name)}
}
