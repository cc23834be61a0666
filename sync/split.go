package sync

import (
	"bytes"
	"encoding/json"
	"slices"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/record/match"
	"roadbook/sync/history"
)

// split undoes a merge: the dead record is there again as it was when it was
// merged away, and the survivor gives back what it had from there and nobody has
// changed since. What refers to either goes by what was typed: a visit that was
// logged for the one that had gone, before or after, is its own again, one that
// was logged for the survivor stays. The two are not found to be one again.
func (s *settling) split(redirect *draft, survivor, dead *record.Record) error {
	before, later, err := s.beforeMerge(redirect.was)
	if err != nil {
		return err
	}
	if err := s.mayJudge(survivor, dead); err != nil {
		if owner, had := record.RawID(before.Get("owner")); !had || s.actor.CheckDelete(survivor.Kind, owner) != nil {
			return err
		}
	}
	if dead.State != record.Deleted {
		return missing()
	}
	d, back := s.draft(survivor), s.draft(dead)
	if survivor.State == record.Live {
		if err := s.partWith(d, redirect.was, dead, before, later); err != nil {
			return err
		}
	}
	back.quiet, back.wrote = false, true
	back.now.State, back.now.Tomb = record.Live, record.Writer{}
	s.edits = append(s.edits, history.Edit{
		Edit: &record.Edit{Op: record.OpRestore, Kind: dead.Kind.Name, ID: dead.ID}, P: seqOf(back.was), Server: true,
	})
	for _, r := range []*draft{d, back} {
		s.rescope = append(s.rescope, r.now.ID)
		if err := s.settleDraft(r); err != nil {
			return err
		}
	}
	row, err := s.w.entryAt(redirect.was.Slot("reason").By.Seq)
	if err != nil {
		return err
	}
	if err := s.askAgain(d.now, back.now, row.Body); err != nil {
		return err
	}
	if err := s.pointBack(d.now); err != nil {
		return err
	}
	if err := s.say(d.now, back.now, "dismissed"); err != nil {
		return err
	}
	if err := s.mootBetween(d.now, back.now, "merged"); err != nil {
		return err
	}
	first, err := s.find(typedTo(redirect.was.Slot("survivor")))
	if err == nil && first != nil && first.ID != d.now.ID { // which has gone on as another since
		err = s.say(first, back.now, "dismissed")
	}
	if err != nil {
		return err
	}
	return s.mootNotes(d.now, func(other *record.Record) bool {
		_, alike := match.Shared(d.now.Matches(), other.Matches())
		return !alike // but for what it had from there
	})
}

// pointBack leads what had gone into the one that is back to it again, which had
// been led on to the survivor meanwhile.
func (s *settling) pointBack(survivor *record.Record) error {
	all, err := s.leadsInto(survivor)
	for _, lead := range all {
		slot := lead.Slot("survivor")
		to, err := s.w.heir(typedTo(slot), s.find)
		if err != nil {
			return err
		}
		if to == lead.Ref("survivor") {
			continue
		}
		d := s.draft(lead)
		s.edits = append(s.edits, history.Edit{
			Edit: &record.Edit{Op: record.OpEdit, Kind: lead.Kind.Name, ID: lead.ID, Set: record.Values{{Field: "survivor", Raw: quoteID(to)}}},
			P:    seqOf(d.was), Was: record.Values{{Field: "survivor", Raw: slot.Raw}}, Server: true,
		})
		d.quiet, d.wrote = false, true
		typed, now := typedTo(slot), d.now.Put("survivor")
		now.Raw, now.By.Seq = quoteID(to), s.by.Seq
		setTyped(now, typed)
		if err := s.settleDraft(d); err != nil {
			return err
		}
	}
	return err
}

