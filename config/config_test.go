package config_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/config"
)

func TestRead_nothingSet(t *testing.T) {
	t.Parallel()

	c, err := config.Read([]string{"PATH=/bin", "ROADBOOK_DATA=", "ROADBOOK_LOG= "})

	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8080", c.Addr)
	require.Equal(t, "./data", c.Data, "set to nothing is not set")
	require.Equal(t, config.LogFormat("auto"), c.Log)
	require.Equal(t, slog.LevelInfo, c.LogLevel)
	require.True(t, c.DatabaseURL.IsZero())
	require.False(t, c.Demo)
	require.Nil(t, c.Key())
	require.Nil(t, c.TrustedProxies)
}

func TestRead_everythingSet(t *testing.T) {
	t.Parallel()

	key := bytes.Repeat([]byte{0xfb, 0xef}, 16)
	c, err := config.Read([]string{
		"ROADBOOK_ADDR=:80", "ROADBOOK_DATA=/srv", "ROADBOOK_DATABASE_URL=postgres://a:b@db/roadbook?sslmode=disable",
		"ROADBOOK_STANDBY_URL=postgres://a:b@two/roadbook", "ROADBOOK_PG_BIN=/usr/lib/postgresql/17/bin", "ROADBOOK_DEMO=1", "ROADBOOK_SECRET=" + hex.EncodeToString(key) + "\n",
		"ROADBOOK_LOG=JSON", "ROADBOOK_LOG_LEVEL=debug", "ROADBOOK_TRUSTED_PROXIES=10.1.2.3, 192.168.7.9/16,::1",
	})

	require.NoError(t, err)
	require.Equal(t, ":80", c.Addr)
	require.Equal(t, "/srv", c.Data)
	require.Equal(t, "postgres://a:b@db/roadbook?sslmode=disable", c.DatabaseURL.Reveal())
	require.Equal(t, "postgres://a:b@two/roadbook", c.StandbyURL.Reveal())
	require.Equal(t, "/usr/lib/postgresql/17/bin", c.PGBin)
	require.True(t, c.Demo)
	require.Equal(t, key, c.Key())
	require.Equal(t, config.LogFormat("json"), c.Log)
	require.Equal(t, slog.LevelDebug, c.LogLevel)
	require.Equal(t, config.Proxies{
		netip.MustParsePrefix("10.1.2.3/32"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("::1/128"),
	}, c.TrustedProxies)
}

func TestRead_keyForms(t *testing.T) {
	t.Parallel()

	key := bytes.Repeat([]byte{0xfb, 0xef}, 16)
	for _, text := range []string{
		hex.EncodeToString(key),
		strings.ToUpper(hex.EncodeToString(key)),
		base64.StdEncoding.EncodeToString(key),
		base64.RawStdEncoding.EncodeToString(key),
		base64.URLEncoding.EncodeToString(key),
		base64.RawURLEncoding.EncodeToString(key),
	} {
		c, err := config.Read([]string{"ROADBOOK_SECRET=" + text})
		require.NoError(t, err, text)
		require.Equal(t, key, c.Key(), text)
	}
}

func TestRead_allProblemsAtOnce(t *testing.T) {
	t.Parallel()

	_, err := config.Read([]string{
		"ROADBOOK_ADDR=8080", "ROADBOOK_DATABASE_URL=mysql://root:hunter2@db", "ROADBOOK_DEMO=perhaps", "ROADBOOK_STANDBY_URL=hunter2@two",
		"ROADBOOK_SECRET=correct horse", "ROADBOOK_LOG=xml", "ROADBOOK_LOG_LEVEL=loud", "ROADBOOK_TRUSTED_PROXIES=10.0.0.0/8,everyone",
	})

	require.Error(t, err)
	for _, want := range []string{
		`ROADBOOK_ADDR: "8080" is not host:port; for example 127.0.0.1:8080`,
		"ROADBOOK_DATABASE_URL: must look like postgres://",
		"ROADBOOK_STANDBY_URL: must look like postgres://",
		"ROADBOOK_DEMO: must be true or false",
		"ROADBOOK_SECRET: must be 32 bytes in hex or base64",
		"ROADBOOK_LOG: must be json, text or auto",
		"ROADBOOK_LOG_LEVEL: must be debug, info, warn or error",
		`ROADBOOK_TRUSTED_PROXIES: "everyone" is neither an address`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.Len(t, strings.Split(err.Error(), "\n"), 8, "one line each:\n%v", err)
	for _, secret := range []string{"hunter2", "horse"} {
		require.NotContains(t, err.Error(), secret)
	}
}

func TestRead_addr(t *testing.T) {
	t.Parallel()

	for addr, ok := range map[string]bool{
		":0": true, "[::1]:8080": true, "localhost:65535": true,
		":65536": false, "localhost": false, "::1:80": false, ":http": false,
	} {
		_, err := config.Read([]string{"ROADBOOK_ADDR=" + addr})
		require.Equal(t, ok, err == nil, addr)
	}
}

func TestSecret_isNeverShown(t *testing.T) {
	t.Parallel()

	c, err := config.Read([]string{"ROADBOOK_DATABASE_URL=postgres://lin:hunter2@db/roadbook", "ROADBOOK_SECRET=" + strings.Repeat("5eed", 16)})
	require.NoError(t, err)
	hidden := struct{ inner config.Config }{c}

	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&shown, verb+"\n", c)
		fmt.Fprintf(&shown, verb+"\n", &c)
		fmt.Fprintf(&shown, verb+"\n", hidden)
		fmt.Fprintf(&shown, verb+"\n", c.DatabaseURL)
	}
	text, err := json.Marshal(c)
	require.NoError(t, err)
	shown.Write(text)
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("config", "all", c, "url", c.DatabaseURL)
	slog.New(slog.NewTextHandler(&shown, nil)).Info("config", "all", c, "url", c.DatabaseURL)
	fmt.Fprint(&shown, c.Settings())

	for _, secret := range []string{"hunter2", "5eed", "68756e746572"} {
		require.NotContains(t, strings.ToLower(shown.String()), secret)
	}
	require.Contains(t, string(text), `"DatabaseURL":"[redacted]"`)
	require.Equal(t, "[redacted]", c.DatabaseURL.String())
}

func TestTable(t *testing.T) {
	t.Parallel()

	c, err := config.Read(nil)
	require.NoError(t, err)
	settings := c.Settings()
	require.Len(t, settings, len(config.Table()))
	for i, v := range config.Table() {
		require.Regexp(t, "^(ROADBOOK|OTEL)_[A-Z_]+$", v.Name)
		require.NotEmpty(t, v.Meaning, v.Name)
		require.Equal(t, config.Setting{Name: v.Name, Value: strings.Replace(v.Default, "info", "INFO", 1)}, settings[i],
			"with nothing set, what is in force is the default")
	}

	var out strings.Builder
	require.NoError(t, config.WriteTable(&out))
	require.Regexp(t, "(?m)^ROADBOOK_ADDR +127.0.0.1:8080  where the server listens", out.String())
}

func TestUnknown(t *testing.T) {
	t.Parallel()

	require.Equal(t, []string{"ROADBOOK_ADRR", "ROADBOOK_X"},
		config.Unknown([]string{"HOME=/", "ROADBOOK_X=1", "ROADBOOK_ADRR=:80", "ROADBOOK_ADDR=:80"}))
}
