package record

import (
	"encoding/binary"
	"encoding/json"
)

// appendVersions writes the versions of all fields behind what a restore has
// left. Nearly no record has any, nor anything that follows, and then there is
// nothing at all.
func (t *writerTable) appendVersions(b []byte, r *Record) []byte {
	fields, asked := 0, false
	for i := range r.Slots {
		if len(r.Slots[i].Versions) > 0 {
			fields++
		}
		asked = asked || len(r.Slots[i].Asked) > 0
	}
	if fields == 0 && !asked {
		return b
	}
	if len(r.Covered) == 0 {
		b = append(b, 0) // what follows the delete comes in this order
	}
	b = binary.AppendUvarint(b, uint64(fields))
	for i := range r.Slots {
		versions := r.Slots[i].Versions
		if len(versions) == 0 {
			continue
		}
		b = binary.AppendUvarint(b, uint64(i))
		b = binary.AppendUvarint(b, uint64(len(versions)))
		for _, v := range versions {
			b = binary.AppendUvarint(b, t.index(v.By))
			for _, raw := range []json.RawMessage{v.Raw, v.From} {
				b = append(binary.AppendUvarint(b, uint64(len(raw))), raw...)
			}
		}
	}
	return b
}

// slotAt reads which field something is of.
func (m *metaReader) slotAt(slots []Slot) *Slot {
	at := m.uvarint()
	if at >= uint64(len(slots)) {
		m.err = errMeta
		return &Slot{} // read on; the error sticks
	}
	return &slots[at]
}

// versions reads what appendVersions wrote.
func (m *metaReader) versions(slots []Slot) {
	if len(m.b) == 0 || m.err != nil {
		return
	}
	for range m.count() {
		s := m.slotAt(slots)
		for range m.count() {
			s.Versions = append(s.Versions, Version{By: m.writer(), Raw: m.bytes(), From: m.bytes()})
		}
	}
}

// appendAsked writes the open conflicts about all fields, at the very end.
func (t *writerTable) appendAsked(b []byte, r *Record) []byte {
	fields := 0
	for i := range r.Slots {
		if len(r.Slots[i].Asked) > 0 {
			fields++
		}
	}
	if fields == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(fields))
	for i := range r.Slots {
		asked := r.Slots[i].Asked
		if len(asked) == 0 {
			continue
		}
		b = binary.AppendUvarint(b, uint64(i))
		b = binary.AppendUvarint(b, uint64(len(asked)))
		for _, a := range asked {
			b = append(b, a.ID[:]...)
			b = binary.AppendUvarint(b, uint64(len(a.Writers)))
			for _, w := range a.Writers {
				b = binary.AppendUvarint(b, t.index(w))
			}
		}
	}
	return b
}

// asked reads what appendAsked wrote.
func (m *metaReader) asked(slots []Slot) {
	if len(m.b) == 0 || m.err != nil {
		return
	}
	for range m.count() {
		s := m.slotAt(slots)
		for range m.count() {
			a := Asked{ID: m.id()}
			for range m.count() {
				a.Writers = append(a.Writers, m.writer())
			}
			s.Asked = append(s.Asked, a)
		}
	}
}

// id reads an id as it is.
func (m *metaReader) id() (id ID) {
	if len(m.b) < len(id) {
		m.err, m.b = errMeta, nil
		return id
	}
	m.b = m.b[copy(id[:], m.b):]
	return id
}
