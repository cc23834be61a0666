package sync

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/store"
	"roadbook/version"
)

// work is one transaction in hand: what was loaded, as it stands after the
// mutations settled so far, and what is to be written at the end. What most
// gathers need is loaded at the beginning in a few statements; what few need
// is loaded when it is asked for, which the org's lock makes safe.
type work struct {
	e      *Engine
	ctx    context.Context
	tx     store.Tx
	head   store.Head // as it will be
	start  record.Seq // the head's seq when the transaction began
	schema *record.Schema
	now    time.Time

	writers map[record.ReplicaID]*store.Writer
	twins   map[record.ReplicaID][]record.Writer
	entries map[record.ID]*store.Entry // judged mutations by id
	high    map[record.Seq]version.Stamp
	records map[record.ID]*record.Record // as of now; nil is known not to be there
	was     map[record.ID]*record.Record // as loaded
	people  map[record.ID]*store.Person
	actors  map[record.ID]*access.Actor
	known   map[string]record.ScopeID // scopes of earlier transactions; read only
	scopes  map[string]record.ScopeID // those that were looked up or made since
	orphans map[record.ID]bool
	held    map[record.ID]map[record.ScopeID]bool // by person, once loaded
	owners  map[record.ID]map[record.ID]bool      // of those whose grants have changed here
	listed  map[string]bool                       // kinds of which all are loaded

	log     []store.Entry
	dirty   []record.ID
	left    map[record.ID]record.Seq
	pushed  []record.ReplicaID
	lost    map[record.ID]record.Seq // new orphans
	named   []store.Person
	regrant []store.Regrant
	rescope []store.Rescope
	publish *record.Schema
	shown   []store.Shown
}

// begin loads what the jobs will surely need.
func (e *Engine) begin(ctx context.Context, tx store.Tx, head store.Head, jobs []*job, known map[string]record.ScopeID) (*work, error) {
	w := &work{
		known: known,
		e:     e, ctx: ctx, tx: tx, head: head, start: head.Seq, now: e.Now(),
		writers: map[record.ReplicaID]*store.Writer{}, twins: map[record.ReplicaID][]record.Writer{}, entries: map[record.ID]*store.Entry{},
		records: map[record.ID]*record.Record{}, was: map[record.ID]*record.Record{},
		people: map[record.ID]*store.Person{}, actors: map[record.ID]*access.Actor{},
		scopes: map[string]record.ScopeID{}, orphans: map[record.ID]bool{},
		left: map[record.ID]record.Seq{}, lost: map[record.ID]record.Seq{},
		held: map[record.ID]map[record.ScopeID]bool{}, owners: map[record.ID]map[record.ID]bool{}, listed: map[string]bool{},
	}
	var err error
	if w.schema, err = e.schema(ctx, tx, head.Schema); err != nil {
		return nil, err
	}
	return w, w.load(jobs)
}

