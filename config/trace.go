package config

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// TraceURL is the address of a collector of traces.
type TraceURL string

// UnmarshalText takes http and https.
func (u *TraceURL) UnmarshalText(text []byte) error {
	parsed, err := url.Parse(string(text))
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return errors.New("must look like http://collector:4318")
	}
	*u = TraceURL(text)
	return nil
}

// TraceHeaders are what a collector wants to be sent along: as a rule a key,
// so they are as secret as one.
type TraceHeaders struct{ Secret }

// UnmarshalText takes name=value pairs with commas between them.
func (h *TraceHeaders) UnmarshalText(text []byte) error {
	h.Secret = NewSecret(string(text))
	if _, ok := h.pairs(); !ok {
		h.Secret = Secret{}
		return errors.New("must be name=value, with commas between and %-escapes for special characters")
	}
	return nil
}

// Reveal returns the pairs.
func (h TraceHeaders) Reveal() map[string]string {
	pairs, _ := h.pairs()
	return pairs
}

func (h TraceHeaders) pairs() (map[string]string, bool) {
	pairs := map[string]string{}
	for part := range strings.SplitSeq(h.Secret.Reveal(), ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !found || name == "" || err != nil {
			return nil, false
		}
		pairs[name] = value
	}
	return pairs, true
}

// Ratio is a part of a whole.
type Ratio float64

// UnmarshalText takes numbers from 0 to 1.
func (r *Ratio) UnmarshalText(text []byte) error {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f < 0 || f > 1 || f != f {
		return errors.New("must be a number from 0 to 1")
	}
	*r = Ratio(f)
	return nil
}
