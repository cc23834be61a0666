package sync

import (
	"encoding/json"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/history"
)

// edit settles one edit of the mutation.
func (s *settling) edit(e *record.Edit) error {
	kind := s.w.schema.Kind(e.Kind)
	if kind == nil {
		return errs.New("sync.edit", errs.Invalid, "there is no such kind of record").Coded("unknown_kind")
	}
	if s.isFresh(e) {
		return s.create(e, kind)
	}
	rec, err := s.find(e.ID)
	if err != nil {
		return err
	}
	if rec == nil {
		return s.create(e, kind)
	}
	seen, err := s.sees(rec)
	switch {
	case err != nil:
		return err
	case !seen:
		return missing()
	case rec.Kind != kind:
		return errs.New("sync.edit", errs.Invalid, "this record is of another kind").Coded("kind_mismatch")
	}
	w := s.write(e)
	s.noteOver(rec, w)
	switch e.Op {
	case record.OpDelete:
		if gone, err := s.isGone(e, rec); gone || err != nil {
			return err
		}
		if s.isKept(rec.ID) {
			s.edits = append(s.edits, history.Edit{Edit: e, P: rec.Seq, Buried: true})
			return nil
		}
		if err := s.checkEnd(e, rec); err != nil {
			return err
		}
		return s.remove(e, rec, w)
	case record.OpRestore:
		return s.restore(e, rec)
	}
	return s.change(e, rec, w)
}

// isFresh takes what is created for new if nothing is known to the contrary:
// nearly always it is, and if not, the record's key refuses the commit, which is
// then worked out anew with care. A mutation that is refused leaves no record,
// so for one of these it must be looked up after all (settle).
func (s *settling) isFresh(e *record.Edit) bool {
	if e.Op != record.OpCreate || s.w.careful || s.drafts[e.ID] != nil || s.w.recall(e.ID) {
		return false
	}
	s.assumed = append(s.assumed, e.ID)
	return true
}

func missing() error {
	return errs.New("sync.edit", errs.Missing, "this record is not there any more, or not for you").Coded("missing")
}

// create makes a record that is not there yet.
func (s *settling) create(e *record.Edit, kind *record.Kind) error {
	if e.Op != record.OpCreate {
		orphan, err := s.orphan(e.ID)
		if err != nil {
			return err
		}
		if orphan {
			return dependsOn()
		}
		return missing()
	}
	if isNote(kind) && !s.actor.System {
		return errs.New("sync.create", errs.Denied, "only the server makes records of this kind").Coded("server_kind")
	}
	if !s.actor.Reads(kind) {
		return errs.New("sync.create", errs.Denied, "your role may not make records of this kind").Coded("denied")
	}
	if err := s.actor.CheckWrite(kind); err != nil {
		return err
	}
	d := s.fresh(kind, e.ID)
	body := history.Edit{Edit: e}
	report, err := conflicts.Apply(d.now, e, s.write(e))
	if err != nil {
		return err
	}
	s.rememberTyped(d.now, e)
	s.defaults(d.now)
	if err := s.report(d.now, report, &body); err != nil || kind.Name != reserveKind || s.actor.System {
		return err
	}
	return s.reserve(d, e)
}

// defaults fills in what every record says of its making.
func (s *settling) defaults(r *record.Record) {
	put := func(name string, raw []byte) {
		if r.Kind.Field(name) != nil && r.Raw(name) == nil {
			*r.Put(name) = record.Slot{Field: name, Raw: raw, By: s.by}
		}
	}
	put("created_at", instant(s.by.Stamp.MS))
	if !s.actor.System {
		if slot := r.Slot("created_by"); slot != nil {
			slot.Raw = nil // nobody signs for somebody else
		}
		put("created_by", quoteID(s.actor.Person))
	}
	put("received_at", instant(s.w.now.UnixMilli()))
}

// orphan reports whether a refused mutation would have created the record.
func (s *settling) orphan(id record.ID) (bool, error) {
	if _, now := s.w.lost[id]; now || s.w.orphans[id] {
		return true, nil
	}
	found, err := s.w.tx.Orphans(s.w.ctx, []record.ID{id})
	return found[id], err
}

