package sync

import (
	"slices"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/sync/history"
)

// isNote reports whether records of a kind are the server's notes about the
// record that they belong to: people do not make them, they are no reason to
// keep it, and to make one is no edit of it.
func isNote(k *record.Kind) bool {
	return k.Name == conflictKind || k.Name == requestKind || k.Name == redirectKind || k.Name == duplicateKind || k.Name == notice.Kind
}

// setSelf has the server give fields of a record values, in the mutation in hand, and
// make it if it is not there.
func (s *settling) setSelf(kind *record.Kind, id record.ID, set record.Values) error {
	known, err := s.find(id)
	if err != nil {
		return err
	}
	set = slices.DeleteFunc(slices.Clone(set), func(v record.Value) bool { return kind.Field(v.Field) == nil }) // a schema from before
	e := &record.Edit{Op: record.OpEdit, Kind: kind.Name, ID: id, Set: set}
	if known == nil {
		e.Op = record.OpCreate
		return s.writeSelf(s.fresh(kind, id), e)
	}
	return s.writeSelf(s.draft(known), e)
}

// writeSelf has the server write to a record, in the mutation in hand.
func (s *settling) writeSelf(d *draft, e *record.Edit) error {
	w := s.write(&record.Edit{})
	w.Server, w.Seen.Log = true, s.w.head.Seq // it has seen all that there is
	d.quiet, d.wrote = false, true
	report, err := conflicts.Apply(d.now, e, w)
	if err != nil {
		return err
	}
	if d.was == nil {
		s.defaults(d.now)
	}
	body := history.Edit{Edit: e, P: seqOf(d.was), Server: true}
	if s.taking != nil {
		body.Of = s.taking.ID
	}
	return s.report(d.now, report, &body)
}

// noteOf makes one of the notes about two records, or changes it. It is signed if
// somebody has decided that; what the server has found by itself nobody has.
func (s *settling) noteOf(kind string, id, owner record.ID, set record.Values) error {
	k := s.w.schema.Kind(kind)
	if k == nil {
		return nil
	}
	known, err := s.find(id)
	switch {
	case err != nil:
		return err
	case known == nil && !owner.IsZero():
		set = append(set, record.Value{Field: "owner", Raw: quoteID(owner)})
	case known != nil:
		s.noted[id] = true
		set = append(set, s.byline()...)
		s.draft(known).now.State, s.draft(known).now.Tomb = record.Live, record.Writer{}
	}
	return s.setSelf(k, id, set)
}

// byline signs a note in the name of whoever judges, or takes a name away.
func (s *settling) byline() record.Values {
	if s.judging {
		return s.signed()
	}
	return record.Values{{Field: "resolver", Raw: record.OrNull(nil)}, {Field: "decided_at", Raw: record.OrNull(nil)}}
}

// signed says by whom something is decided, and when.
func (s *settling) signed() (set record.Values) {
	if !s.actor.Person.IsZero() {
		set = append(set, record.Value{Field: "resolver", Raw: quoteID(s.actor.Person)})
	}
	return append(set, record.Value{Field: "decided_at", Raw: instant(s.by.Stamp.MS)})
}
