package sync_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// counting counts what is asked of a database.
type counting struct{ asked atomic.Int64 }

func (c *counting) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.asked.Add(1)
	return ctx
}

func (c *counting) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Many customers share the number of a switchboard. Whoever enters one more costs
// as many questions as if few did, for the org waits while they are asked.
func TestDuplicate_switchboard(t *testing.T) {
	t.Parallel()

	asked := map[int]int64{}
	for _, shops := range []int{4, 30} {
		w := newWorld(t)
		lin := w.phone("lin")
		lin.pull()
		for range shops {
			lin.create("account", values("name", "x"+w.id().String(), "phones", []string{"13800138000"}))
		}
		lin.sync()
		c := &counting{}
		w.engine = w.server(w.poolLike(func(config *pgxpool.Config) { config.ConnConfig.Tracer = c }))
		before := lin.count("duplicate")

		id := lin.create("account", values("name", "y", "phones", []string{"13800138000"}))
		out := lin.push()[0]

		require.Equal(t, record.Applied, out.Result)
		asked[shops] = c.asked.Load()
		lin.pull()
		require.True(t, lin.has(id))
		require.Equal(t, before+3, lin.count("duplicate"), "three of them are suggested")
	}
	require.Positive(t, asked[4])
	require.Equal(t, asked[4], asked[30])
}

// Of those who share a number so many are looked at, and of one more as many.
func TestDuplicate_looksAtFew(t *testing.T) {
	t.Parallel()

	const most = 32
	w := newWorld(t)
	lin := w.phone("lin")
	lin.pull()
	enter := func() {
		lin.create("account", values("name", "x"+w.id().String(), "phones", []string{"13800138000"}))
		lin.push()
	}
	for range most - 1 {
		enter()
	}

	read := map[int]int{}
	for there := most - 1; there <= most+2; there++ {
		engine, r := w.counting(1)
		w.engine = engine
		enter()
		read[there] = int(r.rows.Load())
	}

	require.Equal(t, read[most-1]+2, read[most], "its key, and itself")
	require.Equal(t, read[most], read[most+1])
	require.Equal(t, read[most], read[most+2])
}
