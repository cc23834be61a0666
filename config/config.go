// Package config reads the environment, once, in cmd. The struct below is the
// documentation: Table prints it, and every problem is reported together with
// the others and with what would be right.
package config

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// KeyBytes is the length of the installation's key.
const KeyBytes = 32

// Config is all that can be set from outside. With nothing set at all, Roadbook
// keeps its data in ./data and starts a PostgreSQL of its own.
type Config struct {
	Addr           string        `env:"ROADBOOK_ADDR" envDefault:"127.0.0.1:8080" help:"where the server listens, host:port; an empty host is every address of this machine"`
	Data           string        `env:"ROADBOOK_DATA" envDefault:"./data" help:"the folder of the server's own database, photos and key"`
	DatabaseURL    Secret        `env:"ROADBOOK_DATABASE_URL" help:"a PostgreSQL of yours, postgres://user:password@host:5432/name; empty: one is started in the data folder"`
	StandbyURL     Secret        `env:"ROADBOOK_STANDBY_URL" help:"a hot standby of that database, from which pulls read what it has already; empty: all is read from the database itself"`
	PGBin          string        `env:"ROADBOOK_PG_BIN" help:"the folder of PostgreSQL's programs, for the database of its own; empty: searched for"`
	Demo           bool          `env:"ROADBOOK_DEMO" envDefault:"false" help:"make the demo org in a PostgreSQL of yours too; the server's own always gets it"`
	Secret         Secret        `env:"ROADBOOK_SECRET" help:"the key of tokens, cursors and receipts, 32 bytes in hex or base64; empty: made once and kept in the data folder"`
	Log            LogFormat     `env:"ROADBOOK_LOG" envDefault:"auto" help:"how logs are written: json, text, or auto (text in a terminal, json elsewhere)"`
	LogLevel       slog.Level    `env:"ROADBOOK_LOG_LEVEL" envDefault:"info" help:"the least that is logged: debug, info, warn or error"`
	StopDelay      time.Duration `env:"ROADBOOK_STOP_DELAY" envDefault:"0s" help:"how long a server that is told to stop still serves while /readyz says that it stops: as long as the load balancer needs to notice, for example 10s"`
	MetricsToken   Secret        `env:"ROADBOOK_METRICS_TOKEN" help:"what a monitor must bring to read /metrics, as Authorization: Bearer; empty: only programs on this machine may read it, and not through a proxy"`
	TrustedProxies Proxies       `env:"ROADBOOK_TRUSTED_PROXIES" help:"addresses whose X-Forwarded-For is believed, as 10.0.0.1 or 10.0.0.0/8, with commas between; empty: nobody"`
	Horizon        time.Duration `env:"ROADBOOK_HORIZON" envDefault:"4320h0m0s" help:"how long a device may be away and still be told what has gone; what was deleted before that is purged, from 720h to 87600h"`
	BackupDir      string        `env:"ROADBOOK_BACKUP_DIR" help:"the folder of backups and of the archive of the WAL, best on another disk; empty: the server keeps none"`
	BackupEvery    time.Duration `env:"ROADBOOK_BACKUP_EVERY" envDefault:"24h0m0s" help:"how often the server takes a backup, from 1m to 720h"`
	BackupKeep     Count         `env:"ROADBOOK_BACKUP_KEEP" envDefault:"7" help:"how many backups are kept, with the archive that the oldest of them needs"`
	BackupTo       string        `env:"ROADBOOK_BACKUP_RECIPIENTS" help:"who can read backups and archive, as age recipients (age1…) with commas between; empty: they are not encrypted"`

	Sockets          int `env:"ROADBOOK_SOCKETS" envDefault:"50000" help:"how many websockets the server holds, at 13 KB each; devices beyond that pull"`
	SocketsPerPerson int `env:"ROADBOOK_SOCKETS_PER_PERSON" envDefault:"16" help:"how many websockets one person has on all devices together"`

	FCMProject     string `env:"ROADBOOK_FCM_PROJECT" help:"the Firebase project by which phones are reached; empty: they are not, and hear of things when they pull"`
	FCMCredentials string `env:"ROADBOOK_FCM_CREDENTIALS" help:"the file with that project's service account; empty: that of the machine"`
	FCMEndpoint    string `env:"ROADBOOK_FCM_ENDPOINT" help:"where messages are sent in place of Google, without credentials, as http://127.0.0.1:9099/v1; for tests"`

	WebhookURL    string `env:"ROADBOOK_WEBHOOK_URL" help:"a program of yours that is told of every notification by a signed POST, as https://example.com/hook; empty: none is"`
	WebhookSecret Secret `env:"ROADBOOK_WEBHOOK_SECRET" help:"the key of those signatures"`
	SMSURL        string `env:"ROADBOOK_SMS_URL" help:"whoever sends text messages: takes id, to, text and sign as JSON; empty: none are sent"`
	SMSToken      Secret `env:"ROADBOOK_SMS_TOKEN" help:"what it wants to see, as Authorization: Bearer"`
	SMSSign       string `env:"ROADBOOK_SMS_SIGN" help:"the signature that carriers ask of senders of text messages"`
	SMTPURL       Secret `env:"ROADBOOK_SMTP_URL" help:"the mail server, smtp://user:password@host:587 or smtps://user:password@host:465; empty: no letters are sent"`
	SMTPFrom      string `env:"ROADBOOK_SMTP_FROM" help:"the address that letters are from"`

	// The names that OpenTelemetry gives them everywhere.
	TraceEndpoint TraceURL     `env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"where traces are sent, by OTLP over HTTP, as http://collector:4318; empty: none are made"`
	TraceHeaders  TraceHeaders `env:"OTEL_EXPORTER_OTLP_HEADERS" help:"what the collector wants to be sent along, name=value with commas between"`
	TraceService  string       `env:"OTEL_SERVICE_NAME" envDefault:"roadbook" help:"the name under which traces are kept"`
	TraceRatio    Ratio        `env:"OTEL_TRACES_SAMPLER_ARG" envDefault:"1" help:"how many of the traces are kept, from 0 to 1"`
}

