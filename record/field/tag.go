package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxTagRunes is how long a tag may be, in characters: it must fit on a chip.
const MaxTagRunes = 64

var errTagEmpty = errors.New("must be a tag with at least one character")

// tag is one element of tags: a short text on one line. Blanks around it, wide
// ones too, are not part of it.
type tag struct{}

// Check returns the tag without the blanks around it.
func (tag) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	s, err := parseLabel(raw, MaxTagRunes)
	if err != nil {
		return nil, err
	}
	if s == "" {
		return nil, errTagEmpty
	}
	return quote(s), nil
}

// label makes the check of a short text on one line that may be empty.
func label(limit int) func(json.RawMessage) (json.RawMessage, error) {
	return func(raw json.RawMessage) (json.RawMessage, error) {
		s, err := parseLabel(raw, limit)
		if err != nil {
			return nil, err
		}
		return quote(s), nil
	}
}

func parseLabel(raw json.RawMessage, limit int) (string, error) {
	s, err := Text(raw)
	if err != nil {
		return "", err
	}
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > limit || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fmt.Errorf("must be at most %d characters on one line", limit)
	}
	return s, nil
}
