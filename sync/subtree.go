package sync

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"roadbook/record"
	"roadbook/store"
)

const (
	// rescopeAtOnce is how many records that hang below others are looked at in one
	// transaction: enough to be quick, few enough not to hold up a push.
	rescopeAtOnce = 1000
	// topShare is the part of that by which those are counted under which they
	// hang: they are read as well.
	topShare = 4
)

// RescopeChunk works out anew the scopes of up to a thousand records below some
// that changed their owner, their collaborators or their parent, and reports
// whether there is more to do. It goes level by level: what follows asks in its
// turn for what hangs below it to follow, in the same commit. It compares with
// what is right now instead of moving from one to another, so it may be
// repeated, interrupted and overtaken.
func (e *Engine) RescopeChunk(ctx context.Context, org record.OrgID) (more bool, err error) {
	turn := e.Store.Turn(org, nil, nil)
	defer turn.End(ctx)
	w, err := e.begin(ctx, turn, newMemory(0), true)
	if err != nil {
		return false, err
	}
	tops, err := w.tx.NextRescopes(ctx, max(1, e.rescopeAtOnce/topShare))
	if err != nil || len(tops) == 0 {
		return false, err
	}
	if err := w.follow(tops); err != nil {
		return false, err
	}
	sealed, err := w.end()
	if err != nil || sealed == nil {
		return true, err
	}
	return true, turn.Send(ctx, sealed)
}

// follow has a page of what hangs below some records follow them.
func (w *work) follow(tops []store.Rescope) error {
	tops, err := w.followed(tops)
	if err != nil || len(tops) == 0 {
		return err
	}
	room, alone := w.e.rescopeAtOnce, w.leadsOn(tops[0].Rec)
	if !alone || tops[0].Field == 0 {
		rows, err := w.tx.Below(w.ctx, tops, room)
		if err != nil {
			return err
		}
		below, err := w.adopt(rows)
		if err != nil {
			return err
		}
		if err := w.followAll(tops, below, alone); err != nil {
			return err
		}
		if room -= len(rows); room == 0 {
			w.come(tops, below)
			return nil
		}
	}
	if alone {
		if more, err := w.leadReferring(&tops[0], room); more || err != nil {
			w.further = append(w.further, tops[0])
			return err
		}
	}
	w.rescoped = append(w.rescoped, tops...)
	return nil
}

// followed are those that are there, as many as can be worked on together: one
// whose references are to be led on is worked on alone. They and what they lie
// below are loaded.
func (w *work) followed(tops []store.Rescope) (there []store.Rescope, err error) {
	recs := map[record.ID]bool{}
	for _, t := range tops {
		recs[t.Rec] = true
	}
	if err := w.loadRecords(recs); err != nil {
		return nil, err
	}
	clear(recs)
	for _, t := range tops {
		rec := w.records[t.Rec]
		if rec == nil {
			w.rescoped = append(w.rescoped, t)
			continue
		}
		if len(there) > 0 && (w.leadsOn(t.Rec) || w.leadsOn(there[0].Rec)) {
			break
		}
		recs[rec.Root], there = true, append(there, t)
	}
	return there, w.loadRecords(recs)
}

// followAll leads on what was typed for what is not there any more, where that
// is to be looked at, and puts the rest into its scopes. Each takes one row of
// the log, if anything changed.
func (w *work) followAll(tops []store.Rescope, below []*record.Record, lead bool) error {
	led := map[record.ID]bool{}
	if lead {
		var err error
		if led, err = w.leadAll(tops[0], below); err != nil {
			return err
		}
	}
	by := make(map[record.ID]store.Rescope, len(tops))
	for _, t := range tops {
		by[t.Rec] = t
	}
	seq, moved := w.head.Seq+1, []store.Rescope(nil)
	for _, t := range tops { // they are right, but for what an older server has left
		is, err := w.followOne(w.records[t.Rec], w.records[t.Rec], seq)
		if err != nil {
			return err
		}
		if is {
			moved = append(moved, t)
		}
	}
	for _, rec := range below {
		if led[rec.ID] {
			continue
		}
		is, err := w.followOne(rec, w.records[rec.Parent], seq)
		if err != nil {
			return err
		}
		if is && (len(moved) == 0 || moved[len(moved)-1].Rec != rec.Parent) {
			moved = append(moved, by[rec.Parent])
		}
	}
	if len(moved) > 0 {
		w.logMoves(moved)
	}
	return w.askBelow(below, func(rec *record.Record) store.Rescope { return by[rec.Parent] })
}

// followOne puts a record into the scopes that it belongs in below its parent,
// and reports whether it was elsewhere.
func (w *work) followOne(rec, above *record.Record, seq record.Seq) (moved bool, err error) {
	root, err := w.record(above.Root)
	if err != nil {
		return false, err
	}
	var want []record.ScopeID
	if rec.State == record.Live {
		names, err := w.namesOf(rec, root)
		if err != nil {
			return false, err
		}
		if want, err = w.scopeIDs(names); err != nil {
			return false, err
		}
	}
	if slices.Equal(want, rec.Scopes) && rec.Root == above.Root {
		return false, nil
	}
	now := rec.Clone()
	now.Root = above.Root
	if enter(now, want, seq) {
		w.left[rec.ID] = seq
	}
	w.put(now)
	return true, nil
}

// askBelow asks for what hangs below some records to follow as well, whether or
// not they have moved themselves: what is below may depend on what is above
// them. A chain of parents that is deeper than it may be has no end.
func (w *work) askBelow(recs []*record.Record, topOf func(*record.Record) store.Rescope) error {
	asked := make(map[record.ID]store.Rescope, len(recs))
	ids := make([]record.ID, 0, len(recs))
	for _, rec := range recs {
		if top := topOf(rec); top.Level < MaxDepth {
			asked[rec.ID] = store.Rescope{Rec: rec.ID, Seq: top.Seq, Level: top.Level + 1}
			ids = append(ids, rec.ID)
		}
	}
	parents, err := w.tx.Parents(w.ctx, ids)
	for _, id := range parents {
		w.rescope = append(w.rescope, asked[id])
	}
	return err
}

// come keeps how far each has come, as there may be more under any of them.
func (w *work) come(tops []store.Rescope, below []*record.Record) {
	last := make(map[record.ID]record.ID, len(tops))
	for _, rec := range below {
		if at := last[rec.Parent]; slices.Compare(rec.ID[:], at[:]) > 0 {
			last[rec.Parent] = rec.ID
		}
	}
	for _, t := range tops {
		if at, below := last[t.Rec]; below {
			t.After = at
			w.further = append(w.further, t)
		}
	}
}

// logMoves writes the one row of the log that a page takes.
func (w *work) logMoves(tops []store.Rescope) {
	var b strings.Builder
	for i, t := range tops {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"op":"rescope","id":"%s","at":"%d"}`, t.Rec, t.Seq)
	}
	w.logOwn(w.next(), "["+b.String()+"]")
}