// LogFormat is how logs are written.
type LogFormat string

// UnmarshalText takes one of the three.
func (f *LogFormat) UnmarshalText(text []byte) error {
	switch s := LogFormat(strings.ToLower(string(text))); s {
	case "auto", "json", "text":
		*f = s
		return nil
	}
	return errors.New("must be json, text or auto")
}

// maxCount is more backups than anybody looks through.
const maxCount = 1000

// Count is a number of things, at least one.
type Count int

// UnmarshalText takes a number from 1 to 1000.
func (c *Count) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > maxCount {
		return fmt.Errorf("must be a number from 1 to %d", maxCount)
	}
	*c = Count(n)
	return nil
}

// Proxies are the machines that may say on whose behalf they ask.
type Proxies []netip.Prefix

// UnmarshalText takes addresses and networks with commas between them.
func (p *Proxies) UnmarshalText(text []byte) error {
	var read Proxies
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if addr, single := netip.ParseAddr(part); single == nil && addr.Zone() == "" {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return fmt.Errorf("%q is neither an address like 10.0.0.1 nor a network like 10.0.0.0/8", part)
		}
		read = append(read, prefix.Masked())
	}
	*p = read
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (p Proxies) MarshalText() ([]byte, error) {
	parts := make([]string, len(p))
	for i, prefix := range p {
		parts[i] = prefix.String()
	}
	return []byte(strings.Join(parts, ",")), nil
}

// Key is the installation's key, or nil if none was given and one is to be
// kept in the data folder.
func (c Config) Key() []byte {
	key, err := parseKey(c.Secret.Reveal())
	if err != nil {
		return nil // Read has refused it
	}
	return key
}

// parseKey tells hex from base64 by the length: 32 bytes are 64 characters of
// one and at most 44 of the other.
func parseKey(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	decode := hex.DecodeString
	if len(text) != hex.EncodedLen(KeyBytes) {
		text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
		decode = base64.RawStdEncoding.DecodeString
	}
	key, err := decode(text)
	if err != nil || len(key) != KeyBytes {
		return nil, errors.New("must be 32 bytes in hex or base64; make one with: openssl rand -hex 32")
	}
	return key, nil
}

func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is not host:port; for example 127.0.0.1:8080", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q has no port from 0 to 65535; for example 127.0.0.1:8080", addr)
	}
	return nil
}

// minToken is a length that nobody guesses, if it is chance.
const minToken = 16

// maxStopDelay is as long as anybody who waits for a server to stop has
// patience.
const maxStopDelay = time.Minute

// maxSockets is more websockets than a machine holds.
const maxSockets = 1_000_000

func checkSockets(n int) error {
	if n < 1 || n > maxSockets {
		return fmt.Errorf("must be from 1 to %d", maxSockets)
	}
	return nil
}

func checkStopDelay(d time.Duration) error {
	if d < 0 || d > maxStopDelay {
		return fmt.Errorf("must be from 0s to %v", maxStopDelay)
	}
	return nil
}

// Under a month a rep's holiday would cost his phone a comparison; refresh
// tokens live for half a year.
const (
	minHorizon = 30 * 24 * time.Hour
	maxHorizon = 10 * 365 * 24 * time.Hour
)

func checkHorizon(d time.Duration) error {
	if d < minHorizon || d > maxHorizon {
		return errors.New("must be from 720h to 87600h")
	}
	return nil
}

// More often than each minute is what the archive is for; a backup that is older
// than a month takes long to come back from.
const (
	minBackupEvery = time.Minute
	maxBackupEvery = 30 * 24 * time.Hour
)

func checkBackupEvery(d time.Duration) error {
	if d < minBackupEvery || d > maxBackupEvery {
		return errors.New("must be from 1m to 720h")
	}
	return nil
}

func checkToken(text string) error {
	if text != "" && len(text) < minToken {
		return fmt.Errorf("must have at least %d characters; make one with: openssl rand -hex 32", minToken)
	}
	return nil
}

// checkDatabaseURL never repeats the text: it holds a password.
func checkDatabaseURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || strings.Trim(u.Path, "/") == "" {
		return errors.New("must look like postgres://user:password@host:5432/name, " +
			"with %-escapes for special characters in the password")
	}
	return nil
}
