package field

import (
	"encoding/json"
	"errors"
	"fmt"
)

// shape describes an object with known members, which are stored in the order
// of parts. It refuses members it does not know, because what is stored would
// not be what was sent.
type shape struct {
	what  string // for the message: "an amount with its currency"
	parts []part
}

// part is one member of a shape.
type part struct {
	name     string
	required bool
	check    func(json.RawMessage) (json.RawMessage, error)
}

// as makes the check of a part from a type that needs no Spec.
func as(t Type) func(json.RawMessage) (json.RawMessage, error) {
	return func(raw json.RawMessage) (json.RawMessage, error) { return t.Check(Spec{}, raw) }
}

// check returns raw with every part checked and in its place. A null part is
// left out.
func (s shape) check(raw json.RawMessage) (json.RawMessage, error) {
	given, err := s.read(raw)
	if err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, len(raw)), '{')
	for _, p := range s.parts {
		value, ok := given[p.name]
		if !ok {
			if p.required {
				return nil, fmt.Errorf("must be %s: %s is missing", s.what, p.name)
			}
			continue
		}
		checked, err := p.check(value)
		if err != nil {
			return nil, fmt.Errorf("%s %w", p.name, err)
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(b, quote(p.name)...), ':')
		b = append(b, checked...)
	}
	return append(b, '}'), nil
}

// read takes the object apart, without the members that are null.
func (s shape) read(raw json.RawMessage) (map[string]json.RawMessage, error) {
	raw = trim(raw)
	if !opens(raw, '{') {
		return nil, errors.New("must be " + s.what)
	}
	ms, err := members(raw)
	if err != nil {
		return nil, err
	}
	given := make(map[string]json.RawMessage, len(ms))
	for _, m := range ms {
		if !s.knows(m.name) {
			return nil, fmt.Errorf("must be %s: it has no %s", s.what, clip(m.name))
		}
		if string(m.raw) != "null" {
			given[m.name] = m.raw
		}
	}
	return given, nil
}

func (s shape) knows(name string) bool {
	for _, p := range s.parts {
		if p.name == name {
			return true
		}
	}
	return false
}
