package telemetry

import (
	"bytes"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// Text is what a scrape gets, and the type of it.
func (m *Metrics) Text() (body []byte, contentType string, err error) {
	if m == nil {
		return nil, string(expfmt.NewFormat(expfmt.TypeTextPlain)), nil
	}
	families, err := m.registry.Gather()
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	encoder := expfmt.NewEncoder(&b, format)
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			return nil, "", err
		}
	}
	return b.Bytes(), string(format), nil
}

// Pool is how a pool of connections stands.
type Pool struct {
	Max, Used, Idle int32
	Waits           int64   // for a connection, since the start
	WaitSeconds     float64 // all of them together
}

// WatchPool has every scrape ask the database's pool how it stands.
func (m *Metrics) WatchPool(stat func() Pool) {
	if m != nil {
		m.registry.MustRegister(poolCollector{stat})
	}
}

var (
	poolConns = prometheus.NewDesc("roadbook_db_connections", "Connections to the database, and how many there may be.", []string{"state"}, nil)
	poolWaits = prometheus.NewDesc("roadbook_db_waits_total", "How often somebody had to wait for a connection.", nil, nil)
	poolTime  = prometheus.NewDesc("roadbook_db_wait_seconds_total", "How long all of them together have waited for a connection.", nil, nil)
)

type poolCollector struct{ stat func() Pool }

// Describe implements prometheus.Collector.
func (poolCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- poolConns
	ch <- poolWaits
	ch <- poolTime
}

// Collect implements prometheus.Collector.
func (c poolCollector) Collect(ch chan<- prometheus.Metric) {
	p := c.stat()
	for state, n := range map[string]int32{"max": p.Max, "used": p.Used, "idle": p.Idle} {
		ch <- prometheus.MustNewConstMetric(poolConns, prometheus.GaugeValue, float64(n), state)
	}
	ch <- prometheus.MustNewConstMetric(poolWaits, prometheus.CounterValue, float64(p.Waits))
	ch <- prometheus.MustNewConstMetric(poolTime, prometheus.CounterValue, p.WaitSeconds)
}

// Queue is how the queues of what is to be committed stand.
type Queue struct {
	Waiting int
	Stuck   time.Duration // somebody has been waiting and nothing has been committed
}

// WatchQueue has every scrape ask how the queues stand.
func (m *Metrics) WatchQueue(stat func() Queue) {
	if m == nil {
		return
	}
	m.registry.MustRegister(
		gauge("queue_waiting", "Pushes and other commits that wait.", func() float64 { return float64(stat().Waiting) }),
		gauge("queue_stuck_seconds", "How long somebody has been waiting while nothing of his org was committed.",
			func() float64 { return stat().Stuck.Seconds() }),
	)
}

// WatchReady has every scrape ask what /readyz asks.
func (m *Metrics) WatchReady(ready func() bool) {
	if m == nil {
		return
	}
	m.registry.MustRegister(gauge("ready", "1 while requests can be served, as /readyz says, else 0.", func() float64 {
		if ready() {
			return 1
		}
		return 0
	}))
}

func gauge(name, help string, read func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, read)
}

// Jobs is how work stands that is done behind the requests.
type Jobs struct {
	Due     int           // now, and not taken yet
	Late    time.Duration // how long the first of them has been due
	GivenUp int           // jobs and reactions that wait for a person
}

// WatchJobs has every scrape ask how that work stands.
func (m *Metrics) WatchJobs(stat func() Jobs) {
	if m == nil {
		return
	}
	m.registry.MustRegister(
		gauge("jobs_due", "Jobs that are due and that nobody has taken.", func() float64 { return float64(stat().Due) }),
		gauge("jobs_late_seconds", "How long the first of them has been due.", func() float64 { return stat().Late.Seconds() }),
		gauge("given_up", "Jobs and reactions that were tried for the last time and wait for a person.",
			func() float64 { return float64(stat().GivenUp) }),
	)
}
