package history

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash"
	"maps"
	"slices"
	"sync"

	"roadbook/record"
	"roadbook/store"
	"roadbook/version"
)

// Deleted stands, among the fields, for whether a record is there at all.
const Deleted = "deleted"

// Teller tells devices what became of what they wrote.
type Teller struct{ macs sync.Pool } // of hash.Hash, to sign receipts with

// NewTeller is one that signs with a key.
func NewTeller(key []byte) *Teller {
	return &Teller{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// Outcome is a row's verdict as its device is told, without values.
func (t *Teller) Outcome(org record.OrgID, epoch string, row *store.Entry, keep Verdict) record.Outcome {
	out := record.Outcome{N: row.N, ID: row.ID, Result: row.Result, Seq: row.Seq, Refusal: keep.Refusal}
	if row.Result == record.Refused {
		return out
	}
	stamp := row.Stamp
	out.Stamp, out.Over, out.Clamped = &stamp, keep.Over, keep.Clamped
	out.Receipt = t.receipt(org, epoch, row, keep.Over)
	return out
}

// receipt proves to a restored server that it once accepted a mutation, and
// what it had established of it: HMAC-SHA-256, cut to 16 bytes.
func (t *Teller) receipt(org record.OrgID, epoch string, row *store.Entry, over map[record.ID]version.Vector) string {
	mac, _ := t.macs.Get().(hash.Hash)
	defer t.macs.Put(mac)
	mac.Reset()
	b := make([]byte, 0, 128)
	b = append(b, "receipt\x00"...)
	b = binary.BigEndian.AppendUint32(b, uint32(org))
	b = append(append(b, epoch...), 0)
	b = binary.BigEndian.AppendUint32(b, uint32(row.Replica))
	b = binary.BigEndian.AppendUint64(b, row.N)
	b = append(b, row.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(row.Stamp.Packed()))
	b = binary.BigEndian.AppendUint64(b, uint64(row.Seq))
	for _, id := range slices.SortedFunc(maps.Keys(over), func(a, o record.ID) int { return slices.Compare(a[:], o[:]) }) {
		b = append(b, id[:]...)
		b = append(append(b, over[id].String()...), 0)
	}
	mac.Write(b)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// Told is a stored verdict with the values that its author may see now. look
// finds a record that he may see, or nil.
func (t *Teller) Told(
	org record.OrgID, epoch string, row *store.Entry, look func(Clash) (*record.Record, error),
) (record.Outcome, error) {
	var keep Verdict
	if row.Outcome != nil {
		if err := json.Unmarshal(row.Outcome, &keep); err != nil {
			return record.Outcome{}, err
		}
	}
	out := t.Outcome(org, epoch, row, keep)
	for _, c := range keep.Clashes {
		clash := record.Clash{Kind: c.Kind, ID: c.ID, Field: c.Field, Code: c.Code, Conflict: c.Conflict}
		rec, err := look(c)
		if err != nil {
			return out, err
		}
		if rec != nil && rec.Slot(c.Field) != nil {
			clash.Kept = rec.Slot(c.Field).Raw
			out.Records = Show(out.Records, rec, c.Field)
		}
		switch {
		case c.Field == Deleted: // an edit and a delete met, and the delete yielded
			clash.Kept, clash.Lost = json.RawMessage("false"), json.RawMessage("true")
		case c.Mine:
			clash.Lost = typed(row.Body, c.ID, c.Field)
		case rec != nil:
			clash.Lost = replaced(row.Body, c.ID, c.Field)
		}
		out.Clashes = append(out.Clashes, clash)
	}
	return out, nil
}

// Show adds a field to what is shown of a record.
func Show(out []record.Shown, rec *record.Record, field string) []record.Shown {
	value := record.Value{Field: field, Raw: rec.Slot(field).Raw}
	if last := len(out) - 1; last >= 0 && out[last].ID == rec.ID {
		out[last].Set = appendMember(out[last].Set, value)
		return out
	}
	return append(out, record.Shown{Kind: rec.Kind.Name, ID: rec.ID, Seq: rec.Seq, Set: record.Values{value}.AppendJSON(nil)})
}

func appendMember(object json.RawMessage, v record.Value) json.RawMessage {
	object = append(object[:len(object)-1], ',')
	return append(object, record.Values{v}.AppendJSON(nil)[1:]...)
}
