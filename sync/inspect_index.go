package sync

import (
	"roadbook/record"
	"roadbook/store"
)

// scopes walks through every scope.
func (i *inspection) scopes() error {
	scopes, err := i.e.Store.ScopesOf(i.ctx, i.org)
	if err != nil {
		return err
	}
	for _, scope := range scopes {
		if err := i.members(scope); err != nil {
			return err
		}
		if err := i.index(scope); err != nil {
			return err
		}
	}
	return nil
}

// members finds members that their records know nothing of.
func (i *inspection) members(scope record.ScopeID) error {
	for after, more := (store.Member{Scope: scope, Rank: -1}), true; more; {
		var n int
		err := i.snapshot(func(tx store.Tx, head store.Head) error {
			rows, err := tx.MembersAfter(i.ctx, after, i.walk)
			if n = len(rows); err != nil || n == 0 {
				return err
			}
			if err := i.name(tx, scope); err != nil {
				return err
			}
			schema, err := i.e.schema(i.ctx, i.org, tx, head.Schema)
			if err != nil {
				return err
			}
			i.strayMembers(schema, rows)
			after = rows[n-1].Member
			return nil
		})
		if err != nil {
			return err
		}
		i.done.Members += n
		more = n == i.walk
	}
	return nil
}

func (i *inspection) strayMembers(schema *record.Schema, rows []store.MemberRow) {
	for _, m := range rows {
		k := schema.KindNo(m.Kind)
		if m.In && (k == nil || k.Rank == m.Rank) {
			continue
		}
		c := i.cure(m.Rec, WrongMembers, "%s is among the members of %s, and does not belong there", m.Rec, i.names[m.Scope])
		c.out = append(c.out, m.Member)
	}
}

// index finds rows that tell pulls what is not so: of something newer than the
// record is, or that it is in a scope although it has left. Rows that a later
// one has taken the place of do no harm.
func (i *inspection) index(scope record.ScopeID) error {
	left := map[record.ID]bool{} // those of which the newest row was met already
	for before := record.Seq(1<<63 - 1); before != 0; {
		var rows []store.Beside
		from := record.Seq(0)
		err := i.snapshot(func(tx store.Tx, head store.Head) (err error) {
			if rows, from, err = tx.IndexBack(i.ctx, scope, before, i.walk); err != nil {
				return err
			}
			return i.compareRows(tx, head, rows, left)
		})
		if err != nil {
			return err
		}
		i.done.Index += len(rows)
		before = from
	}
	return nil
}

func (i *inspection) compareRows(tx store.Tx, head store.Head, rows []store.Beside, left map[record.ID]bool) error {
	for _, r := range rows {
		if err := i.name(tx, r.Scope); err != nil {
			return err
		}
		stands := max(r.Own, r.Entered)
		switch {
		case r.Entered != 0 && (r.Seq > stands || r.Seq == stands && r.Op == store.Gone):
			c := i.cure(r.Rec, WrongIndex, "pulls find %s in %s at %d, and it is there as of %d", r.Rec, i.names[r.Scope], r.Seq, stands)
			c.enter, c.dead = true, append(c.dead, store.Dead{Scope: r.Scope, Seq: r.Seq, Rec: r.Rec})
		case r.Entered != 0 || r.Seq <= head.Horizon || left[r.Rec]:
		case r.Op == store.Gone:
			left[r.Rec] = true
		default:
			if err := i.compareLeft(tx, r, left); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareLeft judges a row of a record that is not in the scope. It may have
// left since the walk began.
func (i *inspection) compareLeft(tx store.Tx, r store.Beside, left map[record.ID]bool) error {
	gone, err := tx.LeftSince(i.ctx, r.Scope, r.Seq, r.Rec)
	if err != nil {
		return err
	}
	left[r.Rec] = true
	if gone {
		return nil
	}
	c := i.cure(r.Rec, WrongIndex, "nothing tells pulls that %s has left %s", r.Rec, i.names[r.Scope])
	c.gone = append(c.gone, store.IndexRow{Scope: r.Scope, Rec: r.Rec, Op: store.Gone, Kind: r.Kind, Month: r.Month})
	return nil
}

// lookups finds rows of what is not there.
func (i *inspection) lookups() error {
	for after, more := record.NoID, true; more; {
		var n int
		err := i.snapshot(func(tx store.Tx, _ store.Head) error {
			rows, err := tx.LookedUpAfter(i.ctx, after, i.walk)
			if n = len(rows); err != nil || n == 0 {
				return err
			}
			for k, l := range rows {
				if !l.There && (k == 0 || rows[k-1].Rec != l.Rec) {
					i.cure(l.Rec, WrongLookups, "lists find %s, which is not there", l.Rec)
				}
			}
			after = rows[n-1].Rec
			return nil
		})
		if err != nil {
			return err
		}
		i.done.Lookups += n
		more = n == i.walk
	}
	return nil
}
