package field

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

var (
	errNotText   = errors.New("must be text")
	errEncoding  = errors.New("must be text in valid UTF-8")
	errSurrogate = errors.New("must be text without half characters (a lone surrogate)")
	errNUL       = errors.New("must be text without the NUL character")
)

// shownRunes is how much of somebody's input an error repeats.
const shownRunes = 24

// Text decodes a JSON string. It refuses what Postgres or a browser could not
// give back as it was: NUL, invalid UTF-8 and lone surrogates.
func Text(raw json.RawMessage) (string, error) {
	body, _, err := unquote(raw)
	return string(body), err
}

// canonicalText is raw with the fewest escapes, which is raw itself in all but
// few cases.
func canonicalText(raw json.RawMessage) (json.RawMessage, error) {
	body, plain, err := unquote(raw)
	if err != nil {
		return nil, err
	}
	if plain {
		return trim(raw), nil
	}
	return quote(body), nil
}

// unquote decodes a JSON string. If it is plain, that is without escapes, then
// body is a part of raw and raw is in canonical form.
func unquote(raw json.RawMessage) (body []byte, plain bool, err error) {
	raw = trim(raw)
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return nil, false, errNotText
	}
	body = raw[1 : len(raw)-1]
	if !utf8.Valid(body) {
		return nil, false, errEncoding
	}
	for _, c := range body {
		if c == '\\' {
			body, err = unescape(raw)
			return body, false, err
		}
		if c < ' ' || c == '"' {
			return nil, false, errNotText
		}
	}
	return body, true, nil
}

// unescape is the slow way. It looks for lone surrogates itself, because
// encoding/json puts U+FFFD in their place without a word.
func unescape(raw json.RawMessage) ([]byte, error) {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return nil, errNotText
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		switch unit := hexUnit(raw, i+1); {
		case unit == 0:
			return nil, errNUL
		case unit&0xfc00 == 0xdc00:
			return nil, errSurrogate
		case unit&0xfc00 == 0xd800:
			low := raw[i+5:]
			if low[0] != '\\' || low[1] != 'u' || hexUnit(low, 2)&0xfc00 != 0xdc00 {
				return nil, errSurrogate
			}
			i += 6
		}
		i += 4
	}
	return []byte(s), nil
}

// hexUnit reads the four hexadecimal digits at b[i:], known to be there.
func hexUnit(b []byte, i int) uint64 {
	unit, _ := strconv.ParseUint(string(b[i:i+4]), 16, 16) // json.Unmarshal has vetted it
	return unit
}

// quote writes a JSON string with no escape but those that JSON demands.
func quote[S string | []byte](s S) json.RawMessage {
	const hex = "0123456789abcdef"
	b := append(make([]byte, 0, len(s)+2), '"')
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= '\b' && c <= '\r' && c != '\v':
			b = append(b, '\\', "btn-fr"[c-'\b'])
		case c < ' ':
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// trim takes away the white space that JSON allows around a value.
func trim(raw []byte) []byte {
	for len(raw) > 0 && isSpace(raw[0]) {
		raw = raw[1:]
	}
	for len(raw) > 0 && isSpace(raw[len(raw)-1]) {
		raw = raw[:len(raw)-1]
	}
	return raw
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// clip quotes the beginning of s for an error message.
func clip(s string) string {
	if r := []rune(s); len(r) > shownRunes {
		s = string(r[:shownRunes]) + "…"
	}
	return strconv.Quote(s)
}
