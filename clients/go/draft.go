package device

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// Values are the fields of a new record and what they hold: anything that JSON
// can say, raw JSON included.
type Values map[string]any

// Draft is what a person does to one record in one mutation. Doing a thing
// twice leaves the last. A mistake is reported when the mutation is typed.
type Draft struct {
	op   record.Op // create, restore or delete when there is more to it than an edit
	kind string
	id   record.ID
	view View // before

	set         record.Values
	add, remove map[string][]json.RawMessage
	inc         map[string]int64
	saw         record.Seq // of what a decision is about, which is another record
	err         error
}

// View is the record as it was shown before.
func (dr *Draft) View() View { return dr.view }

// Set gives a field a value.
func (dr *Draft) Set(field string, value any) {
	raw, err := encode(value)
	if err != nil {
		dr.wrong("value", "the value of %s cannot be written down", field)
		return
	}
	dr.set = dr.set.With(field, raw)
}

// Clear takes a field's value away.
func (dr *Draft) Clear(field string) { dr.Set(field, nil) }

// Add puts elements into a set.
func (dr *Draft) Add(field string, elems ...any) {
	list := dr.elems(field, elems)
	if dr.op == record.OpCreate {
		dr.set = dr.set.With(field, union(dr.set.Get(field), list))
		return
	}
	move(&dr.remove, &dr.add, field, list)
}

// Remove takes elements out of a set.
func (dr *Draft) Remove(field string, elems ...any) {
	list := dr.elems(field, elems)
	if dr.op == record.OpCreate {
		dr.set = dr.set.With(field, minus(dr.set.Get(field), list))
		return
	}
	move(&dr.add, &dr.remove, field, list)
}

// Inc counts a counter up, or down.
func (dr *Draft) Inc(field string, by int64) {
	if dr.op == record.OpCreate {
		dr.set = dr.set.With(field, plus(dr.set.Get(field), by))
		return
	}
	if dr.inc == nil {
		dr.inc = map[string]int64{}
	}
	dr.inc[field] += by
}

func (dr *Draft) wrong(code, format string, args ...any) {
	if dr.err == nil {
		dr.err = errs.New("device.Mutate", errs.Invalid, "%s", fmt.Sprintf(format, args...)).Coded(code)
	}
}

// elems are elements in the one form in which they can be compared.
func (dr *Draft) elems(field string, values []any) []json.RawMessage {
	list := make([]json.RawMessage, 0, len(values))
	for _, v := range values {
		raw, err := encode(v)
		if err == nil {
			raw, err = wire.Canonical(nil, raw)
		}
		if err != nil {
			dr.wrong("value", "an element of %s cannot be written down", field)
			return nil
		}
		list = append(list, raw)
	}
	return list
}

// check finds what the server would refuse whoever sends it.
func (dr *Draft) check(s *schema) error {
	for _, v := range dr.set {
		switch p := s.policy(dr.kind, v.Field); {
		case dr.op == record.OpCreate:
		case p == record.Counter, p == record.Set:
			dr.wrong("policy", "%s is counted or collected, it cannot be set", v.Field)
		}
	}
	return dr.err
}

// empty reports whether the draft does nothing.
func (dr *Draft) empty() bool {
	return dr.op == record.OpEdit && len(dr.set)+len(dr.add)+len(dr.remove)+len(dr.inc) == 0
}

// encode writes a value as JSON, without what HTML would need.
func encode(value any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// move adds elements to one side of a draft and takes them off the other.
func move(from, to *map[string][]json.RawMessage, field string, elems []json.RawMessage) {
	if *to == nil {
		*to = map[string][]json.RawMessage{}
	}
	for _, e := range elems {
		same := func(o json.RawMessage) bool { return bytes.Equal(o, e) }
		if left := slices.DeleteFunc((*from)[field], same); len(left) > 0 {
			(*from)[field] = left
		} else {
			delete(*from, field)
		}
		if !slices.ContainsFunc((*to)[field], same) {
			(*to)[field] = append((*to)[field], e)
		}
	}
}

func lists(fields map[string][]json.RawMessage) record.Values {
	var vs record.Values
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		vs = append(vs, record.Value{Field: f, Raw: list(fields[f])})
	}
	return vs
}

func counts(fields map[string]int64) record.Values {
	var vs record.Values
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		vs = append(vs, record.Value{Field: f, Raw: strconv.AppendInt(nil, fields[f], 10)})
	}
	return vs
}
