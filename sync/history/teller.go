package history

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"sync"

	"roadbook/record"
	"roadbook/store"
)

// Deleted stands, among the fields, for whether a record is there at all.
const Deleted = "deleted"

// Merged stands, among the fields, for what a record goes on as.
const Merged = "merged"

// Decided is the code of a clash between two who have both decided a conflict.
const Decided = "decided"

// Teller tells devices what became of what they wrote.
type Teller struct{ macs sync.Pool } // of hash.Hash, to sign receipts with

// NewTeller is one that signs with a key.
func NewTeller(key []byte) *Teller {
	return &Teller{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// Outcome is a row's verdict as its device is told, without values.
func (t *Teller) Outcome(org record.OrgID, epoch string, row *store.Entry, keep Verdict) record.Outcome {
	row = Typed(row)
	if row.Result == record.Parked {
		keep.Refusal = nil // it may still come to be
	}
	out := record.Outcome{N: row.N, ID: row.ID, Result: row.Result, Seq: row.Seq, Refusal: keep.Refusal}
	if row.Result == record.Refused {
		out.Receipt = t.receipt(org, epoch, row, nil)
		return out
	}
	stamp := row.Stamp
	out.Stamp, out.Over, out.Clamped = &stamp, keep.Over, keep.Clamped
	out.Receipt = t.receipt(org, epoch, row, keep.Over)
	return out
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
		if c.Code == Decided && c.Conflict != nil {
			asked, err := look(Clash{Kind: "conflict", ID: *c.Conflict, Field: "resolver"})
			if err != nil {
				return out, err
			}
			if asked != nil {
				clash.By, clash.At = asked.Ref("resolver"), asked.Text("decided_at")
			}
		}
		switch {
		case c.Field == Merged && c.Dead != nil:
			clash.Kept, clash.Lost = idText(c.ID), idText(*c.Dead)
		case c.Field == Deleted: // an edit and a delete met, and the delete yielded
			clash.Kept, clash.Lost = json.RawMessage("false"), json.RawMessage("true")
		case c.Via != "" && (rec != nil || c.Mine):
			clash.Lost = parted(row.Body, c)
		case c.Mine:
			clash.Lost = typed(row.Body, c.ID, c.Field)
		case rec != nil:
			clash.Lost = replaced(row.Body, c.ID, c.Field)
		}
		out.Clashes = append(out.Clashes, clash)
	}
	return out, nil
}

func idText(id record.ID) json.RawMessage {
	return append(record.AppendID([]byte{'"'}, id), '"')
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
