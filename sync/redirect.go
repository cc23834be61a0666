package sync

import (
	"bytes"
	"encoding/json"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/sync/history"
)

// The kinds of the records in which the server notes something about another.
const (
	redirectKind  = "merge_redirect"
	duplicateKind = "duplicate"
)

// isNote reports whether records of a kind are the server's notes about the
// record that they belong to: people do not make them, they are no reason to
// keep it, and to make one is no edit of it.
func isNote(k *record.Kind) bool {
	return k.Name == conflictKind || k.Name == requestKind || k.Name == redirectKind || k.Name == duplicateKind || k.Name == notice.Kind
}

// redirectID is the id of the record that says where another goes on. It
// follows from the dead one's alone: so it is found without an index, also when
// the tombstone has been purged, and after a restore it is the same.
func redirectID(dead record.ID) record.ID { return dead.Derive(redirectKind) }

// RedirectOf is the id of the redirect that leads on from a record, if one does.
func RedirectOf(dead record.ID) record.ID { return redirectID(dead) }

// GoesOnAs is the record to which a redirect leads, while it is in force.
func GoesOnAs(redirect *record.Record) (record.ID, bool) {
	if !leads(redirect) {
		return record.NoID, false
	}
	return redirect.Ref("survivor"), true
}

// apartID is the id of the record that says what people have decided of a pair.
func apartID(a, b record.ID) record.ID {
	if bytes.Compare(b[:], a[:]) < 0 {
		a, b = b, a
	}
	return a.Derive(duplicateKind + " " + b.String())
}

// lead leads from a dead record to the one that it goes on as.
func (s *settling) lead(dead, survivor *record.Record, reason string) error {
	set := record.Values{
		{Field: "survivor", Raw: quoteID(survivor.ID)},
		{Field: "dead", Raw: quoteID(dead.ID)},
		{Field: "reason", Raw: quote(reason)},
		{Field: "state", Raw: quote("merged")},
	}
	return s.noteOf(redirectKind, redirectID(dead.ID), dead.Owner, set)
}

// noteOf makes one of the server's notes, or changes it.
func (s *settling) noteOf(kind string, id, owner record.ID, set record.Values) error {
	k := s.w.schema.Kind(kind)
	if k == nil {
		return nil
	}
	known, err := s.find(id)
	if err != nil {
		return err
	}
	e := &record.Edit{Op: record.OpEdit, Kind: kind, ID: id, Set: set}
	body := history.Edit{Edit: e, Server: true}
	var d *draft
	if known == nil {
		e.Op = record.OpCreate
		if !owner.IsZero() {
			e.Set = append(e.Set, record.Value{Field: "owner", Raw: quoteID(owner)})
		}
		d = s.fresh(k, id)
	} else {
		d = s.draft(known)
		if s.noted == nil {
			s.noted = map[record.ID]bool{}
		}
		s.noted[id] = true
		d.quiet, d.wrote = false, true
		d.now.State, d.now.Tomb = record.Live, record.Writer{}
		body.P = seqOf(d.was)
	}
	w := s.write(&record.Edit{})
	w.Server, w.Seen.Log = true, s.w.head.Seq // it has seen all that there is
	report, err := conflicts.Apply(d.now, e, w)
	if err != nil {
		return err
	}
	s.defaults(d.now)
	return s.report(d.now, report, &body)
}

// heir is what a record goes on as: itself, unless it was merged into another.
func (w *work) heir(id record.ID, find func(record.ID) (*record.Record, error)) (record.ID, error) {
	for range MaxDepth {
		rec, err := find(id)
		if err != nil || rec != nil && (rec.State == record.Live || rec.Kind.Match == nil) {
			return id, err
		}
		redirect, err := find(redirectID(id))
		if err != nil || !leads(redirect) {
			return id, err
		}
		id = redirect.Ref("survivor")
	}
	return id, nil
}

// leads reports whether a redirect is one, and in force.
func leads(redirect *record.Record) bool {
	return redirect != nil && redirect.Kind.Name == redirectKind && redirect.State == record.Live && redirect.Text("state") == "merged"
}

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
