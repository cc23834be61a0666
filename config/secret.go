package config

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is text that must not be printed by accident: every way of showing
// it says [redacted]. The text is behind a pointer, so that even a struct dump
// that bypasses the methods shows an address.
type Secret struct{ text *string }

// NewSecret keeps text secret.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text. A call is where a secret leaves, so there should
// be few.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is nothing to keep.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// Format implements fmt.Formatter, for the verbs that do not ask String.
func (s Secret) Format(f fmt.State, _ rune) {
	if _, err := f.Write([]byte(redacted)); err != nil {
		return // fmt keeps the error of its own writer
	}
}

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
