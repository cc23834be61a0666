package main

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// alarm is a monitor in miniature: it is given scrapes and says which alerts of
// docs/alerts.yml are firing.
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
	at      time.Duration
	samples []sample
}

// scrapeEvery is what Prometheus is usually told.
const scrapeEvery = 15 * time.Second

// newAlarm watches by some of the rules, or by all of them.
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
		if len(names) == 0 || slices.Contains(names, r.Alert) {
			r.since = -1
			a.rules = append(a.rules, r)
		}
	}
	require.NotEmpty(t, a.rules)
	require.True(t, len(names) == 0 || len(names) == len(a.rules))
	return a
}

// take takes in a scrape, so long after the one before, and returns which alerts
// are firing then.
func (a *alarm) take(after time.Duration, text string) (firing []string) {
	a.t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	require.NoError(a.t, err)
	found, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, slices.Collect(maps.Values(families))...)
	require.NoError(a.t, err)
	samples := []sample{a.up(1)}
	for _, f := range found {
		s := sample{labels: map[string]string{"job": "roadbook", "instance": "a"}, value: float64(f.Value)}
		for name, value := range f.Metric {
			s.labels[string(name)] = string(value)
		}
		samples = append(samples, s)
	}
	return a.judge(after, samples)
}

// miss is a scrape that nobody has answered.
func (a *alarm) miss(after time.Duration) (firing []string) {
	a.t.Helper()
	return a.judge(after, []sample{a.up(0)})
}

// up is what Prometheus notes itself.
func (a *alarm) up(value float64) sample {
	return sample{labels: map[string]string{"__name__": "up", "job": "roadbook", "instance": "a"}, value: value}
}

func (a *alarm) judge(after time.Duration, samples []sample) (firing []string) {
	a.t.Helper()
	a.now += after
	a.scrapes = append(a.scrapes, scrape{a.now, samples})
	for i := range a.rules {
		r := &a.rules[i]
		if len(evaluate(r.Expr, a.scrapes)) == 0 {
			r.since = -1
			continue
		}
		if r.since < 0 {
			r.since = a.now
		}
		var wait time.Duration
		if r.For != "" {
			var err error
			wait, err = time.ParseDuration(r.For)
			require.NoError(a.t, err)
		}
		if a.now-r.since >= wait {
			firing = append(firing, r.Alert)
		}
	}
	return firing
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
