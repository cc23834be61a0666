package telemetry

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// MetricsOptions are what the metrics must know beforehand.
type MetricsOptions struct {
	Kinds    []string // of records that clashes are counted by; all others are "other"
	Failures []string // kinds of failures that are there from the start: of a counter that begins with its first failure nobody sees it grow
	Revision string   // of the program
}

// Metrics are the instruments that the operator reads, each named for the
// question that it answers. They are handed down as a value; nobody reads a
// nil *Metrics, and every method of one does nothing.
//
// No label names an org, a person or a record: a scrape shows how the
// installation does, and does not grow with its customers.
type Metrics struct {
	registry *prometheus.Registry
	kinds    []string

	commit      prometheus.Histogram
	gather      prometheus.Histogram
	outcomes    [outcomes]prometheus.Counter
	clashes     *prometheus.CounterVec
	pullLag     prometheus.Histogram
	aside       *prometheus.CounterVec
	pullBytes   [2]prometheus.Observer // later, first
	requests    *prometheus.HistogramVec
	failures    *prometheus.CounterVec
	faults      prometheus.Counter
	sockets     prometheus.Gauge
	socketsMost prometheus.Gauge
	socketDrops *prometheus.CounterVec
	socketsLost *prometheus.CounterVec
	wakes       *prometheus.CounterVec
	feedLag     *prometheus.HistogramVec
	deliveries  *prometheus.CounterVec
}

const namespace = "roadbook"

// Buckets, each from what is good to what is clearly broken.
var (
	commitBuckets  = prometheus.ExponentialBuckets(0.001, 2, 14)                               // 1 ms to 8 s
	requestBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 30} // a request ends at 30 s
	gatherBuckets  = prometheus.ExponentialBuckets(1, 2, 9)                                    // 1 to 256, the most
	lagBuckets     = prometheus.ExponentialBuckets(1, 10, 7)                                   // 1 to a million changes
	bytesBuckets   = prometheus.ExponentialBuckets(256, 4, 8)                                  // 256 B to 4 MB; a page has at most 900 KB
)

// NewMetrics makes them, with those of the Go runtime and of the process.
func NewMetrics(o MetricsOptions) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), kinds: o.Kinds}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.commit = m.histogram("commit_seconds", "How long one transaction of an org took, from its lock to its commit.", commitBuckets)
	m.gather = m.histogram("gather_mutations", "How many mutations shared one transaction.", gatherBuckets)
	judged := m.counters("mutations_total", "Mutations judged, by outcome.", "outcome")
	for o, name := range outcomeNames {
		m.outcomes[o] = judged.WithLabelValues(name)
	}
	m.clashes = m.counters("clashes_total", "Clashes told, by the kind of the record.", "kind")
	m.pullLag = m.histogram("pull_lag_seq", "How many changes of the org lay between a device and the head when it pulled.", lagBuckets)
	m.aside = m.counters("standby_pages_total", "Pages that could be made from the standby, by what they were made from or why not.", "by")
	pulled := m.histograms("pull_bytes", "Sizes of pages, uncompressed: of a first sync, or later.", bytesBuckets, "sync")
	m.pullBytes = [2]prometheus.Observer{pulled.WithLabelValues("later"), pulled.WithLabelValues("first")}
	m.requests = m.histograms("request_seconds", "How long requests took, by route and class of status.", requestBuckets, "route", "status")
	m.failures = m.counters("failures_total", "Failed requests, by the kind of failure.", "kind")
	for _, kind := range o.Failures {
		m.failures.WithLabelValues(kind)
	}
	m.faults = prometheus.NewCounter(prometheus.CounterOpts{
		Namespace: namespace, Name: "faults_total", Help: "What went wrong behind nobody's request; the log says what.",
	})
	m.sockets = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "sockets_open", Help: "Open websockets.",
	})
	m.socketsMost = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "sockets_most", Help: "Websockets that this server has room for.",
	})
	m.registry.MustRegister(m.faults, m.sockets, m.socketsMost)
	m.socketDrops = m.counters("socket_dropped_total", "Websockets that the server closed, by reason.", "reason")
	m.socketsLost = m.counters("socket_refused_total", "Websockets that were not opened, by reason.", "reason")
	m.wakes = m.counters("wakes_total", "Wakes sent, by the way they took.", "by")
	m.feedLag = m.histograms("feed_lag_seconds", "How long after its commit a reaction met a change.", commitBuckets, "reaction")
	m.deliveries = m.counters("deliveries_total", "Answers of channels to devices, by channel and what became of a delivery.", "channel", "state")
	m.built(o.Revision)
	return m
}

