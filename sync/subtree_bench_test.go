package sync_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkRescope is a customer with 6,000 visits that changes hands: how long
// each chunk keeps the pushes of the org waiting, and all of them together.
func BenchmarkRescope(b *testing.B) {
	const visits = 6000
	w := benchWorld(b)
	w.engine.Still(1000)
	lin := w.phone("lin")
	shop := lin.create("account", values("name", "店"))
	for i := range visits {
		lin.create("visit", values("account", shop, "summary", fmt.Sprint(i, remark), "competitor_seen", []string{"统一", "康师傅"}))
		if len(lin.outbox) == 500 || i == visits-1 {
			lin.push()
		}
	}
	_, err := w.pool.Exec(b.Context(), "VACUUM ANALYZE")
	require.NoError(b, err)
	var took []time.Duration
	var all time.Duration
	to := 0
	for b.Loop() {
		b.StopTimer()
		w.gives(shop, []string{"gao", "lin"}[to%2])
		to++
		b.StartTimer()
		for more := true; more; {
			begun := time.Now()
			more, err = w.engine.RescopeChunk(b.Context(), w.org)
			require.NoError(b, err)
			took = append(took, time.Since(begun))
			all += took[len(took)-1]
		}
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1e3, "median-ms/chunk")
	b.ReportMetric(took[len(took)-1].Seconds()*1e3, "most-ms/chunk")
	b.ReportMetric(all.Seconds()*1e3/float64(to), "ms/move")
}
