package record

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"roadbook/version"
)

// metaVersion is the first byte of a record's metadata. A later form gets
// another number, so that old rows stay readable.
const metaVersion = 1

var errMeta = errors.New("the record's metadata is damaged")

// AppendFields appends the record's fields as one JSON object, in their order.
func (r *Record) AppendFields(b []byte) []byte {
	b = append(b, '{')
	for i := range r.Slots {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, r.Slots[i].Field)
		b = append(b, ':')
		b = append(b, r.Slots[i].Raw...)
	}
	return append(b, '}')
}

// Pack is the record's fields as one JSON object, whose memory its values share
// from then on: what they were cut from, a whole push, need not be kept for the
// sake of a few of them.
func (r *Record) Pack() []byte {
	size := 2
	for i := range r.Slots {
		size += len(r.Slots[i].Field) + len(r.Slots[i].Raw) + 4
	}
	b := r.AppendFields(make([]byte, 0, size))
	at := 1
	for i := range r.Slots {
		s := &r.Slots[i]
		at = skipText(b, at) + 1
		end := at + len(s.Raw)
		s.Raw = b[at:end:end]
		at = end + 1
		if len(s.Elems) > 0 {
			s.Elems = packed(s.Elems, s.Raw)
		}
	}
	return b
}

// packed are elements that lie in the list of them.
func packed(elems []Elem, list json.RawMessage) []Elem {
	out := make([]Elem, len(elems))
	at := 1
	for i, e := range elems {
		end := at + len(e.Raw)
		if end >= len(list) || !bytes.Equal(list[at:end], e.Raw) {
			return elems // they are as they were
		}
		out[i] = Elem{Raw: list[at:end:end], Adds: e.Adds}
		at = end + 1
	}
	return out
}

// AppendMeta appends who wrote what, in the order of the fields: a table of
// writers, then for each field its writer and, of a set, those of its
// elements, then the vector and the delete. A record written at once has one
// writer, so 20 fields cost about 60 bytes.
func (r *Record) AppendMeta(b []byte) []byte {
	var writers [8]Writer // room for what most records need
	var space [256]byte
	t, body := writerTable(writers[:0]), space[:0]
	for i := range r.Slots {
		s := &r.Slots[i]
		body = t.appendSlot(body, s)
	}
	body = binary.AppendUvarint(body, uint64(len(r.Vector)))
	for _, w := range r.Vector {
		body = binary.AppendUvarint(body, t.index(w))
	}
	body = binary.AppendUvarint(body, t.index(r.Tomb))
	body = appendCovered(body, r.Covered)
	body = t.appendVersions(body, r)
	body = t.appendAsked(body, r)
	b = append(b, metaVersion)
	b = binary.AppendUvarint(b, uint64(len(t)))
	for _, w := range t {
		b = binary.AppendUvarint(b, uint64(uint32(w.Replica)))
		b = binary.AppendUvarint(b, w.N)
		b = binary.AppendUvarint(b, uint64(w.Stamp.Packed()))
		b = binary.AppendUvarint(b, uint64(w.Seq))
	}
	return append(b, body...)
}

// writerTable gives each writer its index, from 1; 0 is nobody. A write that a
// record has taken over from another has come into it at another place in the
// log than its own.
type writerTable []Writer

func (t *writerTable) index(w Writer) uint64 {
	if w.IsZero() {
		return 0
	}
	for i, o := range *t {
		if o == w {
			return uint64(i + 1)
		}
	}
	*t = append(*t, w)
	return uint64(len(*t))
}

func (t *writerTable) appendSlot(b []byte, s *Slot) []byte {
	b = binary.AppendUvarint(b, t.index(s.By))
	b = binary.AppendUvarint(b, uint64(len(s.Elems)))
	for _, e := range s.Elems {
		b = binary.AppendUvarint(b, uint64(len(e.Adds)))
		for _, w := range e.Adds {
			b = binary.AppendUvarint(b, t.index(w))
		}
	}
	return b
}