// partWith takes out of a survivor what it had from the dead one. What has been
// written since stays where it was written.
func (s *settling) partWith(d *draft, redirect, dead *record.Record, before, later record.Values) error {
	at := redirect.Slot("reason").By
	let := dead.Owner // into the survivor
	if owner, had := record.RawID(before.Get("owner")); had {
		let = owner
	}
	d.quiet, d.wrote = false, true
	var all conflicts.Report
	e := &record.Edit{Op: record.OpEdit, Kind: d.now.Kind.Name, ID: d.now.ID}
	for _, v := range before {
		f, slot := d.now.Kind.Field(v.Field), d.now.Slot(v.Field)
		if f == nil || slot == nil {
			continue
		}
		stood := record.Value{Field: v.Field, Raw: record.OrNull(slot.Raw)}
		theirs := dead.Slot(v.Field)
		switch {
		case f.Policy == record.Set:
			if gone, changed := s.takeOut(slot, theirs, at, let); changed {
				all.Was = append(all.Was, stood)
				e.Remove = append(e.Remove, record.Value{Field: v.Field, Raw: listOf(gone)})
			}
		case f.Policy == record.Counter:
			if err := s.countBack(f, slot, theirs); err != nil {
				return err
			}
			all.Was, e.Set = append(all.Was, stood), append(e.Set, record.Value{Field: v.Field, Raw: slot.Raw})
		case slot.By.Seq == at.Seq && (later.Get(v.Field) == nil || theirs != nil && slot.By.Same(theirs.By)): // nobody has written since
			slot.Raw, slot.By = record.OrNull(v.Raw), s.by
			if f.Policy != record.Owned { // there they are what people ask for
				slot.Versions = nil
			}
			all.Was, e.Set = append(all.Was, stood), append(e.Set, record.Value{Field: v.Field, Raw: slot.Raw})
		}
	}
	return s.report(d.now, all, &history.Edit{Edit: e, P: seqOf(d.was), Server: true, Of: dead.ID})
}

// beforeMerge is what stood in a survivor before the merge that a redirect is of,
// and what that row has written to after it.
func (s *settling) beforeMerge(redirect *record.Record) (before, later record.Values, err error) {
	row, err := s.w.entryAt(redirect.Slot("reason").By.Seq)
	if err != nil {
		return nil, nil, err
	}
	return history.WasOf(row.Body, typedTo(redirect.Slot("survivor")), redirect.Ref("dead"))
}

// takeOut takes the adds of the dead record out of a set, and the one by which
// its owner was let in. It returns the elements that are gone.
func (s *settling) takeOut(slot, theirs *record.Slot, at record.Writer, owner record.ID) (gone []json.RawMessage, changed bool) {
	var left []record.Elem
	var kept []json.RawMessage
	for _, elem := range slot.Elems {
		adds := slices.DeleteFunc(slices.Clone(elem.Adds), func(by record.Writer) bool {
			return isTheirs(theirs, elem, by) || by.Same(at) && string(elem.Raw) == string(quoteID(owner))
		})
		changed = changed || len(adds) < len(elem.Adds)
		if len(adds) == 0 {
			gone = append(gone, elem.Raw)
			continue
		}
		left, kept = append(left, record.Elem{Raw: elem.Raw, Adds: adds}), append(kept, elem.Raw)
	}
	if changed {
		slot.Raw, slot.Elems, slot.By = listOf(kept), left, s.by
	}
	return gone, changed
}

func listOf(elems []json.RawMessage) json.RawMessage {
	return append(append([]byte{'['}, bytes.Join(raws(elems), []byte{','})...), ']')
}

func raws(elems []json.RawMessage) (all [][]byte) {
	for _, e := range elems {
		all = append(all, e)
	}
	return all
}

func isTheirs(theirs *record.Slot, elem record.Elem, by record.Writer) bool {
	if theirs == nil {
		return false
	}
	for _, e := range theirs.Elems {
		if string(e.Raw) == string(elem.Raw) && slices.ContainsFunc(e.Adds, by.Same) {
			return true
		}
	}
	return false
}

// countBack takes a count out of another. What has been spent since is not
// asked back: the rest stops at the floor.
func (s *settling) countBack(f *record.Field, slot, theirs *record.Slot) error {
	if theirs == nil {
		return nil
	}
	mine, err := conflicts.Delta(slot.Raw)
	if err != nil {
		return err
	}
	less, err := conflicts.Delta(theirs.Raw)
	if err != nil {
		return err
	}
	if f.Floor != nil {
		less = min(less, max(0, mine-*f.Floor))
	}
	return conflicts.Count(slot, -less, &conflicts.Write{By: s.by})
}
