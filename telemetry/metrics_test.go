package telemetry_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"roadbook/telemetry"
)

// everything touches every instrument once.
func everything(m *telemetry.Metrics) {
	m.Committed(3*time.Millisecond, 200)
	m.Judged(telemetry.Applied, 150)
	m.Judged(telemetry.Refused, 2)
	m.Clashed("visit")
	m.Clashed("a kind of the org's own")
	m.Pulled(12, 4000, true)
	m.Requested("POST /v1/sync/push", 200, 20*time.Millisecond)
	m.Requested("GET /healthz", 0, time.Millisecond)
	m.Failed("busy")
	m.Fault()
	m.SocketOpened()
	m.SocketOpened()
	m.SocketClosed()
	m.SocketDropped("slow")
	m.SocketsMost(50)
	m.SocketRefused("server")
	m.Woke("socket", 3)
	m.Fed("tail", 30*time.Millisecond)
	m.WatchPool(func() telemetry.Pool { return telemetry.Pool{Max: 20, Used: 3, Idle: 1, Waits: 7, WaitSeconds: 0.5} })
}

func TestMetrics_Text(t *testing.T) {
	t.Parallel()

	m := telemetry.NewMetrics(telemetry.MetricsOptions{Kinds: []string{"visit"}, Revision: "abc"})
	everything(m)

	body, contentType, err := m.Text()

	require.NoError(t, err)
	require.Contains(t, contentType, "text/plain")
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	require.NoError(t, err)
	for name := range families {
		require.Regexp(t, "^(roadbook|go|process)_[a-z_]+$", name)
	}
	for _, want := range []string{
		`roadbook_commit_seconds_sum 0.003`, `roadbook_gather_mutations_bucket{le="256"} 1`,
		`roadbook_mutations_total{outcome="applied"} 150`, `roadbook_mutations_total{outcome="merged"} 0`,
		`roadbook_clashes_total{kind="visit"} 1`, `roadbook_clashes_total{kind="other"} 1`,
		`roadbook_pull_lag_seq_sum 12`, `roadbook_pull_bytes_sum{sync="first"} 4000`,
		`roadbook_request_seconds_count{route="POST /v1/sync/push",status="2xx"} 1`,
		`roadbook_request_seconds_count{route="GET /healthz",status="none"} 1`,
		`roadbook_failures_total{kind="busy"} 1`, `roadbook_faults_total 1`,
		`roadbook_sockets_open 1`, `roadbook_socket_dropped_total{reason="slow"} 1`,
		`roadbook_sockets_most 50`, `roadbook_socket_refused_total{reason="server"} 1`, `roadbook_wakes_total{by="socket"} 3`,
		`roadbook_feed_lag_seconds_count{reaction="tail"} 1`,
		`roadbook_db_connections{state="used"} 3`, `roadbook_db_waits_total 7`, `roadbook_db_wait_seconds_total 0.5`,
		`roadbook_build_info{revision="abc"} 1`, "go_goroutines ", "process_resident_memory_bytes ",
	} {
		require.Contains(t, string(body), want)
	}
}

// Who does not want to be observed hands down nothing.
func TestMetrics_nil(t *testing.T) {
	t.Parallel()

	var m *telemetry.Metrics
	require.NotPanics(t, func() { everything(m) })
	body, _, err := m.Text()
	require.NoError(t, err)
	require.Empty(t, body)

	for i := range reflect.TypeOf(m).NumMethod() {
		method := reflect.TypeOf(m).Method(i)
		args := []reflect.Value{reflect.ValueOf(m)}
		for j := 1; j < method.Type.NumIn(); j++ {
			args = append(args, reflect.Zero(method.Type.In(j)))
		}
		require.NotPanics(t, func() { method.Func.Call(args) }, method.Name)
	}
}

// What a push of 20 mutations costs to count, with two clashes in it.
func BenchmarkMetrics_push(b *testing.B) {
	m := telemetry.NewMetrics(telemetry.MetricsOptions{Kinds: []string{"visit"}})
	b.ReportAllocs()
	for b.Loop() {
		m.Requested("POST /v1/sync/push", 200, 20*time.Millisecond)
		m.Committed(3*time.Millisecond, 20)
		m.Judged(telemetry.Applied, 18)
		m.Judged(telemetry.Merged, 2)
		m.Clashed("visit")
		m.Clashed("visit")
	}
}

// A counter that begins with its first failure has not grown, for a monitor.
func TestMetrics_failuresAreThereFromTheStart(t *testing.T) {
	t.Parallel()

	text, _, err := telemetry.NewMetrics(telemetry.MetricsOptions{Failures: []string{"internal"}}).Text()
	require.NoError(t, err)
	require.Contains(t, string(text), "roadbook_failures_total{kind=\"internal\"} 0\n")
}