// metaReader walks over metadata; its first error sticks.
type metaReader struct {
	b       []byte
	writers []Writer
	err     error
}

func (m *metaReader) uvarint() uint64 {
	v, n := binary.Uvarint(m.b)
	if n <= 0 {
		m.err, m.b = errMeta, nil
		return 0
	}
	m.b = m.b[n:]
	return v
}

// count reads a number of things that take at least a byte each.
func (m *metaReader) count() int {
	n := m.uvarint()
	if n > uint64(len(m.b)) {
		m.err = errMeta
		return 0
	}
	return int(n)
}

func (m *metaReader) writer() Writer {
	i := m.uvarint()
	if i == 0 {
		return Writer{}
	}
	if i > uint64(len(m.writers)) {
		m.err = errMeta
		return Writer{}
	}
	return m.writers[i-1]
}

func openMeta(meta []byte) (*metaReader, error) {
	if len(meta) == 0 || meta[0] != metaVersion {
		return nil, fmt.Errorf("%w: unknown form", errMeta)
	}
	m := &metaReader{b: meta[1:]}
	m.writers = make([]Writer, 0, 4)
	for range m.count() {
		m.writers = append(m.writers, Writer{
			Replica: ReplicaID(m.uvarint()),
			N:       m.uvarint(),
			Stamp:   version.Unpack(int64(m.uvarint())),
			Seq:     Seq(m.uvarint()),
		})
	}
	return m, m.err
}

func (m *metaReader) slot(s *Slot) {
	s.By = m.writer()
	n := m.count()
	if n == 0 {
		return
	}
	raws, err := ParseList(s.Raw)
	if err != nil || len(raws) != n {
		m.err = errMeta
		return
	}
	s.Elems = make([]Elem, n)
	for i := range s.Elems {
		s.Elems[i].Raw = raws[i]
		for range m.count() {
			s.Elems[i].Adds = append(s.Elems[i].Adds, m.writer())
		}
	}
}

// Load fills the record's slots, vector and tomb from what AppendFields and
// AppendMeta wrote. The slots share the memory of fields.
func (r *Record) Load(fields, meta []byte) error {
	names := Names{kind: r.Kind} // or each record that is remembered would have its own
	values, err := names.AppendValues(nil, fields)
	if err != nil {
		return fmt.Errorf("the record's fields are damaged: %w", err)
	}
	m, err := openMeta(meta)
	if err != nil {
		return err
	}
	r.Slots = make([]Slot, len(values), len(values)+4)
	for i, v := range values {
		r.Slots[i] = Slot{Field: v.Field, Raw: v.Raw}
		m.slot(&r.Slots[i])
	}
	r.Vector = nil
	for range m.count() {
		r.Vector = append(r.Vector, m.writer())
	}
	r.Tomb = m.writer()
	r.Covered = m.covered()
	m.versions(r.Slots)
	m.asked(r.Slots)
	return m.err
}

// Since returns the fields of a stored record that changed after a place in
// the log. They share the memory of fields.
func Since(fields, meta []byte, seq Seq) (Values, error) {
	values, err := ParseValues(fields)
	if err != nil {
		return nil, fmt.Errorf("the record's fields are damaged: %w", err)
	}
	m, err := openMeta(meta)
	if err != nil {
		return nil, err
	}
	newer := values[:0]
	for _, v := range values {
		by := m.writer()
		for range m.count() {
			for range m.count() {
				m.writer()
			}
		}
		if by.Seq > seq {
			newer = append(newer, v)
		}
	}
	return newer, m.err
}

// AppendSeqs appends the places in the log of all writes that a stored record
// remembers, as they come: Since compares with no others.
func AppendSeqs(dst []Seq, meta []byte) ([]Seq, error) {
	m, err := openMeta(meta)
	if err != nil {
		return dst, err
	}
	for _, w := range m.writers {
		dst = append(dst, w.Seq)
	}
	return dst, nil
}
