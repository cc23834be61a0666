package sync

import (
	"iter"
	"maps"

	"roadbook/record"
	"roadbook/store"
)

// maxChildren is the most children that a delete looks at: one that would
// cascade further is asked of a person, one that is refused needs no count.
const maxChildren = 1000

// children lists the live records below one, with what hangs below them if the
// kind cascades. Conflicts and requests about it are no reason to keep it, nor is
// what was reserved once; there may be more of those than are looked at here.
func (s *settling) children(rec *record.Record) (live []*record.Record, err error) {
	var besides []int16
	for _, k := range s.w.schema.Kinds {
		if isNote(k) || isPaper(k) || k.Name == reserveKind {
			besides = append(besides, k.No)
		}
	}
	for level := []record.ID{rec.ID}; len(level) > 0 && len(live) <= maxChildren; {
		rows, err := s.w.tx.Children(s.w.ctx, level, besides, maxChildren)
		if err != nil {
			return nil, err
		}
		if _, err := s.w.adopt(rows); err != nil {
			return nil, err
		}
		if err := s.loadOpen(level, reserveKind, "closed", nil); err != nil {
			return nil, err
		}
		above := level
		level = nil
		for _, child := range s.under(above) {
			if !isNote(child.Kind) && !isPaper(child.Kind) && (child.Kind.Name != reserveKind || isOpenReserve(child)) && child.State == record.Live {
				live = append(live, child)
				level = append(level, child.ID)
			}
		}
		if rec.Kind.OnDelete != record.Cascade {
			break
		}
	}
	return live, nil
}

// mootAll closes the open conflicts about what is deleted, however many there are.
func (s *settling) mootAll(gone []record.ID) error {
	open := "open"
	if err := s.loadOpen(gone, conflictKind, "state", &open); err != nil {
		return err
	}
	return s.closeAsked(gone)
}

// loadOpen loads the live records of a kind below some others of which a field
// has this text, page by page.
func (s *settling) loadOpen(above []record.ID, kind, field string, text *string) error {
	k := s.w.schema.Kind(kind)
	if k == nil {
		return nil
	}
	open := store.Open{Kind: k.No, Field: field, Text: text}
	for after, more := (record.ID{}), true; more; {
		rows, err := s.w.tx.OpenBelow(s.w.ctx, above, open, after, maxChildren)
		if err != nil {
			return err
		}
		if _, err := s.w.adopt(rows); err != nil {
			return err
		}
		if more = len(rows) == maxChildren; more {
			after = rows[len(rows)-1].ID
		}
	}
	return nil
}

// under lists the records that hang below some others, as they stand now, of
// those that were found there or put there.
func (s *settling) under(parents []record.ID) []*record.Record {
	is := make(map[record.ID]bool, len(parents))
	for _, id := range parents {
		is[id] = true
	}
	ids := map[record.ID]bool{}
	for _, id := range parents {
		for _, child := range s.w.hung[id] {
			ids[child] = true
		}
	}
	for _, id := range s.order {
		ids[id] = true
	}
	return s.those(maps.Keys(ids), func(rec *record.Record) bool { return is[rec.Parent] })
}

// those are the records of which something is true, of some that are loaded or made.
func (s *settling) those(ids iter.Seq[record.ID], is func(*record.Record) bool) (out []*record.Record) {
	for id := range ids {
		rec := s.w.records[id]
		if d := s.drafts[id]; d != nil {
			rec = d.now
		}
		if rec != nil && is(rec) {
			out = append(out, rec)
		}
	}
	sortByID(out)
	return out
}
