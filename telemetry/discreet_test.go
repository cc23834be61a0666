package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"roadbook/telemetry"
)

type customer struct{ Name string }

type money struct{ text string }

func (m money) String() string { return m.text }

// What a customer wrote does not get into the log by being handed to it whole.
func TestNew_isDiscreet(t *testing.T) {
	t.Parallel()

	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log := telemetry.New(&out, telemetry.Options{Format: format})
		for _, v := range []any{
			[]byte("张记超市"), json.RawMessage(`"张记超市"`),
			customer{"张记超市"},
			&customer{"张记超市"},
			map[string]string{"name": "张记超市"},
			[]string{"张记超市"},
			telemetry.Size("张记超市"),
			money{"张记超市"},
		} {
			log.Info("told", telemetry.KeyErr, v)
			log.WithGroup("g").Info("told", slog.Any(telemetry.KeyErr, v))
		}
		log.Info("plain", telemetry.KeyErr, errors.New("a reason"), telemetry.KeyTook, time.Second, telemetry.KeyN, 3, telemetry.KeyActor, nil)

		require.NotContains(t, out.String(), "张记")
		require.NotContains(t, out.String(), "5byg", "in base64")
		require.Contains(t, out.String(), "[[]uint8 of 12]")
		require.Contains(t, out.String(), "[string of 12]")
		require.Contains(t, out.String(), "[map[string]string of 1]")
		require.Contains(t, out.String(), "a reason")
	}
}

// The linter allows the keys of this package and no other.
func TestKeys_areTheLintersToo(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile("../.golangci.yml")
	require.NoError(t, err)
	var lint struct {
		Linters struct {
			Settings struct {
				Sloglint struct {
					NoRawKeys   bool     `yaml:"no-raw-keys"`
					AllowedKeys []string `yaml:"allowed-keys"`
				} `yaml:"sloglint"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	require.NoError(t, yaml.Unmarshal(text, &lint))
	require.True(t, lint.Linters.Settings.Sloglint.NoRawKeys)
	require.ElementsMatch(t, telemetry.Keys(), slices.Compact(lint.Linters.Settings.Sloglint.AllowedKeys))
}
