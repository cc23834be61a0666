package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxDepth is how deeply objects and lists may be nested: more than any form
// draws, and little enough that recursion is harmless.
const MaxDepth = 8

var (
	errJSON   = errors.New("must be valid JSON")
	errDeep   = fmt.Errorf("must be nested at most %d levels deep", MaxDepth)
	errRepeat = errors.New("must name each of its members once")
)

// member is one member of an object.
type member struct {
	name string
	raw  json.RawMessage
}

// canonical returns valid JSON in canonical form: compact, the members of
// objects sorted by the bytes of their names, which must not repeat.
func canonical(raw json.RawMessage) (json.RawMessage, error) {
	return appendCanonical(make([]byte, 0, len(raw)), raw, MaxDepth)
}

func appendCanonical(b, raw []byte, depth int) ([]byte, error) {
	switch raw[0] {
	case '{':
		return appendObject(b, raw, depth)
	case '[':
		return appendList(b, raw, depth)
	case '"':
		s, err := canonicalText(raw)
		return append(b, s...), err
	case 't', 'f', 'n':
		return append(b, raw...), nil
	default:
		n, err := canonicalNumber(raw)
		return append(b, n...), err
	}
}

func appendObject(b, raw []byte, depth int) ([]byte, error) {
	if depth == 0 {
		return nil, errDeep
	}
	ms, err := members(raw)
	if err != nil {
		return nil, err
	}
	return appendMembers(b, ms, depth-1)
}

// appendMembers writes an object whose members may be nested so much deeper.
func appendMembers(b []byte, ms []member, depth int) ([]byte, error) {
	slices.SortFunc(ms, func(m, n member) int { return strings.Compare(m.name, n.name) })
	b = append(b, '{')
	var err error
	for i, m := range ms {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, quote(m.name)...), ':')
		if b, err = appendCanonical(b, m.raw, depth); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendList(b, raw []byte, depth int) ([]byte, error) {
	if depth == 0 {
		return nil, errDeep
	}
	var err error
	b = append(b, '[')
	for i, element := range elements(raw) {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendCanonical(b, element, depth-1); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// members takes a valid object apart. A repeated name is refused: which of the
// two was meant would depend on the reader.
func members(raw []byte) ([]member, error) {
	parts := elements(raw)
	ms := make([]member, 0, len(parts))
	met := make(map[string]bool, len(parts))
	for _, part := range parts {
		end := closing(part, 0) + 1
		name, err := Text(part[:end])
		if err != nil {
			return nil, err
		}
		if met[name] {
			return nil, errRepeat
		}
		met[name] = true
		value := trim(part[end:])
		ms = append(ms, member{name, trim(value[1:])})
	}
	return ms, nil
}

// elements cuts a valid list or object at its own commas.
func elements(raw []byte) [][]byte {
	inner := trim(raw[1 : len(raw)-1])
	if len(inner) == 0 {
		return nil
	}
	cut := make([][]byte, 0, maxParts) // of what has a known shape all
	depth, start := 0, 0
	for i := 0; i < len(inner); i++ {
		switch inner[i] {
		case '"':
			i = closing(inner, i)
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 0 {
				cut = append(cut, trim(inner[start:i]))
				start = i + 1
			}
		}
	}
	return append(cut, trim(inner[start:]))
}

// closing returns the place of the quote that ends the string begun at b[i].
func closing(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}

// opens reports whether raw is valid JSON that begins with c.
func opens(raw []byte, c byte) bool {
	return len(raw) > 0 && raw[0] == c && json.Valid(raw)
}
