package sync

import (
	"bytes"
	"encoding/json"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
)

// What people type for a record that was merged away is led on to what it goes on
// as: edits of it, and references to it.

// redirected is an edit that names the dead, as it is applied to who goes on.
type redirected struct {
	of   *record.Edit         // as it was typed
	dead *record.Record       // the record that it was typed for, nil if it is there
	at   record.Seq           // where that was merged away
	refs map[string]record.ID // by field: what it was typed to refer to
}

// redirect leads an edit on from what was merged away: the record that it edits,
// and those that it refers to.
func (s *settling) redirect(e *record.Edit) (*record.Edit, error) {
	kind := s.w.schema.Kind(e.Kind)
	if kind == nil || s.w.schema.Kind(redirectKind) == nil {
		return e, nil
	}
	now, r := *e, redirected{of: e}
	if kind.Match != nil && s.mayBeDead(e) {
		if err := s.redirectRecord(e, &now, &r); err != nil {
			return nil, err
		}
	}
	for f, id := range references(kind, e) {
		if f.Policy == record.Set || !s.leadsToMatched(f) {
			continue
		}
		to, err := s.w.heir(id, s.find)
		if err != nil {
			return nil, err
		}
		if to != id {
			if r.refs == nil {
				r.refs = map[string]record.ID{}
			}
			r.refs[f.Name] = id
			now.Set = now.Set.With(f.Name, quoteID(to))
		}
	}
	if now.ID == e.ID && r.refs == nil {
		return e, nil
	}
	if s.redirects == nil {
		s.redirects = map[*record.Edit]redirected{}
	}
	s.redirects[&now] = r
	return &now, nil
}

// redirectRecord leads an edit on to what its record was merged into.
func (s *settling) redirectRecord(e, now *record.Edit, r *redirected) error {
	to, err := s.w.heir(e.ID, s.find)
	if err != nil || to == e.ID {
		return err
	}
	if e.Op == record.OpRestore {
		return errs.New("sync.restore", errs.Clash, "this was merged into another record; undo the merge instead").Coded("merged")
	}
	if r.dead, err = s.find(e.ID); err != nil {
		return err
	}
	lead, err := s.find(redirectID(e.ID))
	if err != nil {
		return err
	}
	now.ID, r.at = to, lead.Slot("reason").By.Seq
	return nil
}

// mayBeDead is false for what is taken for new without looking.
func (s *settling) mayBeDead(e *record.Edit) bool {
	return e.Op != record.OpCreate || s.w.careful || s.drafts[e.ID] != nil || s.w.recall(e.ID)
}

func (s *settling) leadsToMatched(f *record.Field) bool {
	to := s.w.schema.Kind(f.To)
	return to != nil && to.Match != nil
}

// seesAs takes over what an author had seen of the record that he wrote to.
// Values of it that live on in the survivor he has seen there; what the survivor
// had of its own he has not, also if he wrote it himself. What he wrote to the
// dead one after the merge has been led on as well.
func (s *settling) seesAs(w *conflicts.Write, r redirected) {
	dead := r.dead
	if dead == nil {
		w.Seen.Log, w.Seen.Dots, w.Seen.Apart = 0, nil, r.at
		return
	}
	if w.Seen.Log >= dead.Tomb.Seq {
		return // he knew of the merge
	}
	read := *w
	var seen []record.Writer
	for i := range dead.Slots {
		slot := &dead.Slots[i]
		all := []record.Writer{slot.By}
		for k := range slot.Elems {
			all = append(all, slot.Elems[k].Adds...)
		}
		for _, by := range all {
			if !by.IsZero() && read.Covers(by) {
				seen = append(seen, by)
			}
		}
	}
	w.Seen.Log, w.Seen.Dots, w.Seen.Apart = 0, nil, dead.Tomb.Seq
	w.Seen.Twins = append(w.Seen.Twins[:len(w.Seen.Twins):len(w.Seen.Twins)], distinct(seen)...)
}

// leadParent hangs a record under what its parent goes on as, if that was merged
// away by this very mutation.
func (s *settling) leadParent(r, above *record.Record) (*record.Record, error) {
	to, err := s.w.heir(above.ID, s.find)
	if err != nil || to == above.ID {
		return above, err
	}
	slot := r.Slot(r.Kind.Parent)
	typed := typedTo(slot)
	slot.Raw = quoteID(to)
	setTyped(slot, typed)
	return s.find(to)
}

// rememberTyped keeps beside a reference what it was typed to: an undone merge leads
// it back there.
func (s *settling) rememberTyped(rec *record.Record, e *record.Edit) {
	for field, id := range s.redirects[e].refs {
		if slot := rec.Slot(field); slot != nil && slot.By.Same(s.by) {
			setTyped(slot, id)
		}
	}
}

// typedTo is what the author of a reference typed.
func typedTo(slot *record.Slot) record.ID {
	if len(slot.Versions) == 1 && slot.Versions[0].By.Same(slot.By) {
		if id, ok := record.RawID(slot.Versions[0].Raw); ok {
			return id
		}
	}
	id, _ := record.RawID(slot.Raw)
	return id
}

// setTyped keeps it beside a value that is another, and nothing beside its own.
func setTyped(slot *record.Slot, typed record.ID) {
	slot.Versions = nil
	if raw := json.RawMessage(quoteID(typed)); !bytes.Equal(raw, slot.Raw) {
		slot.Versions = []record.Version{{By: slot.By, Raw: raw}}
	}
}
