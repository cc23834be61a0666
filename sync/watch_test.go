package sync_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"roadbook/store/pg"
	"roadbook/sync"
	"roadbook/telemetry"
)

// watched is an engine of the world's whose spans can be read.
func watched(w *world) (*sync.Engine, *telemetry.Tracer, *tracetest.InMemoryExporter) {
	w.t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tracer := telemetry.NewTracer(sdktrace.WithSyncer(spans))
	e := w.server(w.poolLike(pg.Traced(tracer)))
	e.Watch(tracer, nil, nil)
	return e, tracer, spans
}

// treeOf is the trace that a span begins, a step on each line, in the order in
// which they began. Which statements stand below a step is the store's affair.
func treeOf(spans tracetest.SpanStubs, of tracetest.SpanStub, indent string) string {
	var below []tracetest.SpanStub
	for _, s := range spans {
		if s.Parent.SpanID() == of.SpanContext.SpanID() && slices.Contains(ofTheLine, s.Name) {
			below = append(below, s)
		}
	}
	slices.SortStableFunc(below, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	out := indent + of.Name + "\n"
	for _, s := range below {
		out += treeOf(spans, s, indent+"  ")
	}
	return out
}

var ofTheLine = []string{"push", "gather", "check", "merge", "append", "wake", "pull"}

func named(t *testing.T, spans tracetest.SpanStubs, name string) (found []tracetest.SpanStub) {
	t.Helper()
	for _, s := range spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	require.NotEmpty(t, found, name)
	return found
}

// The trace of one push is the left side of the diagram in ARCHITECTURE.md.
func TestTrace_push(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	e, _, spans := watched(w)
	lin.edit(shop, values("short_name", "新街口"))
	ctx := telemetry.With(t.Context(), slog.String(telemetry.KeyRequestID, "r1"))

	_, err := e.Push(ctx, lin.who, lin.frame())

	require.NoError(t, err)
	e.Close()
	all := spans.GetSpans()
	push := named(t, all, "push")[0]
	require.Equal(t, `push
  gather
    check
    merge
    append
    wake
`, treeOf(all, push, ""))
	require.Equal(t, "r1", push.Attributes[0].Value.AsString(), "from here to the log")
	for _, s := range all {
		require.Equal(t, push.SpanContext.TraceID(), s.SpanContext.TraceID(), "%s stands alone", s.Name)
		for _, a := range s.Attributes {
			require.NotContains(t, a.Value.String(), "新街口")
		}
	}
	named(t, all, "records_by_id") // statements are named as in the code
}

// A gather belongs to the trace of its first push, and leads to the others.
func TestTrace_gather(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	e, tracer, spans := watched(w)
	lin.edit(shop, values("short_name", "一"))
	chen.edit(shop, values("address", "二"))
	one, first := tracer.Start(t.Context(), "push")
	other, second := tracer.Start(t.Context(), "push")

	e.PushTogether(t.Context(), w.org, []sync.Together{
		{Ctx: one, Who: lin.who, Frame: lin.frame()}, {Ctx: other, Who: chen.who, Frame: chen.frame()},
	})

	first.End(nil)
	second.End(nil)
	all := spans.GetSpans()
	gather, pushes := named(t, all, "gather"), named(t, all, "push")
	require.Len(t, gather, 1)
	require.Len(t, pushes, 2)
	require.Equal(t, pushes[0].SpanContext.SpanID(), gather[0].Parent.SpanID())
	require.Equal(t, pushes[1].SpanContext.SpanID(), gather[0].Links[0].SpanContext.SpanID())
	require.Equal(t, gather[0].SpanContext.SpanID(), pushes[1].Links[0].SpanContext.SpanID())
}

func TestTrace_pull(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, _ := twoOn(w)
	e, _, spans := watched(w)
	r := lin.request()

	_, err := e.Pull(t.Context(), lin.who, &r)

	require.NoError(t, err)
	named(t, spans.GetSpans(), "pull")
	named(t, spans.GetSpans(), "index_since")
}

// What the engine counts, and the one line that it logs for a batch.
func TestMetrics_ofTheEngine(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	var log bytes.Buffer
	e := w.server(w.pool)
	e.Watch(nil, telemetry.NewMetrics(telemetry.MetricsOptions{Kinds: []string{"account"}}),
		telemetry.New(&log, telemetry.Options{Format: "json", Level: slog.LevelDebug}))
	lin.edit(shop, values("short_name", "一"))
	chen.edit(shop, values("short_name", "二"))
	chen.edit(shop, values("nonsense", true))
	frame, again := lin.bytes(1), lin.bytes(1)

	for _, push := range []struct {
		by   *phone
		body []byte
	}{{lin, frame}, {chen, chen.bytes(2)}, {lin, again}} {
		_, err := e.Push(context.Background(), push.by.who, w.read(push.body))
		require.NoError(t, err)
	}
	r := lin.request()
	_, err := e.Pull(t.Context(), lin.who, &r)
	require.NoError(t, err)
	e.Close()

	text, _, err := e.Metrics.Text()
	require.NoError(t, err)
	for _, want := range []string{
		`roadbook_commit_seconds_count 3`, `roadbook_gather_mutations_sum 4`,
		`roadbook_mutations_total{outcome="applied"} 1`, `roadbook_mutations_total{outcome="merged"} 1`,
		`roadbook_mutations_total{outcome="refused"} 1`, `roadbook_mutations_total{outcome="repeated"} 1`,
		`roadbook_clashes_total{kind="account"} 1`, `roadbook_pull_lag_seq_count 1`,
	} {
		require.Contains(t, string(text), want)
	}
	require.Equal(t, 2, strings.Count(log.String(), `"msg":"commit"`), "the third has nothing to write:\n%s", &log)
	require.Contains(t, log.String(), `"n":2`)
	require.NotContains(t, log.String(), "一")
}
