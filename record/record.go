// Package record holds the nouns that travel: records and their fields, the
// mutations that change them, and the schema that says what they may hold. It
// does no I/O and decides nothing about conflicts or rights.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// OrgID is an org's number inside this installation. It never travels.
type OrgID int32

// ScopeID is a scope's number inside this installation; devices know its name.
type ScopeID int32

// ReplicaID is a replica's number inside this installation; devices know its
// name, which is the number in base 32.
type ReplicaID int32

// Seq is a place in an org's log. It travels as a string, because an epoch
// jump takes it past what JavaScript counts exactly.
type Seq int64

// String is the decimal form.
func (s Seq) String() string { return strconv.FormatInt(int64(s), 10) }

// MarshalJSON writes the seq as a string.
func (s Seq) MarshalJSON() ([]byte, error) {
	return append(strconv.AppendInt([]byte{'"'}, int64(s), 10), '"'), nil
}

// UnmarshalJSON takes a string or a number, not below zero.
func (s *Seq) UnmarshalJSON(b []byte) error {
	if len(b) > 1 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	n, err := strconv.ParseUint(string(b), 10, 63)
	if err != nil {
		return fmt.Errorf("a seq is a whole number: %w", err)
	}
	*s = Seq(n)
	return nil
}

// ID names a record, a mutation, a person or a device: a UUID, version 7 by
// custom, made where the thing is made.
type ID uuid.UUID

// NoID names nothing.
var NoID ID

// ParseID reads the canonical form of 36 characters and no other.
func ParseID(s string) (ID, error) {
	if len(s) != 36 {
		return NoID, errors.New("an id is a UUID of 36 characters")
	}
	u, err := uuid.Parse(s)
	if err != nil {
		return NoID, errors.New("an id is a UUID of 36 characters")
	}
	return ID(u), nil
}

// MustID is ParseID for constants.
func MustID(s string) ID {
	id, err := ParseID(s)
	if err != nil {
		panic(err)
	}
	return id
}

// Derive makes an id that follows from another and a reason, so that doing the
// same thing twice names the same record.
func (id ID) Derive(reason string) ID {
	return ID(uuid.NewSHA1(uuid.UUID(id), []byte(reason)))
}

// IsZero reports whether id names nothing.
func (id ID) IsZero() bool { return id == NoID }

func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	return uuid.UUID(id).String()
}

// MarshalText writes the canonical form, or nothing for NoID.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the canonical form; empty text is NoID.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = NoID
		return nil
	}
	read, err := ParseID(string(b))
	*id = read
	return err
}

// Value is one named value as JSON text: a field and what it is set to, or a
// set field and the list of elements added to it.
type Value struct {
	Field string
	Raw   json.RawMessage
}

// Values is an object of fields in the order in which they were written.
type Values []Value

// Get returns the raw value of a field, or nil.
func (vs Values) Get(field string) json.RawMessage {
	for _, v := range vs {
		if v.Field == field {
			return v.Raw
		}
	}
	return nil
}

// Text returns a field's value as text, or "" if it is absent or not text.
func (vs Values) Text(field string) string {
	s, _ := (*Names)(nil).Text(vs.Get(field))
	return s
}

// With returns a copy in which field has the given value.
func (vs Values) With(field string, raw json.RawMessage) Values {
	out := make(Values, 0, len(vs)+1)
	found := false
	for _, v := range vs {
		if v.Field == field {
			v.Raw, found = raw, true
		}
		out = append(out, v)
	}
	if !found {
		out = append(out, Value{Field: field, Raw: raw})
	}
	return out
}

// AppendJSON appends the object to b.
func (vs Values) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, v := range vs {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, v.Field)
		b = append(b, ':')
		b = append(b, v.Raw...)
	}
	return append(b, '}')
}

// MarshalJSON writes the object in order.
func (vs Values) MarshalJSON() ([]byte, error) { return vs.AppendJSON(nil), nil }

// UnmarshalJSON reads an object, keeping the order; a repeated name is refused.
func (vs *Values) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	read, err := ParseValues(append([]byte(nil), b...))
	*vs = read
	return err
}

// AppendString appends s as a JSON string, escaping only what must be.
func AppendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	short := [0x20]byte{'\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r'}
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 && short[c] != 0:
			b = append(b, '\\', short[c])
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// SortedIDs are some ids in order, each once.
func SortedIDs(ids []ID) []ID {
	out := slices.Clone(ids)
	slices.SortFunc(out, func(a, b ID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(out)
}
