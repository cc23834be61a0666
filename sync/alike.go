package sync

import (
	"maps"
	"slices"

	"roadbook/record"
	"roadbook/record/match"
)

// maxAlike is how many records one key is looked up for. Those that are
// certainly one are one already; more than these share a switchboard's number.
const maxAlike = 32

// unite makes one record of this one and of those that are certainly about the
// same thing, if it has just become alike.
func (s *settling) unite(d *draft) error {
	r := d.now
	alive := d.was != nil && d.was.State == record.Live
	if r.Kind.Match == nil || r.State != record.Live || alive && !r.MatchesOtherwise(d.was) || s.w.schema.Kind(redirectKind) == nil {
		return nil
	}
	keys := r.Matches()
	if len(keys) == 0 {
		return nil
	}
	others, err := s.alike(r, keys)
	if err != nil {
		return err
	}
	if err := s.foreseeApart(r, others); err != nil {
		return err
	}
	suggested := 0
	for _, other := range others {
		key, shared := match.Shared(keys, other.Matches())
		if !shared || other.ID == r.ID || other.State != record.Live || !key.Certain && suggested == maxSuggested {
			continue
		}
		apart, err := s.isApart(r, other)
		switch {
		case err != nil:
			return err
		case apart == saidApart:
		case key.Certain && apart == notApart:
			r, err = s.merge(r, other)
		case suggested < maxSuggested:
			suggested++
			err = s.suggest(r, other, key)
		}
		if err != nil {
			return err
		}
	}
	if r.ID != d.now.ID || len(others) > 0 && !slices.Equal(keys, r.Matches()) {
		return s.unite(s.drafts[r.ID]) // it has taken over what may be alike to more
	}
	return nil
}

// alike are the records of a kind that may share a key, as they stand now, by
// id.
func (s *settling) alike(r *record.Record, keys []match.Key) ([]*record.Record, error) {
	if err := s.w.lookAlike(r.Kind, keys); err != nil {
		return nil, err
	}
	ids := map[record.ID]bool{}
	for _, k := range keys {
		at := alikeKey{r.Kind.No, k.Index()}
		for _, id := range slices.Concat(s.w.alike[at], s.w.became[at], s.became[at]) {
			ids[id] = true
		}
		if s.became == nil {
			s.became = map[alikeKey][]record.ID{}
		}
		s.became[at] = append(s.became[at], r.ID)
	}
	delete(ids, r.ID)
	if err := s.w.loadRecords(maps.Clone(ids)); err != nil {
		return nil, err
	}
	var out []*record.Record
	for id := range ids {
		rec, err := s.find(id)
		if err != nil {
			return nil, err
		}
		if rec != nil && rec.State == record.Live {
			out = append(out, rec)
		}
	}
	sortByID(out)
	return out, nil
}

// alikeKey is a key by which duplicates are found, in its short form.
type alikeKey struct {
	kind int16
	key  string
}

// lookAlike looks up who has some keys, those that were not yet.
func (w *work) lookAlike(kind *record.Kind, keys []match.Key) error {
	var unknown []string
	for _, k := range keys {
		if _, known := w.alike[alikeKey{kind.No, k.Index()}]; !known {
			unknown = append(unknown, k.Index())
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	found, err := w.tx.Alike(w.ctx, kind.MatchNo(), unknown, maxAlike)
	if err != nil {
		return err
	}
	for _, key := range unknown {
		w.alike[alikeKey{kind.No, key}] = found[key]
	}
	return nil
}

// becomes notes the keys that a record has from now on, which no index says yet.
// What it says of others that have changed since is looked at again before it
// counts.
func (w *work) becomes(rec *record.Record) {
	if rec.Kind.Match == nil || rec.State != record.Live {
		return
	}
	if was := w.was[rec.ID]; was != nil && was.State == record.Live && !rec.MatchesOtherwise(was) {
		return
	}
	for _, k := range rec.Matches() {
		at := alikeKey{rec.Kind.No, k.Index()}
		if !slices.Contains(w.became[at], rec.ID) {
			w.became[at] = append(w.became[at], rec.ID)
		}
	}
}

// foresee looks up at once who has the keys of what some jobs will create.
func (w *work) foresee(jobs []*job) error {
	keys := map[*record.Kind][]match.Key{}
	for _, j := range jobs {
		for i := range j.muts {
			for k := range j.muts[i].Edits {
				e := &j.muts[i].Edits[k]
				if kind := w.schema.Kind(e.Kind); kind != nil && kind.Match != nil && e.Op == record.OpCreate {
					keys[kind] = append(keys[kind], kind.MatchesOf(e.Set)...)
				}
			}
		}
	}
	for kind, all := range keys {
		if err := w.lookAlike(kind, distinct(all)); err != nil {
			return err
		}
	}
	return nil
}
