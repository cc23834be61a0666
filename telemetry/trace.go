package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes spans, which are named for the steps of the line. Nobody
// collects those of a nil *Tracer, and they cost nothing.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// NewTracer hands finished spans to whatever the options name: an exporter, or
// a test's recorder.
func NewTracer(opts ...sdktrace.TracerProviderOption) *Tracer {
	provider := sdktrace.NewTracerProvider(opts...)
	return &Tracer{provider, provider.Tracer("roadbook")}
}

// Close sends what has not been sent.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Span is a step under way. The zero value is of a step that nobody follows.
type Span struct{ span trace.Span }

// Start begins a step, below the one that ctx is in. The first of a trace says
// of whom it is, as the log does, so that one leads to the other.
func (t *Tracer) Start(ctx context.Context, name string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	var opts []trace.SpanStartOption
	if !trace.SpanContextFromContext(ctx).IsValid() {
		opts = append(opts, trace.WithAttributes(attributes(Attrs(ctx))...))
	}
	ctx, span := t.tracer.Start(ctx, name, opts...)
	return ctx, Span{span}
}

// SpanOf is the step that ctx is in.
func SpanOf(ctx context.Context) Span {
	span := trace.SpanFromContext(ctx)
	if !span.SpanContext().IsValid() {
		return Span{}
	}
	return Span{span}
}

// In returns ctx as one that is in this step.
func (s Span) In(ctx context.Context) context.Context {
	if s.span == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.span)
}

// Link says that two steps of different traces belong together; each leads to
// the other.
func (s Span) Link(other Span) {
	if s.span == nil || other.span == nil {
		return
	}
	s.span.AddLink(trace.Link{SpanContext: other.span.SpanContext()})
	other.span.AddLink(trace.Link{SpanContext: s.span.SpanContext()})
}

// Count says how many of something the step was about.
func (s Span) Count(key string, n int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, n))
	}
}

// End ends the step. Of what went wrong, the log tells the words.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

func attributes(attrs []slog.Attr) []attribute.KeyValue {
	kvs := make([]attribute.KeyValue, len(attrs))
	for i, a := range attrs {
		kvs[i] = attribute.String(a.Key, a.Value.Resolve().String())
	}
	return kvs
}
