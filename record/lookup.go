package record

import (
	"fmt"
	"slices"

	"roadbook/record/field"
)

// MaxLookup is the largest number of a look-up field in its kind: with the
// kind's it makes one small number in storage, and a kind that needs more than
// this many wants a search engine.
const MaxLookup = 63

// MaxLookupKind is the largest number of a kind with look-up fields.
const MaxLookupKind = 1<<15/(MaxLookup+1) - 1

// LookupNo is the number of a look-up field among all of an org.
func (k *Kind) LookupNo(f *Field) int16 { return k.No*(MaxLookup+1) + f.Lookup }

// Lookups are the fields that lists filter and sort by, as far as they have
// rows of their own. Owner and parent need none: every record says them.
func (k *Kind) Lookups() []*Field { return k.lookups }

// checkLookup takes in a look-up field.
func (k *Kind) checkLookup(f *Field) (wrong []string) {
	if f.Lookup == 0 {
		return nil
	}
	for _, other := range k.lookups {
		if other.Lookup == f.Lookup {
			wrong = append(wrong, fmt.Sprintf("%s.%s and %s are looked up by one number", k.Name, f.Name, other.Name))
		}
	}
	switch {
	case f.Lookup < 0 || f.Lookup > MaxLookup || k.No > MaxLookupKind:
		wrong = append(wrong, fmt.Sprintf("%s.%s: look-up fields are numbered from 1 to %d, in kinds up to %d", k.Name, f.Name, MaxLookup, MaxLookupKind))
	case !field.HasKey(f.Type):
		wrong = append(wrong, fmt.Sprintf("%s.%s: nobody can look up by a field of type %q", k.Name, f.Name, f.Type))
	case f.Name == k.Parent || f.Name == "owner":
		wrong = append(wrong, fmt.Sprintf("%s.%s: it can be looked up by without a number", k.Name, f.Name))
	}
	k.lookups = append(k.lookups, f)
	return wrong
}

// LookupRow is one value of a look-up field.
type LookupRow struct {
	Field int16
	Val   string
}

// AppendLookups appends the rows of a record's look-up fields. A tombstone has
// none.
func (r *Record) AppendLookups(rows []LookupRow) []LookupRow {
	if r.State == Deleted {
		return rows
	}
	for _, f := range r.Kind.lookups {
		if s := r.Slot(f.Name); s != nil {
			rows = r.Kind.appendLookup(rows, f, s)
		}
	}
	return r.appendMatches(rows)
}

// appendLookup appends the rows of one field. What the type of today cannot
// read, because the schema has changed since it was written, cannot be looked
// up by.
func (k *Kind) appendLookup(rows []LookupRow, f *Field, s *Slot) []LookupRow {
	if IsNull(s.Raw) {
		return rows
	}
	if f.Policy != Set {
		if key, err := field.Key(f.Type, s.Raw); err == nil {
			rows = append(rows, LookupRow{k.LookupNo(f), key})
		}
		return rows
	}
	elements, err := ParseList(s.Raw)
	if err != nil {
		return rows
	}
	first := len(rows)
	for _, e := range elements {
		key, err := field.Key(f.Type, e)
		if row := (LookupRow{k.LookupNo(f), key}); err == nil && !slices.Contains(rows[first:], row) {
			rows = append(rows, row) // long texts that begin alike have one key
		}
	}
	return rows
}

// ChangedLookups are the rows that a change of a record takes away and brings.
// was is nil for a new record.
func ChangedLookups(was, now *Record) (gone, come []LookupRow) {
	if was == nil {
		return nil, now.AppendLookups(nil)
	}
	if was.State != now.State {
		return was.AppendLookups(nil), now.AppendLookups(nil)
	}
	if now.State == Deleted {
		return nil, nil
	}
	for _, f := range now.Kind.lookups {
		a, b := was.Slot(f.Name), now.Slot(f.Name)
		switch {
		case a == nil && b == nil, a != nil && b != nil && string(a.Raw) == string(b.Raw):
			continue
		}
		if a != nil {
			gone = now.Kind.appendLookup(gone, f, a)
		}
		if b != nil {
			come = now.Kind.appendLookup(come, f, b)
		}
	}
	if now.MatchesOtherwise(was) {
		gone, come = was.appendMatches(gone), now.appendMatches(come)
	}
	return gone, come
}