func (w *work) load(jobs []*job) error {
	replicas := []record.ReplicaID{w.head.Server}
	var ids []record.ID
	var seqs []record.Seq
	var persons []record.ID
	recs := map[record.ID]bool{}
	for _, j := range jobs {
		if j.replica != 0 {
			replicas, persons = append(replicas, j.replica), append(persons, j.who.Person)
		}
		persons = append(persons, j.persons...)
		for i := range j.muts {
			ids = append(ids, j.muts[i].ID)
			for _, e := range j.muts[i].Edits {
				w.collect(e, recs)
				seqs = append(seqs, record.Seq(e.Seen.Seq()))
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
	if w.high, err = w.tx.HighAt(w.ctx, distinct(seqs)); err != nil {
		return err
	}
	return w.loadRecords(recs)
}

// collect names the records that an edit touches: its own, and those that it
// refers to.
func (w *work) collect(e record.Edit, recs map[record.ID]bool) {
	recs[e.ID] = true
	kind := w.schema.Kind(e.Kind)
	if kind == nil {
		return
	}
	for f, id := range references(kind, &e) {
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
	found, err := w.tx.Writers(w.ctx, ids)
	if err != nil {
		return err
	}
	for i := range found {
		if w.writers[found[i].ID] == nil {
			w.writers[found[i].ID] = &found[i]
		}
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id record.ReplicaID) bool { _, known := w.twins[id]; return known })
	twins, err := w.tx.Twins(w.ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		w.twins[id] = twins[id]
	}
	return nil
}

func (w *work) loadRecords(recs map[record.ID]bool) error {
	ids := make([]record.ID, 0, len(recs))
	for id := range recs {
		if _, known := w.records[id]; !known {
			ids = append(ids, id)
			w.records[id] = nil
		}
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

// record finds a record as it stands now, nil if there is none.
func (w *work) record(id record.ID) (*record.Record, error) {
	if rec, known := w.records[id]; known {
		return rec, nil
	}
	if err := w.loadRecords(map[record.ID]bool{id: true}); err != nil {
		return nil, err
	}
	return w.records[id], nil
}

// adopt takes in rows that were found otherwise than by id; what the work has
// already is newer.
func (w *work) adopt(rows []store.Row) ([]*record.Record, error) {
	out := make([]*record.Record, 0, len(rows))
	for i := range rows {
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

// person finds somebody by id, nil if the org has no such person.
func (w *work) person(id record.ID) (*store.Person, error) {
	err := w.loadPeople([]record.ID{id})
	return w.people[id], err
}

// scope numbers a scope by name.
func (w *work) scope(name string) (record.ScopeID, error) {
	if id, known := w.known[name]; known {
		return id, nil
	}
	if id, known := w.scopes[name]; known {
		return id, nil
	}
	if err := w.numberScopes([]string{name}); err != nil {
		return 0, err
	}
	return w.scopes[name], nil
}

// numberScopes looks up many scopes at once, so that scope finds them.
func (w *work) numberScopes(names []string) error {
	var unknown []string
	for _, name := range names {
		if _, known := w.known[name]; !known && w.scopes[name] == 0 {
			unknown = append(unknown, name)
		}
	}
	ids, err := w.tx.ScopeIDs(w.ctx, unknown)
	maps.Copy(w.scopes, ids)
	return err
}

// actor is somebody with the rights that he has at this point of the log.
func (w *work) actor(id record.ID) (*access.Actor, error) {
	if w.actors[id] == nil {
		if err := w.loadActors([]record.ID{id}); err != nil {
			return nil, err
		}
	}
	return w.actors[id], nil
}

// loadActors loads what people may do, with what this transaction has changed
// of it. Nobody is the server.
func (w *work) loadActors(ids []record.ID) error {
	var people []record.ID
	for _, id := range ids {
		switch {
		case w.actors[id] != nil:
		case id.IsZero():
			w.actors[id] = &access.Actor{System: true, Active: true}
		default:
			w.actors[id] = &access.Actor{Person: id, Scopes: map[record.ScopeID]bool{}, Owners: map[record.ID]bool{}}
			people = append(people, id)
		}
	}
	if err := w.loadPeople(people); err != nil || len(people) == 0 {
		return err
	}
	grants, err := w.tx.Grants(w.ctx, people, 1<<62)
	for _, g := range grants {
		holds(w.actors[g.Holder], g)
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
		if _, known := w.people[id]; !known {
			w.people[id] = nil
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

// line lists the replicas that one was relabelled from, and what it shares.
func (w *work) line(id record.ReplicaID) []conflicts.Ancestor {
	var out []conflicts.Ancestor
	for r := w.writers[id]; r != nil && r.Parent != 0; r = w.writers[r.Parent] {
		out = append(out, conflicts.Ancestor{Replica: r.Parent, UpTo: r.Fork})
	}
	return out
}

// put keeps what a settled mutation made of a record.
func (w *work) put(rec *record.Record) {
	if w.records[rec.ID] == w.was[rec.ID] {
		w.dirty = append(w.dirty, rec.ID)
	}
	w.records[rec.ID] = rec
}

// end writes everything.
func (w *work) end() ([]store.Dead, error) {
	if w.head.Seq == w.start {
		return nil, nil
	}
	c := store.Commit{
		Head: w.head, Entries: w.log, Orphans: w.lost, People: w.named, Regrants: w.regrant, Rescopes: w.subtrees(), Schema: w.publish, Shown: w.shown,
	}
	for _, id := range w.dirty {
		rec := w.records[id]
		rec.Prune(w.head.Floor)
		c.Records = append(c.Records, store.Dirty{Was: w.was[id], Now: rec, Left: max(w.left[id], rec.Seq)})
	}
	for _, id := range distinct(w.pushed) {
		c.Writers = append(c.Writers, *w.writers[id])
	}
	dead, err := w.tx.Append(w.ctx, c)
	if err != nil {
		return nil, fmt.Errorf("commit of %d changes: %w", len(w.log), err)
	}
	return dead, nil
}

// subtrees are those that are to be moved, each once, for its latest reason.
func (w *work) subtrees() []store.Rescope {
	last := map[record.ID]bool{}
	var out []store.Rescope
	for i := len(w.rescope) - 1; i >= 0; i-- {
		if !last[w.rescope[i].Rec] {
			last[w.rescope[i].Rec] = true
			out = append(out, w.rescope[i])
		}
	}
	return out
}
