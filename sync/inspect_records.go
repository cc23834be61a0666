package sync

import (
	"slices"

	"roadbook/record"
	"roadbook/store"
)

// stretch is some records with all that lies above them, of one snapshot.
type stretch struct {
	*inspection

	tx      store.Tx
	head    store.Head
	schema  *record.Schema
	known   map[record.ID]*record.Record
	pinned  map[record.ID]int
	moving  map[record.ID]bool // tops of subtrees
	anew    map[int16]bool     // kinds of which the look-up rows are being made
	lookups map[record.ID][]record.LookupRow
	sound   []*record.Record // those whose columns are right
}

// records compares every record with what follows from its fields, and with the
// rows by which pulls and lists find it.
func (i *inspection) records() error {
	for after, more := record.NoID, true; more; {
		var n int
		err := i.snapshot(func(tx store.Tx, head store.Head) error {
			rows, err := tx.RecordsAfter(i.ctx, after, i.atOnce)
			if n = len(rows); err != nil || n == 0 {
				return err
			}
			s := &stretch{inspection: i, tx: tx, head: head}
			if err := s.load(rows); err != nil {
				return err
			}
			after = rows[n-1].ID
			return s.compare(rows)
		})
		if err != nil {
			return err
		}
		i.done.Records += n
		more = n == i.atOnce
	}
	return nil
}

func (s *stretch) load(rows []store.Row) (err error) {
	if s.schema, err = s.e.schema(s.ctx, s.org, s.tx, s.head.Schema); err != nil {
		return err
	}
	if s.pinned, err = s.tx.Pinned(s.ctx); err != nil {
		return err
	}
	if s.moving, err = s.tx.Moving(s.ctx); err != nil {
		return err
	}
	kinds, _, err := s.tx.Reindexing(s.ctx)
	if err != nil {
		return err
	}
	s.anew = map[int16]bool{}
	for _, k := range kinds {
		s.anew[k] = true
	}
	s.done.Moving = s.done.Moving || len(s.moving)+len(kinds) > 0
	s.known = map[record.ID]*record.Record{}
	ids, scopes := make([]record.ID, len(rows)), []record.ScopeID{}
	for k := range rows {
		ids[k] = rows[k].ID
		scopes = append(scopes, rows[k].Scopes...)
	}
	if err := s.name(s.tx, scopes...); err != nil {
		return err
	}
	if s.lookups, err = s.tx.Lookups(s.ctx, ids); err != nil {
		return err
	}
	s.take(rows, true)
	return s.loadAbove()
}

// take cuts rows; what cannot be read is said once, where it is met itself.
func (s *stretch) take(rows []store.Row, say bool) {
	for k := range rows {
		rec, err := rows[k].Record(s.schema)
		if err != nil {
			rec = nil
			if say {
				s.say(WrongRecord, "%s cannot be read: %v", rows[k].ID, err)
			}
		}
		s.known[rows[k].ID] = rec
	}
}

// loadAbove loads level by level what lies above.
func (s *stretch) loadAbove() error {
	for range MaxDepth + 1 {
		missing := map[record.ID]bool{}
		for _, rec := range s.known {
			if rec == nil {
				continue
			}
			if up := parentBy(rec); !up.IsZero() {
				if _, known := s.known[up]; !known {
					missing[up] = true
				}
			}
		}
		if len(missing) == 0 {
			return nil
		}
		ids := make([]record.ID, 0, len(missing))
		for id := range missing {
			ids = append(ids, id)
			s.known[id] = nil
		}
		rows, err := s.tx.Records(s.ctx, ids)
		if err != nil {
			return err
		}
		s.take(rows, false)
	}
	return nil
}

func (s *stretch) compare(rows []store.Row) error {
	for k := range rows {
		if rec := s.known[rows[k].ID]; rec != nil {
			s.compareOne(rec)
		}
	}
	if err := s.compareMembers(); err != nil {
		return err
	}
	return s.compareIndex()
}

func (s *stretch) compareOne(r *record.Record) {
	what := r.Kind.Name + " " + r.ID.String()
	f, err := followsFrom(r, func(id record.ID) (*record.Record, error) { return s.known[id], nil }, s.scopesOf)
	if err != nil {
		s.say(WrongRecord, "%s: %v", what, err)
		return
	}
	if r.Seq < 1 || r.Seq > s.head.Seq {
		s.say(WrongRecord, "%s was changed at %d, and the log ends at %d", what, r.Seq, s.head.Seq)
		return
	}
	found := len(s.cures)
	s.compareColumns(what, r, f)
	if !s.moves(r) {
		s.compareScopes(what, r, f)
	}
	if !s.anew[r.Kind.No] && !sameLookups(r.AppendLookups(nil), s.lookups[r.ID]) {
		s.cure(r.ID, WrongLookups, "lists do not find %s by what it says", what)
	}
	if len(s.cures) == found {
		s.sound = append(s.sound, r)
	}
}

func (s *stretch) scopesOf(r, root *record.Record) ([]string, error) {
	names := scopeNames(r, root)
	if r.Kind.Scope == "" && s.pinned[root.ID] > 0 {
		names = append(names, accountScope(root.ID))
	}
	return names, nil
}

func (s *stretch) compareColumns(what string, r *record.Record, f follows) {
	if r.Owner != f.owner {
		s.cure(r.ID, WrongColumn, "%s is kept as owned by %s, and its field says %s", what, idText(r.Owner), idText(f.owner))
	}
	if r.Parent != f.parent {
		s.cure(r.ID, WrongColumn, "%s is kept as belonging to %s, and its field says %s", what, idText(r.Parent), idText(f.parent))
	}
	if r.Root != f.root && !s.moves(r) {
		s.cure(r.ID, WrongColumn, "%s is kept below %s, and its parents lead to %s", what, idText(r.Root), idText(f.root))
	}
	if r.Month != f.month {
		s.cure(r.ID, WrongColumn, "%s is kept in month %s, and its fields say %s", what, r.Month.Text(), f.month.Text()).enter = true
	}
}

func (s *stretch) compareScopes(what string, r *record.Record, f follows) {
	var is []string
	for _, scope := range r.Scopes {
		is = append(is, s.names[scope])
	}
	slices.Sort(is)
	if !slices.Equal(is, f.names) {
		s.cure(r.ID, WrongScopes, "%s is in the scopes %v, and belongs in %v", what, is, f.names)
		return
	}
	if straight(r) != r {
		s.cure(r.ID, WrongScopes, "%s: its scopes are not in order", what).enter = true
		return
	}
	for k, at := range r.Entered {
		if at < 1 || at > s.head.Seq {
			s.cure(r.ID, WrongScopes, "%s came into %s at %d, and the log ends at %d", what, is[k], at, s.head.Seq).enter = true
		}
	}
}

// moves reports whether a record is below one that has moved: it follows in
// its turn.
func (s *stretch) moves(r *record.Record) bool {
	for depth := 0; r != nil && depth <= MaxDepth; depth++ {
		if s.moving[r.ID] {
			return true
		}
		r = s.known[parentBy(r)]
	}
	return false
}

func sameLookups(want, is []record.LookupRow) bool {
	if len(want) != len(is) {
		return false
	}
	for _, row := range want {
		if !slices.Contains(is, row) {
			return false
		}
	}
	return true
}

func idText(id record.ID) string {
	if id.IsZero() {
		return "nobody"
	}
	return id.String()
}
