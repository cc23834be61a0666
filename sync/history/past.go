package history

import (
	"encoding/json"
	"fmt"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/store"
)

// pastEdit is an edit as read back from the log.
type pastEdit struct {
	Op     record.Op     `json:"op"`
	ID     record.ID     `json:"id"`
	P      record.Seq    `json:"p"`
	Set    record.Values `json:"set"`
	Was    record.Values `json:"was"`
	By     string        `json:"by"`
	Of     record.ID     `json:"of"`
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

// OnScreen is a field's value as its author had it before him: from what it is
// now back along the record's own rows to the last one that he had seen, with
// what he wrote himself since on top, whether it won or not. Nil means that he
// saw none. row reads a row of the log.
func OnScreen(
	r *record.Record, field string, wr *conflicts.Write, row func(record.Seq) (store.Entry, error),
) (json.RawMessage, error) {
	var value json.RawMessage
	if slot := r.Slot(field); slot != nil {
		if value = slot.Raw; slot.By.Same(wr.By) {
			return value, nil // an earlier edit of this very mutation
		}
	}
	own := *wr
	own.Seen.Log, own.Seen.Dots = 0, nil
	for seq := r.Seq; seq > wr.Seen.Log; {
		entry, err := row(seq)
		if err != nil {
			return nil, err
		}
		edits, err := pastEdits(entry.Body)
		if err != nil {
			return nil, err
		}
		as := Typed(&entry)
		by := record.Writer{Replica: as.Replica, N: as.N, Seq: entry.Seq}
		step := past{id: r.ID, field: field, seen: wr.Covers(by), own: own.Covers(by)}
		found := false
		if value, seq, found = step.undo(edits, value); found {
			return canonical(r.Kind.Field(field), value), nil
		}
	}
	return value, nil
}

// Stood is a field's value by what its author had read of the log: as OnScreen,
// but for what he wrote himself and has not read there.
func Stood(
	r *record.Record, field string, wr *conflicts.Write, row func(record.Seq) (store.Entry, error),
) (json.RawMessage, error) {
	read := *wr
	read.By, read.Seen.Line, read.Seen.Twins = record.Writer{}, nil, nil // nothing is his own
	return OnScreen(r, field, &read, row)
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

// mergedEdit is what came into a record when a certain other was merged into it,
// and what the same row has done to it after that: it may have several merges.
func mergedEdit(body []byte, id, dead record.ID) (came pastEdit, after []pastEdit, err error) {
	edits, err := pastEdits(body)
	for i, e := range edits {
		if e.ID == id && e.Of == dead && e.Op == record.OpEdit {
			return e, edits[i+1:], err
		}
	}
	return pastEdit{}, nil, err
}

// WasOf is what stood in a record before another was merged into it, and what of
// that the same row has written to after that.
func WasOf(body []byte, id, dead record.ID) (was, later record.Values, err error) {
	e, after, err := mergedEdit(body, id, dead)
	for _, next := range after {
		if next.ID == id {
			later = append(later, next.Was...)
		}
	}
	return e.Was, later, err
}

// ClosedBy are the conflicts that were closed because a record was merged into
// another.
func ClosedBy(body []byte, dead record.ID) (ids []record.ID, err error) {
	edits, err := pastEdits(body)
	for _, e := range edits {
		if e.Of == dead && e.Set.Text("state") == "expired" {
			ids = append(ids, e.ID)
		}
	}
	return ids, err
}

// parted is the value that lost when two records became one.
func parted(body []byte, c Clash) json.RawMessage {
	if c.Dead == nil {
		return nil
	}
	e, _, err := mergedEdit(body, c.ID, *c.Dead)
	switch {
	case err != nil:
		return nil
	case c.Via == CameIn:
		return e.Set.Get(c.Field)
	}
	return e.Was.Get(c.Field)
}
