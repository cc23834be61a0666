package online

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync"
	"roadbook/sync/history"
	"roadbook/version"
)

// Limits of a history.
const (
	DefaultChanges = 50  // changes of a page, if nothing is said
	MaxChanges     = 200 // what a phone shows without tiring

	changesAtOnce = 500 // rows of the log read by one statement
)

// History reads what became of a record, the newest change first; after is
// History.After of the page before, or 0. Values are followed from what stands
// now on back, so a later page reads all that comes before it once more.
func (s *Service) History(
	ctx context.Context, who access.Caller, kind string, id record.ID, after record.Seq, limit int,
) (out History, err error) {
	if limit, err = changesOf(limit, after); err != nil {
		return out, err
	}
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		rec, err := find(ctx, v, kind, id)
		if err != nil {
			return err
		}
		b := newBack(rec, v.Actor)
		out = History{}
		for from := rec.Seq; from != 0; {
			rows, err := v.Tx.Changes(ctx, id, from, changesAtOnce)
			if err != nil {
				return err
			}
			from = 0
			for i := range rows {
				change, before, err := b.change(&rows[i])
				if err != nil {
					return err
				}
				if from = before; after != 0 && change.Seq >= after {
					continue
				}
				if len(out.Changes) == limit {
					out.After = out.Changes[limit-1].Seq
					return devices(ctx, v, out.Changes)
				}
				out.Changes = append(out.Changes, change)
			}
		}
		return devices(ctx, v, out.Changes)
	})
	return out, err
}

// devices says on which device each change was typed.
func devices(ctx context.Context, v sync.Sight, all []Change) error {
	var ids []record.ReplicaID
	for i := range all {
		if id, ok := store.ReplicaNo(all[i].Dot.Replica); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	writers, err := v.Tx.Writers(ctx, ids)
	if err != nil {
		return err
	}
	of := map[version.Replica]record.ID{}
	for _, w := range writers {
		of[store.ReplicaName(w.ID)] = w.Device
	}
	for i := range all {
		all[i].Device = of[all[i].Dot.Replica]
	}
	return nil
}

func changesOf(limit int, after record.Seq) (int, error) {
	if limit == 0 {
		limit = DefaultChanges
	}
	if limit < 0 || limit > MaxChanges || after < 0 {
		return 0, errs.New("online.History", errs.Invalid, "a page has at most %d changes", MaxChanges).Coded("limit").
			Of(errs.Field{Field: "limit", Detail: "this is more than a page holds"})
	}
	return limit, nil
}

// pastEdit is an edit as the log keeps it.
type pastEdit struct {
	Op     record.Op     `json:"op"`
	Kind   string        `json:"kind"`
	ID     record.ID     `json:"id"`
	P      record.Seq    `json:"p"`
	Set    record.Values `json:"set"`
	Add    record.Values `json:"add"`
	Remove record.Values `json:"remove"`
	Inc    record.Values `json:"inc"`
	Was    record.Values `json:"was"`
	By     string        `json:"by"`
	Buried bool          `json:"buried"`
}

func pastEdits(row *store.Entry) (edits []pastEdit, err error) {
	if err = json.Unmarshal(row.Body, &edits); err != nil {
		return nil, fmt.Errorf("row %d of the log is damaged: %w", row.Seq, err)
	}
	return edits, nil
}

// back is a record on the way back through its history.
type back struct {
	rec   *record.Record
	actor *access.Actor
	value map[string]json.RawMessage // of its fields, as they stood
}

func newBack(rec *record.Record, actor *access.Actor) *back {
	b := &back{rec: rec, actor: actor, value: map[string]json.RawMessage{}}
	for i := range rec.Slots {
		b.value[rec.Slots[i].Field] = rec.Slots[i].Raw
	}
	return b
}

// change is what one row did to the record, and the record's row before it.
func (b *back) change(row *store.Entry) (Change, record.Seq, error) {
	typed := history.Typed(row) // under the author's name, also where the server has settled it later
	c := Change{
		Seq: row.Seq, Dot: version.Dot{Replica: store.ReplicaName(typed.Replica), N: typed.N}, ID: typed.ID,
		At: time.UnixMilli(row.Stamp.MS).UTC(), Came: row.Arrived.UTC(), Person: row.Person, Result: row.Result,
	}
	edits, err := pastEdits(row)
	if err != nil {
		return c, 0, err
	}
	f := &fields{of: map[string]*FieldChange{}}
	var before record.Seq
	for i := len(edits) - 1; i >= 0; i-- {
		e := &edits[i]
		if e.ID != b.rec.ID || e.Buried {
			continue
		}
		b.undo(e, f)
		before = e.P
		if c.Op == "" || e.By == "" {
			c.Op, c.Server = e.Op, e.By != ""
		}
	}
	for _, name := range f.order {
		if !b.actor.Hides(b.rec.Kind, name) {
			c.Fields = append(c.Fields, *f.of[name])
		}
	}
	slices.SortFunc(c.Fields, func(x, y FieldChange) int { return strings.Compare(x.Field, y.Field) })
	return c, before, nil
}

// fields are those that a row touched.
type fields struct {
	of    map[string]*FieldChange
	order []string
}

// field finds a field's change, beginning with what stood after it.
func (f *fields) field(name string, after json.RawMessage) *FieldChange {
	if f.of[name] == nil {
		f.of[name] = &FieldChange{Field: name, After: record.OrNull(after)}
		f.order = append(f.order, name)
	}
	return f.of[name]
}

// undo takes one edit back. Of a field that it did not change although it
// wanted to, what was typed is lost.
func (b *back) undo(e *pastEdit, f *fields) {
	if e.Op == record.OpCreate && e.P == 0 {
		for name, value := range b.value {
			if !record.IsNull(value) {
				f.field(name, value).Before = json.RawMessage("null")
			}
			delete(b.value, name)
		}
		return
	}
	for _, v := range e.Set {
		after := b.value[v.Field]
		if e.Was.Get(v.Field) != nil && b.merges(v.Field) && string(b.canonical(v)) != string(record.OrNull(after)) {
			f.field(v.Field, after).Typed = v.Raw
		}
	}
	for _, v := range e.Was {
		f.field(v.Field, b.value[v.Field]).Before = v.Raw
		b.value[v.Field] = v.Raw
	}
	for _, v := range e.Set {
		stands := b.value[v.Field]
		if e.Was.Get(v.Field) == nil && string(b.canonical(v)) != string(record.OrNull(stands)) {
			c := f.field(v.Field, stands)
			c.Lost = v.Raw
			if c.Before == nil {
				c.Before = record.OrNull(stands)
			}
		}
	}
}

// merges reports whether what is typed into a field may become part of something
// longer.
func (b *back) merges(name string) bool {
	f := b.rec.Kind.Field(name)
	return f != nil && f.Policy == record.Text
}

// canonical is a typed value as it would be stored.
func (b *back) canonical(v record.Value) json.RawMessage {
	if f := b.rec.Kind.Field(v.Field); f != nil && !record.IsNull(v.Raw) {
		if canon, err := f.Check(v.Raw); err == nil {
			return canon
		}
	}
	return v.Raw
}