// built is the usual metric whose label is the answer.
func (m *Metrics) built(revision string) {
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1; the label says which program this is.",
	}, []string{"revision"})
	m.registry.MustRegister(build)
	build.WithLabelValues(revision).Set(1)
}

func (m *Metrics) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
	m.registry.MustRegister(h)
	return h
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

// Committed counts a transaction and how many mutations shared it.
func (m *Metrics) Committed(took time.Duration, mutations int) {
	if m == nil {
		return
	}
	m.commit.Observe(took.Seconds())
	m.gather.Observe(float64(mutations))
}

// Outcome is what became of a mutation.
type Outcome int

// The outcomes that are counted apart.
const (
	Applied Outcome = iota
	Merged
	Refused
	Repeated
	outcomes
)

var outcomeNames = [outcomes]string{"applied", "merged", "refused", "repeated"}

// Judged counts mutations of one outcome.
func (m *Metrics) Judged(o Outcome, n int) {
	if m != nil && n > 0 {
		m.outcomes[o].Add(float64(n))
	}
}

// Clashed counts a clash. Kinds are an org's own, so those that are not known
// beforehand count together.
func (m *Metrics) Clashed(kind string) {
	if m == nil {
		return
	}
	if !slices.Contains(m.kinds, kind) {
		kind = "other"
	}
	m.clashes.WithLabelValues(kind).Inc()
}

// Pulled counts a page: how far behind its device was, its size, and whether
// it belongs to a first sync.
func (m *Metrics) Pulled(lag int64, bytes int, first bool) {
	if m == nil {
		return
	}
	m.pullLag.Observe(float64(lag))
	which := 0
	if first {
		which = 1
	}
	m.pullBytes[which].Observe(float64(bytes))
}

// Requested counts a request. route is a template such as "POST /v1/sync/push",
// never the address that was asked for. One that became a websocket is none: it
// takes as long as somebody listens.
func (m *Metrics) Requested(route string, status int, took time.Duration) {
	if m != nil && status != http.StatusSwitchingProtocols {
		m.requests.WithLabelValues(route, classOf(status)).Observe(took.Seconds())
	}
}

// classOf is 2xx for 204. What is no status at all is a request that was cut.
func classOf(status int) string {
	if status < 100 || status > 599 {
		return "none"
	}
	return strconv.Itoa(status/100) + "xx"
}

// Failed counts a failure by its kind.
func (m *Metrics) Failed(kind string) {
	if m != nil {
		m.failures.WithLabelValues(kind).Inc()
	}
}

// Fault counts what went wrong behind nobody's request.
func (m *Metrics) Fault() {
	if m != nil {
		m.faults.Inc()
	}
}

// SocketOpened counts a websocket in, SocketClosed counts it out.
func (m *Metrics) SocketOpened() {
	if m != nil {
		m.sockets.Inc()
	}
}

// SocketClosed counts a websocket out, whoever has closed it.
func (m *Metrics) SocketClosed() {
	if m != nil {
		m.sockets.Dec()
	}
}

// SocketsMost says how many websockets there is room for.
func (m *Metrics) SocketsMost(n int) {
	if m != nil {
		m.socketsMost.Set(float64(n))
	}
}

// SocketRefused counts a websocket that was not opened. The reason is one of a
// few words in the code.
func (m *Metrics) SocketRefused(reason string) {
	if m != nil {
		m.socketsLost.WithLabelValues(reason).Inc()
	}
}

// SocketDropped counts a websocket that the server closed. The reason is one
// of a few words in the code.
func (m *Metrics) SocketDropped(reason string) {
	if m != nil {
		m.socketDrops.WithLabelValues(reason).Inc()
	}
}

// Woke counts wakes by the way they took, such as "socket".
func (m *Metrics) Woke(by string, n int) {
	if m != nil && n > 0 {
		m.wakes.WithLabelValues(by).Add(float64(n))
	}
}

// Fed tells how long after its commit a reaction met a change.
func (m *Metrics) Fed(reaction string, lag time.Duration) {
	if m != nil {
		m.feedLag.WithLabelValues(reaction).Observe(lag.Seconds())
	}
}

// Delivered counts what became of a notification at one device.
func (m *Metrics) Delivered(channel, state string) {
	if m != nil {
		m.deliveries.WithLabelValues(channel, state).Inc()
	}
}

// Aside counts a page that could be made from the standby, by what it was made
// from: the standby, or the primary and why.
func (m *Metrics) Aside(by string) {
	if m != nil {
		m.aside.WithLabelValues(by).Inc()
	}
}
