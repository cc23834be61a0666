package record

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"slices"
)

// Covered is what a remove or a delete had seen and the log has lost: a server
// that was restored to an earlier point gets the writes of many devices back in
// any order. A write that comes back after the one that undid it must not undo
// that. It is remembered for each element on its own; for the whole record what
// one remove has seen would take away what others have added.
type Covered struct {
	Field string          // "" is the record itself, covered by a delete
	Elem  json.RawMessage // of a set
	By    ReplicaID
	UpTo  uint64 // the writes of By up to this number
}

// Cover remembers that some writes of an element, or of the record, were undone
// by somebody who had seen them.
func (r *Record) Cover(field string, elem json.RawMessage, dots map[ReplicaID]uint64) {
	for by, upTo := range dots {
		i := slices.IndexFunc(r.Covered, func(c Covered) bool {
			return c.By == by && c.Field == field && bytes.Equal(c.Elem, elem)
		})
		if i < 0 {
			r.Covered = append(r.Covered, Covered{Field: field, Elem: elem, By: by, UpTo: upTo})
		} else {
			r.Covered[i].UpTo = max(r.Covered[i].UpTo, upTo)
		}
	}
	slices.SortFunc(r.Covered, func(a, b Covered) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), bytes.Compare(a.Elem, b.Elem), cmp.Compare(a.By, b.By))
	})
}

// Undone reports whether a write was undone before it came back.
func (r *Record) Undone(field string, elem json.RawMessage, w Writer) bool {
	return slices.ContainsFunc(r.Covered, func(c Covered) bool {
		return c.By == w.Replica && w.N <= c.UpTo && c.Field == field && bytes.Equal(c.Elem, elem)
	})
}

// Forget drops what is remembered of a replica whose writes up to n are back.
func (r *Record) Forget(by ReplicaID, n uint64) {
	r.Covered = slices.DeleteFunc(r.Covered, func(c Covered) bool { return c.By == by && c.UpTo <= n })
}

// appendCovered writes nothing for nearly every record: what follows the delete
// may be absent.
func appendCovered(b []byte, covered []Covered) []byte {
	if len(covered) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(covered)))
	for _, c := range covered {
		b = append(binary.AppendUvarint(b, uint64(len(c.Field))), c.Field...)
		b = append(binary.AppendUvarint(b, uint64(len(c.Elem))), c.Elem...)
		b = binary.AppendUvarint(b, uint64(uint32(c.By)))
		b = binary.AppendUvarint(b, c.UpTo)
	}
	return b
}

func (m *metaReader) covered() []Covered {
	if len(m.b) == 0 || m.err != nil {
		return nil
	}
	n := m.count()
	if n == 0 {
		return nil // versions follow
	}
	out := make([]Covered, n)
	for i := range out {
		out[i] = Covered{Field: string(m.bytes()), Elem: m.bytes(), By: ReplicaID(m.uvarint()), UpTo: m.uvarint()}
	}
	return out
}

// bytes reads as many bytes as it is told to.
func (m *metaReader) bytes() []byte {
	n := m.count()
	out := m.b[:n:n]
	m.b = m.b[n:]
	if n == 0 {
		return nil
	}
	return slices.Clone(out)
}
