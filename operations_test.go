package roadbook_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"roadbook/config"
	"roadbook/telemetry"
)

const (
	operations    = "docs/operations.md"
	settingsBegin = "<!-- settings: written by go test -run TestOperations_settings -update . -->\n"
	settingsEnd   = "<!-- end of settings -->\n"
)

// The table of settings is the struct that is read.
func TestOperations_settings(t *testing.T) {
	t.Parallel()

	text := read(t, operations)
	before, rest, found := strings.Cut(text, settingsBegin)
	require.True(t, found)
	got, after, found := strings.Cut(rest, settingsEnd)
	require.True(t, found)
	var want strings.Builder
	want.WriteString("| Variable | Unless set | Meaning |\n| --- | --- | --- |\n")
	for _, v := range config.Table() {
		fallback := ""
		if v.Default != "" {
			fallback = "`" + v.Default + "`"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", v.Name, fallback, v.Meaning)
	}
	if *update {
		require.NoError(t, os.WriteFile(operations, []byte(before+settingsBegin+want.String()+settingsEnd+after), 0o600))
		return
	}
	require.Equal(t, want.String(), got)
}

// Every metric is in the table, and nothing else is.
func TestOperations_metrics(t *testing.T) {
	t.Parallel()

	listed := map[string]bool{}
	for _, row := range table(t, operations, "Metric") {
		for _, name := range ticked(row[0]) {
			listed[name] = true
		}
	}
	require.Equal(t, ourMetrics(t), listed)
}

// Whoever follows a page looks for what it names: every metric in what is written
// for people, and in the alerts, is one of a scrape.
func TestOperations_metricsThatAreNamed(t *testing.T) {
	t.Parallel()

	there := map[string]bool{}
	text := allMetrics(t)
	for _, match := range regexp.MustCompile(`(?m)^(?:# TYPE )?(\w+)[ {]`).FindAllStringSubmatch(text, -1) {
		there[match[1]] = true
	}
	pages, err := filepath.Glob("docs/*")
	require.NoError(t, err)
	named := regexp.MustCompile(`\b(?:roadbook|process|go)_[a-z_]*[a-z]\b`)
	found := 0
	for _, page := range append(pages, "README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md") {
		if info, err := os.Stat(page); err != nil || info.IsDir() {
			continue
		}
		for _, name := range named.FindAllString(read(t, page), -1) {
			require.True(t, there[name], "%s names %s, which no scrape has", page, name)
			found++
		}
	}
	require.Greater(t, found, 30)
}

// ourMetrics are the names of all families of ours.
func ourMetrics(t *testing.T) map[string]bool {
	t.Helper()

	names := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^# TYPE (roadbook_\w+) `).FindAllStringSubmatch(allMetrics(t), -1) {
		names[match[1]] = true
	}
	return names
}

// allMetrics is a scrape with every family, each touched once.
func allMetrics(t *testing.T) string {
	t.Helper()

	m := telemetry.NewMetrics(telemetry.MetricsOptions{})
	m.Clashed("")
	m.Requested("", 200, time.Second)
	m.Failed("busy")
	m.SocketDropped("slow")
	m.SocketRefused("server")
	m.Woke("socket", 1)
	m.Aside("standby")
	m.Fed("tail", time.Second)
	m.WatchPool(func() telemetry.Pool { return telemetry.Pool{} })
	m.WatchQueue(func() telemetry.Queue { return telemetry.Queue{} })
	m.Delivered("fcm", "sent")
	m.WatchJobs(func() telemetry.Jobs { return telemetry.Jobs{} })
	m.WatchReady(func() bool { return true })
	text, _, err := m.Text()
	require.NoError(t, err)
	return string(text)
}

func TestOperations_logKeys(t *testing.T) {
	t.Parallel()

	var listed []string
	for _, row := range table(t, operations, "Key") {
		listed = append(listed, ticked(row[0])...)
	}
	require.ElementsMatch(t, telemetry.Keys(), listed)
}

// alerts is docs/alerts.yml.
type alerts struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For string
			Labels           struct{ Severity string }
			Annotations      struct{ Summary, Runbook string }
		}
	}
}

// An alert speaks of metrics that there are, and has a paragraph that says what
// to do.
func TestOperations_alerts(t *testing.T) {
	t.Parallel()

	var file alerts
	decoder := yaml.NewDecoder(strings.NewReader(read(t, "docs/alerts.yml")))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&file))
	known, page := ourMetrics(t), read(t, operations)
	seen := map[string]bool{}
	for _, group := range file.Groups {
		require.NotEmpty(t, group.Name)
		for _, rule := range group.Rules {
			seen[rule.Alert] = true
			require.Contains(t, page, "\n### "+rule.Alert+"\n")
			require.Equal(t, operations+"#"+strings.ToLower(rule.Alert), rule.Annotations.Runbook)
			require.NotEmpty(t, rule.Annotations.Summary)
			require.Contains(t, []string{"page", "ticket"}, rule.Labels.Severity)
			require.Equal(t, strings.Count(rule.Expr, "("), strings.Count(rule.Expr, ")"), rule.Expr)
			for _, name := range regexp.MustCompile(`roadbook_\w+`).FindAllString(rule.Expr, -1) {
				base := strings.NewReplacer("_seconds_bucket", "_seconds", "_seconds_count", "_seconds", "_seconds_sum", "_seconds").Replace(name)
				require.True(t, known[base], "%s speaks of %s, which there is not", rule.Alert, name)
			}
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^### (Roadbook\w+)$`).FindAllStringSubmatch(page, -1) {
		require.True(t, seen[match[1]], "%s is no alert", match[1])
	}
}