// change settles fields of a record that is there. A create of an existing id
// comes here too, as an edit that has seen only the author's own.
func (s *settling) change(e *record.Edit, rec *record.Record, w *conflicts.Write) error {
	if err := s.checkChange(e, rec); err != nil {
		return err
	}
	body := history.Edit{Edit: e, P: rec.Seq}
	if rec.State == record.Deleted {
		if e.Op == record.OpCreate {
			return deleted()
		}
		if done, err := s.meet(rec, w, &body); done || err != nil {
			return err
		}
	}
	d := s.draft(rec)
	d.quiet, d.wrote = false, true
	if err := s.forget(d.now); err != nil {
		return err
	}
	read, by := rec, w
	if r := s.redirects[e]; r.dead != nil {
		read, by = r.dead, s.write(r.of) // that one was on his screen
	}
	w.At = func(field string, _ record.Seq) (json.RawMessage, error) {
		return history.OnScreen(read, field, by, s.w.entryAt)
	}
	w.Stood = func(field string) (json.RawMessage, error) {
		return history.Stood(read, field, by, s.w.entryAt)
	}
	if decides(e) || judges(e) {
		w.Seen.Log = s.w.head.Seq // a person's word is not less for coming after the server has given up
	}
	if err := s.spendBack(d, e); err != nil {
		return err
	}
	report, err := conflicts.Apply(d.now, s.takenOf(e, rec), w)
	if err != nil {
		return err
	}
	s.rememberTyped(d.now, e)
	if err := s.report(d.now, report, &body); err != nil {
		return err
	}
	switch rec.Kind.Name {
	case conflictKind, redirectKind, duplicateKind:
		return s.decided(e, d.now)
	case reserveKind:
		return s.giveBack(d)
	}
	return nil
}

// forget drops what a record remembers of writes that are back by now. What is
// parked is not.
func (s *settling) forget(rec *record.Record) error {
	if len(rec.Covered) == 0 || s.w.head.Parked > 0 {
		return nil
	}
	var by []record.ReplicaID
	for _, c := range rec.Covered {
		by = append(by, c.By)
	}
	by = distinct(by)
	if err := s.w.loadWriters(by); err != nil {
		return err
	}
	for _, id := range by {
		if writer := s.w.writers[id]; writer != nil {
			rec.Forget(id, writer.N)
		}
	}
	return nil
}

func (s *settling) checkChange(e *record.Edit, rec *record.Record) error {
	if !onlyOwned(e, rec.Kind) { // for these it is enough to see the record: whoever does not own them asks
		if err := s.actor.CheckWrite(rec.Kind); err != nil {
			return err
		}
	}
	if rec.Kind.Name == requestKind && !s.actor.System {
		if err := s.checkDecision(e, rec); err != nil {
			return err
		}
	}
	if rec.Kind.Name == conflictKind && !s.actor.System {
		if err := s.checkInbox(e); err != nil {
			return err
		}
	}
	if rec.Kind.Name == reserveKind && !s.actor.System {
		if err := s.checkReserve(e, rec); err != nil {
			return err
		}
	}
	if err := s.checkDelegate(e, rec); err != nil {
		return err
	}
	for _, values := range []record.Values{e.Set, e.Add, e.Remove, e.Inc} {
		for _, v := range values {
			if s.actor.Hides(rec.Kind, v.Field) {
				return errs.New("sync.edit", errs.Denied, "your role may not change this field").Coded("denied").
					Of(errs.Field{Field: v.Field, Detail: "it is not for you to see"})
			}
		}
	}
	return nil
}

func deleted() error {
	return errs.New("sync.edit", errs.Clash, "this record was deleted; bring it back first").Coded("deleted")
}

// meet judges an edit of a tombstone. done means that there is nothing more to
// apply.
func (s *settling) meet(rec *record.Record, w *conflicts.Write, body *history.Edit) (done bool, err error) {
	switch conflicts.Meet(rec, w) {
	case conflicts.TooLate:
		return true, deleted()
	case conflicts.Buried:
		s.merged = true
		body.Buried = true
		s.edits = append(s.edits, *body)
		return true, nil
	case conflicts.Undone:
		return false, nil
	}
	return false, s.revive(rec, w)
}

// revive brings a record back that was deleted without the author's knowledge,
// and asks a person.
func (s *settling) revive(rec *record.Record, w *conflicts.Write) error {
	switch conflicts.Meet(rec, w) {
	case conflicts.TooLate:
		return deleted()
	case conflicts.Undone:
		return nil // whoever deleted it had seen this
	}
	tomb := rec.Tomb
	d := s.draft(rec)
	d.quiet = false
	d.now.State, d.now.Tomb = record.Live, record.Writer{}
	s.edits = append(s.edits, history.Edit{Edit: &record.Edit{Op: record.OpRestore, Kind: rec.Kind.Name, ID: rec.ID}, P: rec.Seq, Server: true})
	return s.clash(d.now, conflicts.Clash{
		Field: deletedField, Kept: json.RawMessage("false"), KeptBy: s.by, Lost: json.RawMessage("true"), LostBy: tomb, Ask: true,
	})
}

