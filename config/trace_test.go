package config_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/config"
)

func TestRead_traces(t *testing.T) {
	t.Parallel()

	c, err := config.Read([]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318", "OTEL_EXPORTER_OTLP_HEADERS=api-key=hunter2%2C, team = sales",
		"OTEL_SERVICE_NAME=roadbook-north", "OTEL_TRACES_SAMPLER_ARG=0.1", "OTEL_SOMETHING_ELSE=1",
	})

	require.NoError(t, err)
	require.Equal(t, config.TraceURL("http://collector:4318"), c.TraceEndpoint)
	require.Equal(t, map[string]string{"api-key": "hunter2,", "team": "sales"}, c.TraceHeaders.Reveal())
	require.Equal(t, "roadbook-north", c.TraceService)
	require.InDelta(t, 0.1, float64(c.TraceRatio), 0)

	var shown strings.Builder
	fmt.Fprintf(&shown, "%v %+v %#v %s", c, c, c, c.Settings())
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("config", "all", c)
	require.NotContains(t, shown.String(), "hunter2")
}

func TestRead_tracesWrong(t *testing.T) {
	t.Parallel()

	for entry, want := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318": "OTEL_EXPORTER_OTLP_ENDPOINT: must look like http://collector:4318",
		"OTEL_EXPORTER_OTLP_ENDPOINT=grpc://c:4317":  "must look like",
		"OTEL_EXPORTER_OTLP_HEADERS=hunter2":         "OTEL_EXPORTER_OTLP_HEADERS: must be name=value",
		"OTEL_EXPORTER_OTLP_HEADERS=key=hunter2%zz":  "must be name=value",
		"OTEL_TRACES_SAMPLER_ARG=1.01":               "OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1",
		"OTEL_TRACES_SAMPLER_ARG=NaN":                "from 0 to 1",
		"ROADBOOK_STOP_DELAY=10":                     "ROADBOOK_STOP_DELAY: must be a duration such as 10s",
		"ROADBOOK_STOP_DELAY=61s":                    "must be from 0s to 1m0s",
		"ROADBOOK_STOP_DELAY=-1s":                    "must be from 0s to 1m0s",
		"ROADBOOK_HORIZON=719h":                      "must be from 720h to 87600h",
		"ROADBOOK_HORIZON=87600h1s":                  "must be from 720h to 87600h",
		"ROADBOOK_BACKUP_EVERY=1":                    "must be a duration such as 10s",
		"ROADBOOK_BACKUP_EVERY=59s":                  "must be from 1m to 720h",
		"ROADBOOK_BACKUP_EVERY=720h1s":               "must be from 1m to 720h",
		"ROADBOOK_BACKUP_KEEP=0":                     "ROADBOOK_BACKUP_KEEP: must be a number from 1 to 1000",
		"ROADBOOK_BACKUP_KEEP=1001":                  "must be a number from 1 to 1000",
		"ROADBOOK_BACKUP_KEEP=seven":                 "must be a number from 1 to 1000",
		"ROADBOOK_SOCKETS=0":                         "ROADBOOK_SOCKETS: must be from 1 to 1000000",
		"ROADBOOK_SOCKETS=1000001":                   "must be from 1 to 1000000",
		"ROADBOOK_SOCKETS=many":                      "ROADBOOK_SOCKETS: must be a whole number",
		"ROADBOOK_SOCKETS_PER_PERSON=0":              "ROADBOOK_SOCKETS_PER_PERSON: must be from 1 to 1000000",
		"ROADBOOK_METRICS_TOKEN=hunter2":             "ROADBOOK_METRICS_TOKEN: must have at least 16 characters",
	} {
		_, err := config.Read([]string{entry})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2", "it may be a secret")
	}
	_, err := config.Read([]string{"ROADBOOK_STOP_DELAY=60s"})
	require.NoError(t, err)
	c, err := config.Read([]string{"ROADBOOK_HORIZON=720h", "ROADBOOK_BACKUP_EVERY=1m", "ROADBOOK_BACKUP_KEEP=1000"})
	require.NoError(t, err)
	require.Equal(t, config.Count(1000), c.BackupKeep)
	c, err = config.Read([]string{"ROADBOOK_SOCKETS=1000000", "ROADBOOK_SOCKETS_PER_PERSON=1"})
	require.NoError(t, err)
	require.Equal(t, []int{1_000_000, 1}, []int{c.Sockets, c.SocketsPerPerson})
	_, err = config.Read([]string{"ROADBOOK_METRICS_TOKEN=" + strings.Repeat("x", 16)})
	require.NoError(t, err)
	_, err = config.Read([]string{"ROADBOOK_METRICS_TOKEN=" + strings.Repeat("x", 15)})
	require.Error(t, err)
}
