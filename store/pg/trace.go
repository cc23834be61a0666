package pg

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/telemetry"
)

// Traced makes a span of every statement, named as the statement is. What it
// was given is somebody's and stays out. Without a tracer nothing changes.
func Traced(t *telemetry.Tracer) Option {
	return func(c *pgxpool.Config) {
		if t == nil {
			return
		}
		names := map[string]string{}
		for _, s := range Statements() {
			names[s.Text] = s.Name
		}
		c.ConnConfig.Tracer = &tracer{t, names}
	}
}

type tracer struct {
	*telemetry.Tracer

	names map[string]string // of statements, by their text
}

var (
	_ pgx.QueryTracer = (*tracer)(nil)
	_ pgx.BatchTracer = (*tracer)(nil)
)

// TraceQueryStart implements pgx.QueryTracer. What is not ours is the driver's
// own, such as the end of a transaction.
func (t *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	name := t.names[q.SQL]
	if verb, _, _ := strings.Cut(q.SQL, " "); name == "" && slices.Contains([]string{"begin", "commit", "rollback"}, verb) {
		name = verb
	}
	return t.begin(ctx, name)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t *tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	telemetry.SpanOf(ctx).End(q.Err)
}

// TraceBatchStart implements pgx.BatchTracer.
func (t *tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	ctx = t.begin(ctx, "batch")
	telemetry.SpanOf(ctx).Count("statements", b.Batch.Len())
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer: a batch is one step.
func (*tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (t *tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchEndData) {
	telemetry.SpanOf(ctx).End(b.Err)
}

// begin makes a span below a step of the line. Housekeeping, such as the look
// at an idle connection, is nobody's step.
func (t *tracer) begin(ctx context.Context, name string) context.Context {
	if telemetry.SpanOf(ctx) == (telemetry.Span{}) {
		return ctx
	}
	if name == "" {
		name = "sql"
	}
	ctx, _ = t.Start(ctx, name)
	return ctx
}
