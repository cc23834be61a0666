package sync

import (
	"encoding/json"
	"fmt"
	"strconv"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/store"
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
	out = record.AppendID(out, e.ID)
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

// size is about how long its text is.
func (b *editBody) size() int {
	n := 160
	for _, values := range []record.Values{b.Edit.Set, b.Edit.Add, b.Edit.Remove, b.Edit.Inc, b.Was} {
		for _, v := range values {
			n += len(v.Field) + len(v.Raw) + 4
		}
	}
	return n
}

// body is the row's text. What could not even be read has none.
func (s *settling) body() []byte {
	if s.m.Broken != nil {
		return []byte("[]")
	}
	size := 2
	for i := range s.edits {
		size += s.edits[i].size()
	}
	out := append(make([]byte, 0, size), '[')
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

// replaced is what stood in a field before a mutation wrote it.
func replaced(body []byte, id record.ID, field string) json.RawMessage {
	edits, err := pastEdits(body)
	if err != nil {
		return nil
	}
	for _, e := range edits {
		if v := e.Was.Get(field); e.ID == id && v != nil {
			return v
		}
	}
	return nil
}

// onScreen is a field's value as its author had it before him: from what it is
// now back along the record's own rows to the last one that he had seen, with
// what he wrote himself since on top, whether it won or not. Nil means that he
// saw none.
func (w *work) onScreen(r *record.Record, field string, wr *conflicts.Write) (json.RawMessage, error) {
	var value json.RawMessage
	if slot := r.Slot(field); slot != nil {
		if value = slot.Raw; slot.By.Same(wr.By) {
			return value, nil // an earlier edit of this very mutation
		}
	}
	own := *wr
	own.Seen.Log, own.Seen.Dots = 0, nil
	for seq := r.Seq; seq > wr.Seen.Log; {
		row, err := w.entryAt(seq)
		if err != nil {
			return nil, err
		}
		edits, err := pastEdits(row.Body)
		if err != nil {
			return nil, err
		}
		by := record.Writer{Replica: row.Replica, N: row.N, Seq: row.Seq}
		step := past{id: r.ID, field: field, seen: wr.Covers(by), own: own.Covers(by)}
		found := false
		if value, seq, found = step.undo(edits, value); found {
			return canonical(r.Kind.Field(field), value), nil
		}
	}
	return value, nil
}

// past is one row of a record's history, on the way back.
type past struct {
	id        record.ID
	field     string
	seen, own bool
}

// undo is the value before the row, and the record's row before it; found means
// that the author had the value on his screen.
func (p past) undo(edits []pastEdit, value json.RawMessage) (_ json.RawMessage, before record.Seq, found bool) {
	for i := len(edits) - 1; i >= 0; i-- {
		e := edits[i]
		if e.ID != p.id || e.Buried {
			continue
		}
		set, was := e.Set.Get(p.field), e.Was.Get(p.field)
		fresh := e.Op == record.OpCreate && e.P == 0
		switch {
		case p.own && set != nil && (e.Op != record.OpCreate || !record.IsNull(set)):
			return set, 0, true
		case p.seen && (was != nil || fresh):
			return value, 0, true
		case fresh:
			value = nil
		case was != nil:
			value = was
		}
		before = e.P
	}
	return value, before, false
}

// canonical is a typed value in the form in which it is stored.
func canonical(f *record.Field, raw json.RawMessage) json.RawMessage {
	if f != nil && !record.IsNull(raw) {
		if canon, err := f.Check(raw); err == nil {
			return canon
		}
	}
	return raw
}

// entryAt reads a row of the log, also one of this transaction.
func (w *work) entryAt(seq record.Seq) (store.Entry, error) {
	if seq > w.start {
		return w.log[seq-w.start-1], nil
	}
	return w.tx.Entry(w.ctx, seq)
}
