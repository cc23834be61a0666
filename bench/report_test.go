package bench

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFigure(t *testing.T) {
	t.Parallel()

	for v, want := range map[float64]string{
		0: "0", 0.0123: "0.012", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234: "1,234", 1234567: "1,234,567",
	} {
		require.Equal(t, want, figure(v))
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()

	of := []float64{5, 1, 4, 2, 3}
	require.InDelta(t, 3, median(of), 0)
	require.InDelta(t, 5, quantile(of, 0.99), 0)
	require.InDelta(t, 1, quantile(of, 0), 0)
	require.Zero(t, quantile(nil, 0.5))
	require.Equal(t, []float64{5, 1, 4, 2, 3}, of, "what was measured keeps its order")
}

func TestReport_Write(t *testing.T) {
	t.Parallel()

	slow := row("a push", "ms", 20, 10, 30).beside("a bare one", []float64{10, 5, 10})
	require.InDelta(t, 2, slow.Ratio, 0)
	r := Report{Rows: []Row{slow.target("≤ 12", slow.Value <= 12).note("cold"), row("a pull", "ms", 1).target("≤ 2", true)}}
	var out strings.Builder
	require.NoError(t, r.Write(&out))
	for _, want := range []string{"20.0 ms", "10.0 … 30.0", "2.00 × a bare one", "✗ ≤ 12", "cold", "✓ ≤ 2"} {
		require.Contains(t, out.String(), want)
	}
}
