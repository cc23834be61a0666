package sync

import (
	"encoding/json"
	"time"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/version"
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
	keep := history.Verdict{Refusal: refusal}
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
		out = append(out, history.Clash{Kind: c.Kind, ID: c.ID, Field: c.Field, Code: c.Code, Conflict: c.Conflict, Mine: s.mine[i]})
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

// conflictKind is the kind of the records that ask a person to look.
const conflictKind = "conflict"

// clash tells the author, and opens a conflict where the policy asks for a
// person. The conflict belongs to the record and comes in the same commit.
func (s *settling) clash(r *record.Record, c conflicts.Clash) error {
	s.merged = true
	told := record.Clash{
		Kind: r.Kind.Name, ID: r.ID, Field: c.Field.Name, Kept: c.Kept, Lost: c.Lost, Code: string(c.Field.Policy),
	}
	if kind := s.w.schema.Kind(conflictKind); c.Ask && kind != nil && r.Kind != kind {
		id := s.conflictID(r, c)
		if err := s.open(kind, id, r, c); err != nil {
			return err
		}
		told.Conflict = &id
	}
	s.clashes = append(s.clashes, told)
	s.mine = append(s.mine, c.LostBy.Same(s.by))
	return nil
}

// conflictID follows from the two that met, whoever of them came first: after a
// restore they may come back the other way round, and what a person has decided
// must find the conflict that it decides.
func (s *settling) conflictID(r *record.Record, c conflicts.Clash) record.ID {
	name := func(by record.Writer) string {
		if by.Same(s.by) && !s.proof.Dot.IsZero() {
			by = s.proof.Dot // what it was called then
		}
		return version.Dot{Replica: store.ReplicaName(by.Replica), N: by.N}.String()
	}
	one, other := name(c.KeptBy), name(c.LostBy)
	return r.ID.Derive(c.Field.Name + " " + min(one, other) + " " + max(one, other))
}

func (s *settling) open(kind *record.Kind, id record.ID, r *record.Record, c conflicts.Clash) error {
	values, err := s.versions(id, c)
	if err != nil {
		return err
	}
	e := &record.Edit{Op: record.OpCreate, Kind: kind.Name, ID: id, Set: record.Values{
		{Field: "record", Raw: quote(r.ID.String())},
		{Field: "about_kind", Raw: quote(r.Kind.Name)},
		{Field: "field", Raw: quote(c.Field.Name)},
		{Field: "policy", Raw: quote(string(c.Field.Policy))},
		{Field: "values", Raw: values},
		{Field: "state", Raw: quote("open")},
		{Field: "owner", Raw: quote(r.Owner.String())},
	}}
	if r.Owner.IsZero() {
		e.Set = e.Set[:len(e.Set)-1]
	}
	if known, err := s.find(id); known != nil || err != nil {
		return err // asked already
	}
	d := s.fresh(kind, id)
	w := s.write(&record.Edit{})
	w.Server = true
	report, err := conflicts.Apply(d.now, e, w)
	if err != nil {
		return err
	}
	s.defaults(d.now)
	return s.report(d.now, report, &history.Edit{Edit: e, Server: true})
}

// maxShownValue is the longest value that a conflict carries; a longer one is
// in the field's history.
const maxShownValue = 16 << 10

// versions are the values that clashed, who wrote each and when.
func (s *settling) versions(id record.ID, c conflicts.Clash) ([]byte, error) {
	out := []byte{'['}
	for i, v := range []struct {
		raw json.RawMessage
		by  record.Writer
	}{{c.Kept, c.KeptBy}, {c.Lost, c.LostBy}} {
		if i > 0 {
			out = append(out, ',')
		}
		row := record.Values{{Field: "id", Raw: quote(id.Derive([]string{"kept", "lost"}[i]).String())}}
		if len(v.raw) <= maxShownValue {
			row = append(row, record.Value{Field: "value", Raw: quote(string(v.raw))})
		}
		if !v.by.IsZero() {
			author, err := s.authorOf(v.by)
			if err != nil {
				return nil, err
			}
			row = append(row,
				record.Value{Field: "author", Raw: quote(author.String())},
				record.Value{Field: "at", Raw: instant(v.by.Stamp.MS)},
				record.Value{Field: "dot", Raw: quote(version.Dot{Replica: store.ReplicaName(v.by.Replica), N: v.by.N}.String())},
			)
		}
		out = row.AppendJSON(out)
	}
	return append(out, ']'), nil
}

// authorOf is whose replica made a write.
func (s *settling) authorOf(by record.Writer) (record.ID, error) {
	if by.Replica == s.by.Replica {
		return s.actor.Person, nil
	}
	if s.w.writers[by.Replica] == nil {
		if err := s.w.loadWriters([]record.ReplicaID{by.Replica}); err != nil {
			return record.NoID, err
		}
	}
	if w := s.w.writers[by.Replica]; w != nil {
		return w.Person, nil
	}
	return record.NoID, nil
}

// instant is a moment as a field of type datetime holds it.
func instant(ms int64) []byte {
	t, layout := time.UnixMilli(ms).UTC(), `"2006-01-02T15:04:05.000Z"`
	if t.Nanosecond() == 0 {
		layout = `"2006-01-02T15:04:05Z"`
	}
	return t.AppendFormat(make([]byte, 0, len(layout)), layout)
}
