package main

import (
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// alarm is a monitor in miniature: it is given scrapes and says which alerts of
// docs/alerts.yml are firing. It knows as much of Prometheus' language as those
// need that watch gauges and counters; what it does not know it says.
type alarm struct {
	t       *testing.T
	rules   []rule
	now     time.Duration
	scrapes []scrape
}

type rule struct {
	Alert, Expr, For string

	since time.Duration // it has been true; negative: it is not
}

type scrape struct {
	at     time.Duration
	values map[string]float64 // by name and labels, as they are written
}

// scrapeEvery is what Prometheus is usually told.
const scrapeEvery = 15 * time.Second

func newAlarm(t *testing.T, names ...string) *alarm {
	t.Helper()
	text, err := os.ReadFile("../../docs/alerts.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct{ Rules []rule }
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	a := &alarm{t: t}
	for _, r := range file.Groups[0].Rules {
		if slices.Contains(names, r.Alert) {
			r.since = -1
			a.rules = append(a.rules, r)
		}
	}
	require.Len(t, a.rules, len(names))
	return a
}

// take takes in a scrape, so long after the one before, and returns which alerts
// are firing then.
func (a *alarm) take(after time.Duration, text string) (firing []string) {
	a.t.Helper()
	a.now += after
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(a.t, err)
	s := scrape{at: a.now, values: map[string]float64{}}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			key := name
			for _, l := range m.GetLabel() {
				key += "," + l.GetName() + `="` + l.GetValue() + `"`
			}
			s.values[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
		}
	}
	a.scrapes = append(a.scrapes, s)
	for i := range a.rules {
		r := &a.rules[i]
		if !a.holds(r.Expr) {
			r.since = -1
			continue
		}
		if r.since < 0 {
			r.since = a.now
		}
		wait, err := time.ParseDuration("0" + r.For + strings.Repeat("s", b2i(r.For == "")))
		require.NoError(a.t, err)
		if a.now-r.since >= wait {
			firing = append(firing, r.Alert)
		}
	}
	return firing
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

var simple = regexp.MustCompile(`^(?:(increase|rate)\()?(\w+)(?:\{([^}]*)\})?(?:\[(\w+)\]\))? (==|>) ([\d.e]+)$`)

// holds evaluates “metric > 5” and “increase(metric{label="x"}[10m]) > 5”.
func (a *alarm) holds(expr string) bool {
	a.t.Helper()
	m := simple.FindStringSubmatch(expr)
	require.NotNil(a.t, m, "this monitor does not understand %s", expr)
	limit, err := strconv.ParseFloat(m[6], 64)
	require.NoError(a.t, err)
	for key, value := range a.scrapes[len(a.scrapes)-1].values {
		name, labels, _ := strings.Cut(key, ",")
		if name != m[2] || m[3] != "" && !strings.Contains(labels, m[3]) {
			continue
		}
		if m[1] != "" {
			value = a.increase(key, m[4], m[1] == "rate")
		}
		if m[5] == ">" && value > limit || m[5] == "==" && math.Abs(value-limit) < 1e-9 {
			return true
		}
	}
	return false
}

// increase is by how much a counter has grown in a while; one that was not there
// before says nothing, as in Prometheus.
func (a *alarm) increase(key, within string, each bool) float64 {
	a.t.Helper()
	window, err := time.ParseDuration(within)
	require.NoError(a.t, err)
	first, last := -1, len(a.scrapes)-1
	for i, s := range a.scrapes {
		if _, there := s.values[key]; there && first < 0 && a.now-s.at <= window {
			first = i
		}
	}
	took := a.scrapes[last].at - a.scrapes[first].at
	if took == 0 {
		return 0
	}
	grown := (a.scrapes[last].values[key] - a.scrapes[first].values[key]) * float64(window) / float64(took)
	if each {
		return grown / window.Seconds()
	}
	return grown
}

// The monitor of these tests counts as Prometheus does.
func TestAlarm(t *testing.T) {
	t.Parallel()

	a := newAlarm(t, "RoadbookNotReady", "RoadbookInternalErrors")
	fails := func(n, ready string) string {
		return "roadbook_failures_total{kind=\"internal\"} " + n + "\nroadbook_ready " + ready + "\n"
	}
	require.Empty(t, a.take(0, fails("0", "1")))
	require.Empty(t, a.take(5*time.Minute, fails("1", "0")))
	require.Equal(t, []string{"RoadbookNotReady"}, a.take(scrapeEvery*2, fails("1", "0")))
	require.Empty(t, a.take(scrapeEvery, fails("1", "1")))
	require.Equal(t, []string{"RoadbookInternalErrors"}, a.take(4*time.Minute, fails("9", "1")))
	require.Empty(t, a.take(time.Hour, fails("9", "1")))
}
