package config

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/caarlos0/env/v11"
)

const prefix = "ROADBOOK_"

// Read makes a Config of an environment in the form of os.Environ. A variable
// that is set to nothing counts as not set. The error names every variable
// that is wrong, one on a line, and what would be right; it never repeats a
// secret.
func Read(environ []string) (Config, error) {
	var c Config
	err := env.ParseWithOptions(&c, env.Options{Environment: trimmed(environ)})
	problems := parseProblems(err)
	check := func(name string, err error) {
		if err != nil {
			problems = append(problems, problem(name, err))
		}
	}
	check("ROADBOOK_ADDR", checkAddr(c.Addr))
	check("ROADBOOK_DATABASE_URL", checkDatabaseURL(c.DatabaseURL.Reveal()))
	check("ROADBOOK_STANDBY_URL", checkDatabaseURL(c.StandbyURL.Reveal()))
	_, keyErr := parseKey(c.Secret.Reveal())
	check("ROADBOOK_SECRET", keyErr)
	check("ROADBOOK_STOP_DELAY", checkStopDelay(c.StopDelay))
	if !failed(problems, "ROADBOOK_HORIZON") {
		check("ROADBOOK_HORIZON", checkHorizon(c.Horizon))
	}
	if !failed(problems, "ROADBOOK_BACKUP_EVERY") {
		check("ROADBOOK_BACKUP_EVERY", checkBackupEvery(c.BackupEvery))
	}
	if !failed(problems, "ROADBOOK_SOCKETS") {
		check("ROADBOOK_SOCKETS", checkSockets(c.Sockets))
	}
	if !failed(problems, "ROADBOOK_SOCKETS_PER_PERSON") {
		check("ROADBOOK_SOCKETS_PER_PERSON", checkSockets(c.SocketsPerPerson))
	}
	check("ROADBOOK_WEBHOOK_URL", checkHTTP(c.WebhookURL))
	check("ROADBOOK_WEBHOOK_SECRET", checkWith(c.WebhookURL, checkToken(c.WebhookSecret.Reveal()), c.WebhookSecret.Reveal()))
	check("ROADBOOK_SMS_URL", checkHTTP(c.SMSURL))
	check("ROADBOOK_SMTP_FROM", checkWith(c.SMTPURL.Reveal(), nil, c.SMTPFrom))
	check("ROADBOOK_METRICS_TOKEN", checkToken(c.MetricsToken.Reveal()))
	if len(problems) > 0 {
		return Config{}, errors.Join(problems...)
	}
	return c, nil
}

// trimmed forgives the blanks and line ends that come with secrets read from
// files.
func trimmed(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && (strings.HasPrefix(name, prefix) || isOurs(name)) {
			m[name] = strings.TrimSpace(value)
		}
	}
	return m
}

// isOurs reports whether Config has a place for a variable.
func isOurs(name string) bool {
	return slices.ContainsFunc(Table(), func(v Variable) bool { return v.Name == name })
}

// parseProblems turns what the library found, which speaks of struct fields,
// into words about variables.
func parseProblems(err error) []error {
	if err == nil {
		return nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return []error{err}
	}
	problems := make([]error, len(all.Errors))
	for i, err := range all.Errors {
		problems[i] = err
		var parse env.ParseError
		if errors.As(err, &parse) {
			problems[i] = problem(variableOf(parse.Name), expectation(parse))
		}
	}
	return problems
}

// failed reports whether a variable could not even be read.
func failed(problems []error, name string) bool {
	return slices.ContainsFunc(problems, func(err error) bool { return strings.HasPrefix(err.Error(), name+":") })
}

func problem(name string, err error) error { return fmt.Errorf("%s: %w", name, err) }

func variableOf(field string) string {
	f, ok := reflect.TypeFor[Config]().FieldByName(field)
	if !ok {
		return field
	}
	return f.Tag.Get("env")
}

// expectation says what would be right where the parser only says what is
// wrong.
func expectation(e env.ParseError) error {
	switch e.Type {
	case reflect.TypeFor[time.Duration]():
		return errors.New("must be a duration such as 10s")
	case reflect.TypeFor[bool]():
		return errors.New("must be true or false")
	case reflect.TypeFor[int]():
		return errors.New("must be a whole number")
	case reflect.TypeFor[slog.Level]():
		return errors.New("must be debug, info, warn or error")
	}
	return e.Err
}

// Variable is one line of the documentation.
type Variable struct {
	Name    string
	Default string // empty if there is none
	Meaning string
	Secret  bool
}

// Table lists every variable that Read knows, in the order of Config.
func Table() []Variable {
	t := reflect.TypeFor[Config]()
	vars := make([]Variable, t.NumField())
	for i := range vars {
		f := t.Field(i)
		vars[i] = Variable{
			Name:    f.Tag.Get("env"),
			Default: f.Tag.Get("envDefault"),
			Meaning: f.Tag.Get("help"),
			Secret:  f.Type == reflect.TypeFor[Secret]() || f.Type == reflect.TypeFor[TraceHeaders](),
		}
	}
	return vars
}

// WriteTable writes Table for people, for --help.
func WriteTable(w io.Writer) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range Table() {
		value := v.Default
		if value == "" {
			value = "-"
		}
		if _, err := fmt.Fprintf(columns, "%s\t%s\t%s\n", v.Name, value, v.Meaning); err != nil {
			return err
		}
	}
	return columns.Flush()
}

// Setting is one variable as it stands.
type Setting struct{ Name, Value string }

// Settings lists what is in force, for roadbook doctor. Secrets are redacted,
// and empty if they are not set.
func (c Config) Settings() []Setting {
	v := reflect.ValueOf(c)
	settings := make([]Setting, v.NumField())
	for i := range settings {
		settings[i] = Setting{v.Type().Field(i).Tag.Get("env"), show(v.Field(i).Interface())}
	}
	return settings
}

func show(value any) string {
	if s, ok := value.(interface{ IsZero() bool }); ok && s.IsZero() {
		return ""
	}
	if m, ok := value.(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(value)
}

// Unknown lists the variables of an environment that look like ours and are
// not: a slip of the pen would otherwise be obeyed in silence.
func Unknown(environ []string) []string {
	var unknown []string
	for name := range trimmed(environ) {
		if !isOurs(name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
