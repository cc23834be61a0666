package telemetry_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/telemetry"
)

func TestNew_addsWhatTheContextCarries(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	log := telemetry.New(&out, telemetry.Options{Format: "json"})
	ctx := telemetry.With(t.Context(), slog.String(telemetry.KeyRequestID, "r1"))
	ctx = telemetry.With(ctx, slog.Int(telemetry.KeyOrg, 7), slog.String(telemetry.KeyActor, "lin"))

	log.With(telemetry.KeyOp, "push").InfoContext(ctx, "request", telemetry.KeyTook, 1500*time.Microsecond)

	require.Contains(t, out.String(), `"request_id":"r1"`)
	require.Contains(t, out.String(), `"org":7`)
	require.Contains(t, out.String(), `"actor":"lin"`)
	require.Contains(t, out.String(), `"op":"push"`)
	require.Contains(t, out.String(), `"took":1.5`, "milliseconds")
	require.Contains(t, out.String(), `Z","level":"INFO"`, "UTC")
}

func TestNew_format(t *testing.T) {
	t.Parallel()

	tests := []struct {
		format, starts string
	}{
		{"json", `{"time":`},
		{"text", `time=`},
		{"auto", `{"time":`}, // a buffer is no terminal
		{"", `{"time":`},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		telemetry.New(&out, telemetry.Options{Format: tt.format}).Info("hello")
		require.Regexp(t, "^"+tt.starts, out.String(), tt.format)
	}

	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	telemetry.New(file, telemetry.Options{}).Info("hello")
	require.NoError(t, file.Close())
	text, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	require.Regexp(t, `^\{`, string(text), "a file is no terminal")
}

func TestNew_level(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	log := telemetry.New(&out, telemetry.Options{Format: "text", Level: slog.LevelWarn})

	log.Info("quiet")
	log.Warn("loud")

	require.NotContains(t, out.String(), "quiet")
	require.Contains(t, out.String(), "loud")
}

func TestWith_replacesAndDoesNotLeak(t *testing.T) {
	t.Parallel()

	parent := telemetry.With(t.Context(), slog.String(telemetry.KeyReplica, "k7f2"))
	one := telemetry.With(parent, slog.String(telemetry.KeyReplica, "m3x9"))
	two := telemetry.With(parent, slog.String(telemetry.KeyOp, "pull"))

	require.Equal(t, []slog.Attr{slog.String("replica", "m3x9")}, telemetry.Attrs(one))
	require.Equal(t, []slog.Attr{slog.String("replica", "k7f2"), slog.String("op", "pull")}, telemetry.Attrs(two))
	require.Len(t, telemetry.Attrs(parent), 1)
	require.Empty(t, telemetry.Attrs(context.Background()))
}

func TestHandler_groups(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	log := telemetry.New(&out, telemetry.Options{Format: "text"}).WithGroup("pg")
	log.InfoContext(telemetry.With(t.Context(), slog.Int(telemetry.KeyOrg, 1)), "query", telemetry.KeyN, 3)

	require.Contains(t, out.String(), "pg.n=3")
	require.Contains(t, out.String(), "pg.org=1")
}

func TestKeys(t *testing.T) {
	t.Parallel()

	seen := map[string]bool{}
	for _, key := range telemetry.Keys() {
		require.False(t, seen[key], key)
		require.Regexp(t, `^[a-z_]+$`, key)
		seen[key] = true
	}
}
