package device

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"roadbook/record"
	"roadbook/sync/wire"
)

// schema is what a device needs of the org's schema to draw its own edits and
// to say what their author had seen. The whole text is kept for the app.
type schema struct {
	Raw json.RawMessage

	version string
	fields  map[string]map[string]*record.Field
	months  map[string]string       // by kind: the field that says when a record happened
	parents map[string]string       // by kind: the field that says what a record belongs to
	matched map[string]*record.Kind // those of which duplicates are found
}

// MarshalJSON writes the text as the server sent it.
func (s schema) MarshalJSON() ([]byte, error) {
	if len(s.Raw) == 0 {
		return []byte("null"), nil
	}
	return s.Raw, nil
}

// UnmarshalJSON reads what the server sent. A schema that this app does not
// understand is kept for one that does.
func (s *schema) UnmarshalJSON(b []byte) error {
	var in struct {
		Version string         `json:"version"`
		Kinds   []*record.Kind `json:"kinds"`
	}
	*s = schema{
		Raw:    append(json.RawMessage(nil), b...),
		fields: map[string]map[string]*record.Field{}, months: map[string]string{}, parents: map[string]string{}, matched: map[string]*record.Kind{},
	}
	if json.Unmarshal(b, &in) != nil {
		return nil //nolint:nilerr // see above
	}
	s.version = in.Version
	for _, k := range in.Kinds {
		if k == nil {
			continue
		}
		fields := make(map[string]*record.Field, len(k.Fields))
		for _, f := range k.Fields {
			if f != nil {
				fields[f.Name] = f
			}
		}
		s.fields[k.Name], s.months[k.Name], s.parents[k.Name] = fields, k.Month, k.Parent
		if k.Match != nil {
			s.matched[k.Name] = k
		}
	}
	return nil
}

// beyond lists what this schema shows of kinds that another knew, and that did
// not.
func (s *schema) beyond(was schema) (more []string) {
	for kind, fields := range s.fields {
		for name := range fields {
			if known := was.fields[kind]; known != nil && known[name] == nil {
				more = append(more, kind+"."+name)
			}
		}
	}
	slices.Sort(more)
	return more
}

// field finds a field; a key of a map ("answers.q7") is of the map's type.
func (s *schema) field(kind, name string) *record.Field {
	if f := s.fields[kind][name]; f != nil {
		return f
	}
	base, _, _ := strings.Cut(name, ".")
	return s.fields[kind][base]
}

func (s *schema) policy(kind, name string) record.Policy {
	if f := s.field(kind, name); f != nil {
		return f.Policy
	}
	return ""
}

// month is when a record happened, as "2026-08"; "" if it belongs to every
// period or nobody can tell.
func (s *schema) month(h *held) string {
	name := s.months[h.Kind]
	if name == "" {
		return ""
	}
	for _, field := range []string{name, "created_at"} {
		text := h.Set.Text(field)
		if vs, err := record.ParseValues(h.Set.Get(field)); err == nil {
			text = vs.Text("time_device")
		}
		if m, err := time.Parse("2006-01", text[:min(len(text), len("2026-08"))]); err == nil && m.Year() >= 2000 {
			return text[:len("2026-08")]
		}
	}
	return ""
}

// unit is the fields that merge as one with the named one, itself included.
func (s *schema) unit(kind, name string) []string {
	f := s.field(kind, name)
	if f == nil || f.Group == "" {
		return []string{name}
	}
	var names []string
	for _, g := range s.fields[kind] {
		if g.Group == f.Group {
			names = append(names, g.Name)
		}
	}
	return names
}

// draw returns values with an own edit on top, as its author expects to see it
// until the server has the last word. What nobody can know here (whether a
// "once" is taken, how two texts merge) is shown as typed.
func (s *schema) draw(values record.Values, e *record.Edit) record.Values {
	for _, v := range e.Set {
		raw := v.Raw
		if e.Op == record.OpCreate {
			raw = s.created(values.Get(v.Field), e.Kind, v)
		}
		values = values.With(v.Field, raw)
	}
	for _, v := range e.Add {
		values = values.With(v.Field, union(values.Get(v.Field), elements(v.Raw)))
	}
	for _, v := range e.Remove {
		values = values.With(v.Field, minus(values.Get(v.Field), elements(v.Raw)))
	}
	for _, v := range e.Inc {
		values = values.With(v.Field, plus(values.Get(v.Field), number(v.Raw)))
	}
	return values
}

// bytes is how long a record's fields will be with some edits on top.
func (s *schema) bytes(values record.Values, edits []record.Edit) int {
	for i := range edits {
		values = s.draw(values, &edits[i])
	}
	return len(values.AppendJSON(nil))
}

// created is what a create makes of a field: on a set it counts as adds, on a
// counter as a count, should the record be there already.
func (s *schema) created(was json.RawMessage, kind string, v record.Value) json.RawMessage {
	switch s.policy(kind, v.Field) {
	case record.Set:
		return union(was, elements(v.Raw))
	case record.Counter:
		return plus(was, number(v.Raw))
	default:
		return v.Raw
	}
}

// elements cuts a list into elements in their one form; what is no list has
// none.
func elements(raw json.RawMessage) []json.RawMessage {
	if record.IsNull(raw) {
		return nil
	}
	cut, err := record.ParseList(raw)
	if err != nil {
		return nil
	}
	out := make([]json.RawMessage, 0, len(cut))
	for _, e := range cut {
		canon, err := wire.Canonical(nil, e)
		if err != nil {
			canon = e
		}
		out = append(out, canon)
	}
	return out
}

// union is a set's list with more elements, sorted as the server sorts it.
func union(was json.RawMessage, more []json.RawMessage) json.RawMessage {
	all := append(elements(was), more...)
	slices.SortFunc(all, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return list(slices.CompactFunc(all, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }))
}

func minus(was json.RawMessage, less []json.RawMessage) json.RawMessage {
	return list(slices.DeleteFunc(elements(was), func(e json.RawMessage) bool {
		return slices.ContainsFunc(less, func(l json.RawMessage) bool { return bytes.Equal(e, l) })
	}))
}

func list(elems []json.RawMessage) json.RawMessage {
	out := []byte{'['}
	for i, e := range elems {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e...)
	}
	return append(out, ']')
}

func plus(was json.RawMessage, by int64) json.RawMessage {
	return strconv.AppendInt(nil, number(was)+by, 10)
}

// number is a count; what is none counts as zero.
func number(raw json.RawMessage) int64 {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
