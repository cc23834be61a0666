package record

import (
	"encoding/binary"
	"encoding/json"
)

// appendVersions writes the versions of all fields behind what a restore has
// left. Nearly no record has any, and then nothing follows at all.
func (t *writerTable) appendVersions(b []byte, r *Record) []byte {
	fields := 0
	for i := range r.Slots {
		if len(r.Slots[i].Versions) > 0 {
			fields++
		}
	}
	if fields == 0 {
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

// versions reads what appendVersions wrote.
func (m *metaReader) versions(slots []Slot) {
	if len(m.b) == 0 || m.err != nil {
		return
	}
	for range m.count() {
		at := m.uvarint()
		if at >= uint64(len(slots)) {
			m.err = errMeta
			return
		}
		s := &slots[at]
		for range m.count() {
			s.Versions = append(s.Versions, Version{By: m.writer(), Raw: m.bytes(), From: m.bytes()})
		}
	}
}
