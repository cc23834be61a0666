package sync

import (
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
)

// accept keeps what the mutation made and writes its row.
func (s *settling) accept() (record.Outcome, error) {
	w, seq := s.w, s.w.next()
	for _, id := range s.order {
		d := s.drafts[id]
		w.put(d.now)
		if d.left != 0 {
			w.left[id] = d.left
		}
	}
	for _, id := range s.rescope {
		w.rescope = append(w.rescope, store.Rescope{Rec: id, Seq: seq})
	}
	if err := s.spread(seq); err != nil {
		return record.Outcome{}, err
	}
	result := record.Applied
	if s.merged || len(s.clashes) > 0 {
		result = record.Merged
	}
	keep := history.Verdict{Over: s.over(), Clamped: s.clamped, Clashes: s.storedClashes()}
	row := store.Entry{Seq: seq, Stamp: s.by.Stamp, Person: s.actor.Person, Result: result, Body: s.body(), Outcome: keep.Text()}
	if s.parked != 0 {
		s.appendSettled(row, keep)
		return record.Outcome{}, nil // nobody waits for it; its device is told by a pull
	}
	w.append(s.writer, s.m, row)
	out := w.e.teller.Outcome(w.tx.Org, w.head.Epoch, &w.log[len(w.log)-1], keep)
	out.Clashes = s.clashes
	out.Records = s.shown()
	return out, nil
}

// refuse keeps nothing of the mutation but its number and why.
func (s *settling) refuse(why *errs.Error) (record.Outcome, error) {
	w, seq := s.w, s.w.next()
	refusal := record.RefusalOf(why)
	if refusal.Code == "" {
		refusal.Code = string(why.Kind)
	}
	for i := range s.m.Edits {
		if e := &s.m.Edits[i]; e.Op == record.OpCreate && w.records[e.ID] == nil {
			w.lost[e.ID] = seq
		}
	}
	person := record.NoID
	if s.actor != nil {
		person = s.actor.Person
	}
	s.edits = s.edits[:0]
	for i := range s.m.Edits {
		s.edits = append(s.edits, history.Edit{Edit: &s.m.Edits[i]})
	}
	keep := history.Verdict{Refusal: refusal, After: s.after}
	w.append(s.writer, s.m, store.Entry{
		Seq: seq, Stamp: s.writer.Stamp, Person: person, Result: record.Refused, Body: s.body(), Outcome: keep.Text(),
	})
	out := w.e.teller.Outcome(w.tx.Org, w.head.Epoch, &w.log[len(w.log)-1], keep)
	shown, err := s.truth()
	out.Records = shown
	return out, err
}

// shown is how the fields that clashed now stand.
func (s *settling) shown() []record.Shown {
	var out []record.Shown
	for _, c := range s.clashes {
		if rec := s.w.records[c.ID]; rec != nil && rec.Slot(c.Field) != nil {
			out = history.Show(out, rec, c.Field)
		}
	}
	return out
}

// truth shows the author of a refused mutation the fields that he wanted to
// change, of records that he may see.
func (s *settling) truth() ([]record.Shown, error) {
	if s.actor == nil {
		return nil, nil
	}
	s.drafts = nil
	var out []record.Shown
	for i := range s.m.Edits {
		e := &s.m.Edits[i]
		rec, err := s.w.record(e.ID)
		if err != nil {
			return nil, err
		}
		if rec == nil || rec.State == record.Deleted || !s.actor.Sees(rec.Kind, rec.Scopes) {
			continue
		}
		var set record.Values
		for _, values := range []record.Values{e.Set, e.Add, e.Remove, e.Inc} {
			for _, v := range values {
				if slot := rec.Slot(v.Field); slot != nil && !s.actor.Hides(rec.Kind, v.Field) && set.Get(v.Field) == nil {
					set = append(set, record.Value{Field: v.Field, Raw: slot.Raw})
				}
			}
		}
		out = append(out, record.Shown{Kind: rec.Kind.Name, ID: rec.ID, Seq: rec.Seq, Set: set.AppendJSON(nil)})
	}
	return out, nil
}

func (s *settling) storedClashes() []history.Clash {
	var out []history.Clash
	for i, c := range s.clashes {
		kept := history.Clash{Kind: c.Kind, ID: c.ID, Field: c.Field, Code: c.Code, Conflict: c.Conflict, Mine: s.told[i].mine, Via: s.told[i].via}
		if dead := s.told[i].dead; !dead.IsZero() {
			kept.Dead = &dead
		}
		out = append(out, kept)
	}
	return out
}

// repeat answers a mutation that was judged before.
func (w *work) repeat(row *store.Entry, person record.ID) (out record.Outcome, err error) {
	actor, err := w.actor(person)
	if err != nil {
		return record.Outcome{}, err
	}
	if row.Twin != 0 && string(row.Body) == "[]" { // the log tells of its edits once
		first, err := w.entryAt(row.Twin)
		if err != nil {
			return record.Outcome{}, err
		}
		row.Body = first.Body
	}
	if row.Result == record.Parked {
		n, id := row.N, row.ID
		if row, err = w.fate(row); err != nil {
			return record.Outcome{}, err
		}
		defer func() { out.N, out.ID = n, id }()
	}
	out, err = w.e.teller.Told(w.tx.Org, w.head.Epoch, row, func(c history.Clash) (*record.Record, error) {
		rec, err := w.record(c.ID)
		if err != nil || rec == nil || !actor.Sees(rec.Kind, rec.Scopes) || actor.Hides(rec.Kind, c.Field) {
			return nil, err
		}
		return rec, nil
	})
	out.Repeated = true
	return out, err
}

// instant is a moment as a field of type datetime holds it.
func instant(ms int64) []byte {
	t, layout := time.UnixMilli(ms).UTC(), `"2006-01-02T15:04:05.000Z"`
	if t.Nanosecond() == 0 {
		layout = `"2006-01-02T15:04:05Z"`
	}
	return t.AppendFormat(make([]byte, 0, len(layout)), layout)
}
