package sync

import (
	"roadbook/conflicts"
	"roadbook/record"
)

// Which of two records goes on follows from their ids, which devices make. Whose
// it is does not: or whoever makes up a small id would have the customers of
// others.

// cameFirst is the one of two records that the log accepted first, with what has
// gone into each.
func (s *settling) cameFirst(a, b *record.Record) (*record.Record, error) {
	one, err := s.acceptedAt(a)
	if err != nil {
		return nil, err
	}
	other, err := s.acceptedAt(b)
	if other < one {
		return b, err
	}
	return a, err
}

func (s *settling) acceptedAt(r *record.Record) (record.Seq, error) {
	made := func(r *record.Record) record.Seq {
		if slot := r.Slot("received_at"); slot != nil {
			return slot.By.Seq
		}
		return r.Seq
	}
	first := made(r)
	ids, err := s.wentInto(r)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if dead, err := s.find(id); err != nil {
			return 0, err
		} else if dead != nil {
			first = min(first, made(dead))
		}
	}
	return first, nil
}

// wentInto are the records that a record has taken over.
func (s *settling) wentInto(r *record.Record) (ids []record.ID, err error) {
	all, err := s.leadsInto(r)
	for _, lead := range all {
		ids = append(ids, lead.Ref("dead"))
	}
	return ids, err
}

// share gives the survivor to the owner of the first, and lets that of the other
// go on seeing it: they work together from now on.
func (s *settling) share(to, from, first *record.Record, e *record.Edit, all *conflicts.Report) {
	const with = "collaborators"
	owner, let := ownedBy(to).Owner, from.Owner
	if let.IsZero() || let == owner {
		return
	}
	if slot := from.Slot("owner"); first.ID == from.ID && slot != nil && to.Kind.Field(with) != nil {
		was(all, to, "owner")
		by := slot.By
		by.Seq = s.by.Seq
		*to.Put("owner") = record.Slot{Field: "owner", Raw: quoteID(let), By: by}
		e.Set = e.Set.With("owner", quoteID(let))
		let = owner
	}
	if to.Kind.Field(with) == nil || let.IsZero() {
		return
	}
	if all.Was.Get(with) == nil {
		was(all, to, with)
	}
	w := s.comesIn(s.by)
	conflicts.Add(to.Put(with), quoteID(let), w)
	e.Add = e.Add.With(with, to.Raw(with))
}
