package sync

import (
	"maps"
	"slices"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
)

// load takes in what some jobs will surely need.
func (w *work) load(jobs []*job) error {
	var replicas []record.ReplicaID
	var ids, persons []record.ID
	seqs := map[record.Seq]bool{}
	recs := map[record.ID]bool{}
	for _, j := range jobs {
		if j.replica != 0 {
			replicas, persons = append(replicas, j.replica), append(persons, j.who.Person)
		}
		persons = append(persons, j.persons...)
		if j.stands != nil {
			seqs[j.stands.Proven()] = true
		}
		for i := range j.muts {
			if w.careful {
				ids = append(ids, j.muts[i].ID)
			}
			for k := range j.muts[i].Edits {
				e := &j.muts[i].Edits[k]
				w.collect(e, recs)
				seqs[record.Seq(e.Seen.Seq())] = true
			}
		}
	}
	if err := w.loadWriters(replicas); err != nil {
		return err
	}
	if err := w.loadActors(persons); err != nil {
		return err
	}
	entries, err := w.tx.EntriesByID(w.ctx, ids)
	if err != nil {
		return err
	}
	for i := range entries {
		w.entries[entries[i].ID] = &entries[i]
	}
	if err := w.loadMarks(seqs); err != nil {
		return err
	}
	if err := w.foresee(jobs); err != nil {
		return err
	}
	return w.loadRecords(recs)
}

// loadMarks looks up some places in the log, which never change.
func (w *work) loadMarks(seqs map[record.Seq]bool) error {
	var unknown []record.Seq
	for seq := range seqs {
		if _, known := w.marks[seq]; known || seq == 0 || seq > w.start {
			continue
		}
		if mark, known := w.mem.marks.get(seq); known {
			w.marks[seq] = mark
			continue
		}
		unknown = append(unknown, seq)
	}
	if len(unknown) == 0 {
		return nil
	}
	marks, err := w.tx.Marks(w.ctx, unknown)
	maps.Copy(w.marks, marks)
	return err
}

// collect names the records that an edit touches: its own, and those that it
// refers to.
func (w *work) collect(e *record.Edit, recs map[record.ID]bool) {
	if e.Op != record.OpCreate || w.careful {
		recs[e.ID] = true
	}
	kind := w.schema.Kind(e.Kind)
	if kind == nil {
		return
	}
	for f, id := range references(kind, e) {
		if f.Type == "reference" {
			recs[id] = true
		}
	}
}

func distinct[T comparable](all []T) []T {
	seen := make(map[T]bool, len(all))
	out := all[:0]
	for _, t := range all {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

// loadWriters loads replicas and all that they were relabelled from. Those that
// are there already are left alone: they may have moved on in this transaction.
func (w *work) loadWriters(ids []record.ReplicaID) error {
	var unknown []record.ReplicaID
	for _, id := range ids {
		if _, known := w.twins[id]; known {
			continue
		}
		line, known := w.mem.writer(id)
		twins, both := w.mem.twins[id]
		if !known || !both {
			unknown = append(unknown, id)
			continue
		}
		w.twins[id] = slices.Clip(twins)
		w.addWriters(line)
	}
	if len(unknown) == 0 {
		return nil
	}
	found, err := w.tx.Writers(w.ctx, unknown)
	if err != nil {
		return err
	}
	w.addWriters(found)
	twins, err := w.tx.Twins(w.ctx, unknown)
	if err != nil {
		return err
	}
	for _, id := range unknown {
		if w.writers[id] != nil {
			w.twins[id] = twins[id]
		}
	}
	return nil
}

func (w *work) addWriters(found []store.Writer) {
	for i := range found {
		if w.writers[found[i].ID] == nil {
			w.writers[found[i].ID] = &found[i]
		}
	}
}

func (w *work) loadRecords(recs map[record.ID]bool) error {
	ids := make([]record.ID, 0, len(recs))
	for id := range recs {
		if !w.recall(id) {
			ids = append(ids, id)
			w.records[id] = nil
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := w.tx.Records(w.ctx, ids)
	if err != nil {
		return err
	}
	for i := range rows {
		rec, err := rows[i].Record(w.schema)
		if err != nil {
			return err
		}
		w.records[rec.ID], w.was[rec.ID] = rec, rec
	}
	return nil
}

// recall reports whether it is known what a record is, or that there is none.
func (w *work) recall(id record.ID) bool {
	if _, known := w.records[id]; known {
		return true
	}
	rec, known := w.mem.records.get(id)
	if known {
		w.records[id], w.was[id] = rec, rec
	}
	return known
}

// record finds a record as it stands now, nil if there is none.
func (w *work) record(id record.ID) (*record.Record, error) {
	if rec, known := w.records[id]; known {
		return rec, nil
	}
	err := w.loadRecords(map[record.ID]bool{id: true})
	return w.records[id], err
}

// adopt takes in rows that were found otherwise than by id; what the work has
// already is newer.
func (w *work) adopt(rows []store.Row) ([]*record.Record, error) {
	out := make([]*record.Record, 0, len(rows))
	for i := range rows {
		w.hung[rows[i].Parent] = append(w.hung[rows[i].Parent], rows[i].ID)
		w.recall(rows[i].ID)
		rec := w.records[rows[i].ID]
		if rec == nil {
			var err error
			if rec, err = rows[i].Record(w.schema); err != nil {
				return nil, err
			}
			w.records[rec.ID], w.was[rec.ID] = rec, rec
		}
		out = append(out, rec)
	}
	return out, nil
}

// loadActors loads what people may do, with what this transaction has changed
// of it. Nobody is the server.
func (w *work) loadActors(ids []record.ID) error {
	var people []record.ID
	for _, id := range ids {
		switch {
		case w.actors[id] != nil:
		case w.mem.actors[id] != nil && w.head.Granted == w.from.Granted:
			w.actors[id] = w.mem.actors[id]
		case id.IsZero():
			w.actors[id] = &access.Actor{System: true, Active: true}
		default:
			w.actors[id] = access.Somebody(id)
			people = append(people, id)
		}
	}
	if err := w.loadPeople(people); err != nil || len(people) == 0 {
		return err
	}
	grants, err := w.tx.Grants(w.ctx, people, 1<<62)
	for _, g := range grants {
		w.actors[g.Holder].Hold(g.Scope, g.Name)
	}
	for _, id := range people {
		a := w.actors[id]
		if p := w.people[id]; p != nil {
			a.Roles, a.Active = p.Roles, p.Active
		}
		if w.owners[id] != nil {
			a.Scopes, a.Owners = w.held[id], w.owners[id]
		}
	}
	return err
}

// loadPeople loads some people; those that are not there are known not to be.
func (w *work) loadPeople(ids []record.ID) error {
	var unknown []record.ID
	for _, id := range ids {
		if _, known := w.people[id]; known {
			continue
		}
		if w.people[id] = w.mem.people[id]; w.people[id] == nil {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	found, err := w.tx.People(w.ctx, unknown)
	for i := range found {
		w.people[found[i].ID] = &found[i]
	}
	return err
}
