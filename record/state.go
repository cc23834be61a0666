package record

import (
	"encoding/json"
	"slices"

	"roadbook/version"
)

// State says whether a record is there.
type State int16

// The two states.
const (
	Live    State = 0
	Deleted State = 1 // a tombstone
)

// Writer is one write as a record remembers it: whose, when, and where in the
// log. Its replica is the number, which sorts as the name does.
type Writer struct {
	Replica ReplicaID
	N       uint64
	Stamp   version.Stamp
	Seq     Seq
}

// IsZero reports whether nobody wrote.
func (w Writer) IsZero() bool { return w.N == 0 }

// Same reports whether a and b are the same write.
func (w Writer) Same(o Writer) bool { return w.Replica == o.Replica && w.N == o.N }

// Slot is a field that has a value, and who gave it.
type Slot struct {
	Field string
	Raw   json.RawMessage // canonical; of a set, the sorted list of its elements
	By    Writer          // the last write; of a set, the last change
	Elems []Elem          // of a set, in the order of the list

	// Versions are the writes that nobody has replaced knowingly, of a state or
	// of what people decide: if there are several, they stand against each
	// other. Of a text or a list they are the writes that have come into it since
	// somebody knew all of it.
	Versions []Version

	// Asked are the open conflicts about it. Whoever writes the field knowing all
	// that one of them is between has answered it.
	Asked []Asked
}

// Asked is an open conflict, and the writes that it is between.
type Asked struct {
	ID      ID
	Writers []Writer
}

// Version is a write that a field remembers beside its value.
type Version struct {
	By   Writer
	Raw  json.RawMessage // what it says
	From json.RawMessage // what stood there by all that its author had read
}

// Elem is an element of a set and the adds that hold it there. It is gone when
// none is left.
type Elem struct {
	Raw  json.RawMessage
	Adds []Writer
}

// Record is a record as the server holds it.
type Record struct {
	Kind    *Kind
	ID      ID
	State   State
	Month   Month
	Owner   ID
	Parent  ID
	Root    ID
	Scopes  []ScopeID // sorted
	Entered []Seq     // in the order of Scopes
	Seq     Seq       // of the last change of content
	Slots   []Slot
	Vector  []Writer  // the last write of each replica above the floor
	Tomb    Writer    // the delete, of a tombstone
	Covered []Covered // what was undone and is not back, after a restore
}

// spareSlots is how many fields a copy can be given that it did not have.
const spareSlots = 2

// Clone returns a copy that may be changed without touching r. Raw values are
// shared: they are replaced, never written into.
func (r *Record) Clone() *Record {
	c := *r
	c.Scopes = slices.Clone(r.Scopes)
	c.Entered = slices.Clone(r.Entered)
	c.Slots = append(make([]Slot, 0, len(r.Slots)+spareSlots), r.Slots...)
	c.Vector = slices.Clone(r.Vector)
	c.Covered = slices.Clone(r.Covered)
	return &c
}

// Slot finds a field's slot, or nil.
func (r *Record) Slot(field string) *Slot {
	for i := range r.Slots {
		if r.Slots[i].Field == field {
			return &r.Slots[i]
		}
	}
	return nil
}

// Put returns the slot of a field, made empty if it was not there.
func (r *Record) Put(field string) *Slot {
	if s := r.Slot(field); s != nil {
		return s
	}
	r.Slots = append(r.Slots, Slot{Field: field})
	return &r.Slots[len(r.Slots)-1]
}

// Raw is a field's value as JSON, nil if it has none or was cleared.
func (r *Record) Raw(field string) json.RawMessage {
	s := r.Slot(field)
	if s == nil || IsNull(s.Raw) {
		return nil
	}
	return s.Raw
}

// Text is a field's value as text, "" if it has none.
func (r *Record) Text(field string) string {
	var text string
	raw := r.Raw(field)
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if text, err := unquote(raw); err == nil {
		return text
	}
	return text
}

// Texts are the elements of a set of texts.
func (r *Record) Texts(field string) []string {
	var texts []string
	if raw := r.Raw(field); raw != nil && json.Unmarshal(raw, &texts) != nil {
		return nil
	}
	return texts
}

// Ref is a field's value as an id, NoID if it has none.
func (r *Record) Ref(field string) ID {
	id, _ := RawID(r.Raw(field)) // canonical, so without escapes
	return id
}

// In reports whether the record is in a scope, and since which seq.
func (r *Record) In(scope ScopeID) (Seq, bool) {
	i, found := slices.BinarySearch(r.Scopes, scope)
	if !found {
		return 0, false
	}
	return r.Entered[i], true
}

// Saw notes a write in the record's vector.
func (r *Record) Saw(w Writer) {
	for i := range r.Vector {
		if r.Vector[i].Replica == w.Replica {
			if r.Vector[i].N < w.N {
				r.Vector[i] = w
			}
			return
		}
	}
	r.Vector = append(r.Vector, w)
}

// Prune drops from the vector what every living replica has applied. It is
// exact, because it goes by a place in a total order and not by time.
func (r *Record) Prune(floor Seq) {
	r.Vector = slices.DeleteFunc(r.Vector, func(w Writer) bool { return w.Seq <= floor })
}

// OrNull is raw, or null if that is absent.
func OrNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// IsNull reports whether raw is no value: absent, or a field cleared.
func IsNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }
