package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	return s.write(given, len(raw))
}

// inner checks what is a part of something that is known to be JSON.
func (s shape) inner(raw json.RawMessage) (json.RawMessage, error) {
	given, err := s.cut(raw)
	if err != nil {
		return nil, err
	}
	return s.write(given, len(raw))
}

func (s shape) write(given [maxParts]json.RawMessage, size int) (json.RawMessage, error) {
	b := append(make([]byte, 0, size), '{')
	for i, p := range s.parts {
		if given[i] == nil {
			if p.required {
				return nil, fmt.Errorf("must be %s: %s is missing", s.what, p.name)
			}
			continue
		}
		checked, err := p.check(given[i])
		if err != nil {
			return nil, fmt.Errorf("%s %w", p.name, err)
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), p.name...), `":`...)
		b = append(b, checked...)
	}
	return append(b, '}'), nil
}

// maxParts is the most that a shape has.
const maxParts = 8

// read takes the object apart: what it gives for each part, nil where that is
// nothing or null.
func (s shape) read(raw json.RawMessage) (given [maxParts]json.RawMessage, err error) {
	if raw = trim(raw); !json.Valid(raw) {
		return given, errors.New("must be " + s.what)
	}
	return s.cut(raw)
}

// cut is read of what is known to be JSON.
func (s shape) cut(raw json.RawMessage) (given [maxParts]json.RawMessage, err error) {
	if raw[0] != '{' {
		return given, errors.New("must be " + s.what)
	}
	var met [maxParts]bool
	for _, one := range elements(raw) {
		end := closing(one, 0) + 1
		name, _, err := unquote(one[:end])
		if err != nil {
			return given, err
		}
		i := s.index(name)
		if i < 0 {
			return given, fmt.Errorf("must be %s: it has no %s", s.what, clip(string(name)))
		}
		if met[i] {
			return given, errRepeat
		}
		met[i] = true
		value := trim(trim(one[end:])[1:]) // behind the colon
		if string(value) != "null" {
			given[i] = value
		}
	}
	return given, nil
}

// index is the place of a part, -1 if there is none of that name.
func (s shape) index(name []byte) int {
	return slices.IndexFunc(s.parts, func(p part) bool { return p.name == string(name) })
}