// deletedField stands for whether a record is there at all.
var deletedField = &record.Field{Name: history.Deleted, Type: "bool", Policy: "delete"}

// remove settles a delete.
func (s *settling) remove(e *record.Edit, rec *record.Record, w *conflicts.Write) error {
	if err := s.actor.CheckDelete(rec.Kind, rec.Owner); err != nil {
		return err
	}
	children, err := s.children(rec)
	if err != nil {
		return err
	}
	body := history.Edit{Edit: e, P: rec.Seq}
	verdict := conflicts.Delete(rec, w)
	if verdict == conflicts.Deletes {
		switch merged, err := s.cameInUnseen(rec, w); {
		case err != nil:
			return err
		case !merged.IsZero():
			s.edits = append(s.edits, body)
			return s.yield(rec, merged)
		}
	}
	switch verdict {
	case conflicts.Repeats:
		s.edits = append(s.edits, body)
		if len(w.Awaited) > 0 {
			s.note(rec, s.by)
			s.drafts[rec.ID].now.Cover("", nil, w.Awaited)
		}
		return nil
	case conflicts.Yields:
		s.edits = append(s.edits, body)
		return s.yield(rec, lastUnseen(rec, w))
	}
	if len(children) > 0 && rec.Kind.OnDelete != record.Cascade {
		return errs.New("sync.delete", errs.Clash, "%d records still belong to this one; delete or move them first", len(children)).Coded("children")
	}
	s.edits = append(s.edits, body)
	s.bury(rec)
	s.drafts[rec.ID].now.Cover("", nil, w.Awaited)
	gone := []record.ID{rec.ID}
	for _, child := range children {
		s.edits = append(s.edits, history.Edit{Edit: &record.Edit{Op: record.OpDelete, Kind: child.Kind.Name, ID: child.ID}, P: child.Seq, Server: true})
		s.bury(child)
		gone = append(gone, child.ID)
	}
	return s.mootAll(gone)
}

func (s *settling) bury(rec *record.Record) {
	d := s.draft(rec)
	d.quiet = false
	d.now.State, d.now.Tomb = record.Deleted, s.by
}

// lastUnseen is one of the writes that the delete had not seen, if any is the
// record's own.
func lastUnseen(rec *record.Record, w *conflicts.Write) record.Writer {
	var last record.Writer
	for _, o := range rec.Vector {
		if !w.Covers(o) && o.Seq > last.Seq {
			last = o
		}
	}
	return last
}

// restore brings a tombstone back because somebody asks for it.
func (s *settling) restore(e *record.Edit, rec *record.Record) error {
	if err := s.actor.CheckDelete(rec.Kind, rec.Owner); err != nil {
		return err
	}
	s.edits = append(s.edits, history.Edit{Edit: e, P: rec.Seq})
	if rec.State == record.Live {
		s.note(rec, s.by) // a delete that has not seen this must yield, whichever comes first
		return nil
	}
	if above, err := s.find(rec.Parent); err != nil || above != nil && above.State == record.Deleted {
		if err == nil {
			err = errs.New("sync.restore", errs.Clash, "what this belongs to was deleted; bring that back first").Coded("parent")
		}
		return err
	}
	d := s.draft(rec)
	d.quiet, d.wrote = false, true
	d.now.State, d.now.Tomb = record.Live, record.Writer{}
	return nil
}

// report notes what settling an edit came to.
func (s *settling) report(rec *record.Record, r conflicts.Report, body *history.Edit) error {
	body.Was = r.Was
	if body.P == 0 {
		body.Received = rec.Raw("received_at")
	}
	s.merged = s.merged || r.Merged
	s.edits = append(s.edits, *body)
	for _, a := range r.Answers {
		if err := s.answerRequest(rec, a); err != nil {
			return err
		}
	}
	for _, done := range r.Settled {
		if err := s.close(rec, done); err != nil {
			return err
		}
	}
	for _, c := range r.Clashes {
		if err := s.clash(rec, c); err != nil {
			return err
		}
	}
	return nil
}
