package sync

import (
	"encoding/json"
	"fmt"
	"strconv"

	"roadbook/record"
)

// editBody is one edit as the log keeps it: what was typed, what stood there
// before, and the record's seq before, by which its history is walked.
type editBody struct {
	Edit   *record.Edit
	P      record.Seq
	Was    record.Values
	Server bool // the engine did this, nobody typed it
	Buried bool // it met a delete that wins
}

func (b *editBody) append(out []byte) []byte {
	e := b.Edit
	out = append(out, `{"op":"`...)
	out = append(out, e.Op...)
	out = append(out, `","kind":`...)
	out = record.AppendString(out, e.Kind)
	out = append(out, `,"id":"`...)
	out = append(out, e.ID.String()...)
	out = append(out, '"')
	if b.P != 0 {
		out = append(out, `,"p":"`...)
		out = strconv.AppendInt(out, int64(b.P), 10)
		out = append(out, '"')
	}
	for _, part := range []struct {
		name   string
		values record.Values
	}{{"set", e.Set}, {"add", e.Add}, {"remove", e.Remove}, {"inc", e.Inc}, {"was", b.Was}} {
		if len(part.values) > 0 {
			out = append(out, `,"`+part.name+`":`...)
			out = part.values.AppendJSON(out)
		}
	}
	if b.Server {
		out = append(out, `,"by":"server"`...)
	}
	if b.Buried {
		out = append(out, `,"buried":true`...)
	}
	return append(out, '}')
}

// body is the row's text. What could not even be read has none.
func (s *settling) body() []byte {
	if s.m.Broken != nil {
		return []byte("[]")
	}
	out := []byte{'['}
	for i := range s.edits {
		if i > 0 {
			out = append(out, ',')
		}
		out = s.edits[i].append(out)
	}
	return append(out, ']')
}

// pastEdit is an edit as read back from the log.
type pastEdit struct {
	Op     record.Op     `json:"op"`
	ID     record.ID     `json:"id"`
	P      record.Seq    `json:"p"`
	Set    record.Values `json:"set"`
	Was    record.Values `json:"was"`
	Buried bool          `json:"buried"`
}

func pastEdits(body []byte) ([]pastEdit, error) {
	var edits []pastEdit
	if err := json.Unmarshal(body, &edits); err != nil {
		return nil, fmt.Errorf("a row of the log is damaged: %w", err)
	}
	return edits, nil
}

// typed is the value that a mutation wanted to give a field.
func typed(body []byte, id record.ID, field string) json.RawMessage {
	edits, err := pastEdits(body)
	if err != nil {
		return nil
	}
	var last json.RawMessage
	for _, e := range edits {
		if v := e.Set.Get(field); e.ID == id && v != nil {
			last = v
		}
	}
	return last
}

// valueAt is a field's value as it stood at a place in the log: from what it is
// now back along the record's own rows. Nil means that it had none.
func (w *work) valueAt(r *record.Record, field string, at record.Seq) (json.RawMessage, error) {
	var value json.RawMessage
	if slot := r.Slot(field); slot != nil {
		value = slot.Raw
	}
	for seq := r.Seq; seq > at && seq > 0; {
		body, err := w.bodyAt(seq)
		if err != nil {
			return nil, err
		}
		edits, err := pastEdits(body)
		if err != nil {
			return nil, err
		}
		before := record.Seq(0)
		for i := len(edits) - 1; i >= 0; i-- {
			e := edits[i]
			if e.ID != r.ID || e.Buried {
				continue
			}
			if was := e.Was.Get(field); was != nil {
				value = was
			}
			if e.Op == record.OpCreate && e.P == 0 {
				value = nil
			}
			before = e.P
		}
		seq = before
	}
	return value, nil
}

// bodyAt reads a row of the log, also one of this transaction.
func (w *work) bodyAt(seq record.Seq) ([]byte, error) {
	if seq > w.start {
		return w.log[seq-w.start-1].Body, nil
	}
	entry, err := w.tx.Entry(w.ctx, seq)
	return entry.Body, err
}
