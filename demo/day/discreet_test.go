package day_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// logged is what the server has logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// requireDiscreet makes sure that after a day nothing that anybody has typed is
// in the log or in the metrics.
func (s *server) requireDiscreet(t *testing.T) {
	t.Helper()

	typed := s.typed(t)
	require.Greater(t, len(typed), 1000)
	log := s.log.String()
	require.Contains(t, log, `"msg":"request"`)
	require.Contains(t, log, `"msg":"commit"`)
	require.Contains(t, log, `"actor":`)
	metrics, _, err := s.metrics.Text()
	require.NoError(t, err)
	require.Contains(t, string(metrics), `roadbook_clashes_total{kind="account"}`)
	for _, value := range typed {
		if strings.Contains(log, value) || strings.Contains(string(metrics), value) {
			t.Fatalf("%q is in the log or in the metrics", value) // which are too long to show
		}
	}
	requireLabels(t, metrics)
}

// typed are the values of all records that are somebody's words.
func (s *server) typed(t *testing.T) []string {
	t.Helper()

	rows, err := s.pool.Query(t.Context(), "SELECT fields FROM records")
	require.NoError(t, err)
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var fields []byte
		require.NoError(t, rows.Scan(&fields))
		var values map[string]any
		require.NoError(t, json.Unmarshal(fields, &values))
		for _, value := range values {
			gather(found, value)
		}
	}
	require.NoError(t, rows.Err())
	var typed []string
	for value := range found {
		typed = append(typed, value)
	}
	return typed
}

var (
	isID    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f-]{27}$`)
	isWords = regexp.MustCompile(`[^\x00-\x7f]|\d{7}|@`)
)

// gather leaves out words that anybody may use, such as a login of three
// letters, and the ids of records: what is looked for is what has more than
// ASCII, or digits enough for a telephone.
func gather(found map[string]bool, value any) {
	switch v := value.(type) {
	case string:
		if !isID.MatchString(v) && isWords.MatchString(v) {
			found[v] = true
		}
	case []any:
		for _, one := range v {
			gather(found, one)
		}
	case map[string]any:
		for _, one := range v {
			gather(found, one)
		}
	}
}

// requireLabels makes sure that no label can hold an org, a person or a record.
func requireLabels(t *testing.T, metrics []byte) {
	t.Helper()

	words := map[string]*regexp.Regexp{
		"route":    regexp.MustCompile(`^((GET|HEAD|POST|PUT|PATCH|DELETE) /[a-z0-9_./{}:-]+|unknown)$`),
		"status":   regexp.MustCompile(`^([1-5]xx|none)$`),
		"outcome":  regexp.MustCompile(`^(applied|merged|refused|repeated)$`),
		"kind":     regexp.MustCompile(`^[a-z_]+$`),
		"sync":     regexp.MustCompile(`^(first|later)$`),
		"reason":   regexp.MustCompile(`^[a-z_]+$`),
		"by":       regexp.MustCompile(`^[a-z_]+$`),
		"reaction": regexp.MustCompile(`^[a-z_.]+$`),
		"revision": regexp.MustCompile(`^[a-z0-9 ]*$`),
		"version":  regexp.MustCompile(`^go1\.`),
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(metrics))
	require.NoError(t, err)
	series := 0
	for name, family := range families {
		for _, m := range family.GetMetric() {
			series++
			for _, label := range m.GetLabel() {
				require.Contains(t, words, label.GetName(), name)
				require.Regexp(t, words[label.GetName()], label.GetValue(), name)
			}
		}
	}
	require.Less(t, series, 300, "a scrape does not grow with the customers")
}
