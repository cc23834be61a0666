package sync

import (
	"roadbook/record"
	"roadbook/store"
)

// compareMembers finds what a first sync would leave out.
func (s *stretch) compareMembers() error {
	var must []store.Member
	var of []*record.Record
	for _, r := range s.sound {
		for _, scope := range r.Scopes {
			must, of = append(must, store.Member{Scope: scope, Rank: r.Kind.Rank, Rec: r.ID}), append(of, r)
		}
	}
	is, err := s.tx.Members(s.ctx, must)
	for k, m := range must {
		if err == nil && !is[m] {
			s.cure(m.Rec, WrongMembers, "%s %s is not among the members of %s", of[k].Kind.Name, m.Rec, s.names[m.Scope]).enter = true
		}
	}
	return err
}

// compareIndex finds what a pull would not meet.
func (s *stretch) compareIndex() error {
	var must []store.IndexRow
	var at []store.Dead
	var of []*record.Record
	for _, r := range s.sound {
		for k, scope := range r.Scopes {
			row := store.IndexRow{
				Scope: scope, Seq: max(r.Seq, r.Entered[k]), Mark: r.Seq, Rec: r.ID, Op: store.Touched, Kind: r.Kind.No, Month: r.Month,
			}
			must, of = append(must, row), append(of, r)
			at = append(at, store.Dead{Scope: scope, Seq: row.Seq, Rec: r.ID})
		}
	}
	is, err := s.tx.IndexRows(s.ctx, at)
	if err != nil {
		return err
	}
	for k, row := range must {
		if is[row] {
			continue
		}
		c := s.cure(row.Rec, WrongIndex, "pulls do not find %s %s in %s at %d", of[k].Kind.Name, row.Rec, s.names[row.Scope], row.Seq)
		c.enter, c.dead = true, append(c.dead, at[k])
	}
	return nil
}
