package sync_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"roadbook/errs"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/sync/pages"
	"roadbook/sync/wire"
)

// unhurried makes every page when it is asked for. It commits nothing: what a
// device is shown has been settled before it is asked.
func unhurried(w *world) *pages.Maker {
	key := []byte("a key of these tests, 32 bytes..")
	return pages.New(pages.Config{
		Store: store.New(w.pool), Key: key, Now: w.now, Schemas: new(pages.Schemas), Teller: history.NewTeller(key),
	})
}

// ready counts the pulls that were answered with a page that was there already.
func ready(spans tracetest.SpanStubs) (n int) {
	for _, pull := range spans {
		if pull.Name == "pull" && !slices.ContainsFunc(spans, func(s tracetest.SpanStub) bool {
			return s.Name == "members_after" && s.Parent.SpanID() == pull.SpanContext.SpanID()
		}) {
			n++
		}
	}
	return n
}

// next asks one page of the engine and of whoever makes each when it is asked
// for. They are the same to the last byte.
func (p *phone) next(plain *pages.Maker) wire.PullAnswer {
	p.w.t.Helper()
	r := p.request()
	got, err := p.w.engine.Pull(context.Background(), p.who, &r)
	require.NoError(p.w.t, err)
	want, err := plain.Pull(context.Background(), p.who, &r)
	require.NoError(p.w.t, err)
	require.Equal(p.w.t, string(want), string(got))
	var page wire.PullAnswer
	require.NoError(p.w.t, json.Unmarshal(got, &page))
	p.take(page)
	return page
}

// While nothing happens, every page but the first is there before it is asked
// for.
func TestAhead_quiet(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.shops("lin", 40)
	e, _, spans := watched(w)
	w.engine = e
	lin, plain := w.phone("lin"), unhurried(w)
	lin.max = 1000

	n := 1
	for page := lin.next(plain); page.Filling; page = lin.next(plain) {
		n++
	}

	require.Greater(t, n, 5)
	require.Equal(t, n-1, ready(spans.GetSpans()))
}

// Whatever is committed between two pages, and whatever a device asks for in
// place of what was expected, it gets what would be read at that moment.
func TestAhead_isWhatWouldBeRead(t *testing.T) {
	t.Parallel()

	for seed := range uint64(4) {
		w := newWorld(t)
		chance := rand.New(rand.NewPCG(seed, 7))
		shops := append(w.shops("lin", 25), w.shops("zhou", 25)...)
		chen, plain := w.phone("chen"), unhurried(w)
		chen.max = 1000
		others := []func(){
			func() { w.office("account", shops[chance.IntN(len(shops))], values("remark", "改过")) },
			func() { w.gives(shops[chance.IntN(len(shops))], []string{"lin", "zhou", "gao"}[chance.IntN(3)]) },
			func() {
				w.office("user", w.person(w.org, "zhou"), values("unit", []any{nil, w.person(w.org, "team")}[chance.IntN(2)]))
			},
			func() { w.shops("lin", 1) },
			func() { chen.kinds = [][]string{{"account"}, {"account", "visit"}, {}}[chance.IntN(3)] },
			func() { chen.max = 600 + chance.IntN(1500) },
			func() { w.phone("lin").pull() },
			func() { w.pass(time.Minute) },
		}
		for steps := range 60 {
			if page := chen.next(plain); page.Complete && !page.Filling && steps > 40 {
				break
			}
			if chance.IntN(3) == 0 {
				others[chance.IntN(len(others))]()
			}
		}
		chen.pull()
		chen.next(plain)
	}
}

// A page that was made for one person is nobody else's, on the same device
// either.
func TestAhead_anotherPerson(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.shops("lin", 40)
	lin := w.phone("lin")
	lin.max = 1000
	require.True(t, lin.pullPage().Filling)
	r := lin.request()
	who := lin.who
	who.Person = w.person(w.org, "zhou")

	_, err := w.engine.Pull(t.Context(), who, &r)

	require.Equal(t, errs.Stale, errs.KindOf(err))
	lin.pull()
	require.Equal(t, 40, lin.count("account"))
}
