package sync

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/store"
)

// work is one transaction in hand: what was loaded, as it stands after the
// mutations settled so far, and what is to be written at the end. What most
// gathers need is remembered from the last one or loaded at the beginning in a
// few statements; what few need is loaded when it is asked for, which the org's
// lock makes safe.
type work struct {
	e       *Engine
	ctx     context.Context
	tx      store.Tx
	mem     *memory // only read
	careful bool    // nothing is taken for new without looking

	from   store.Head // where the log ended when the transaction began
	head   store.Head // as it will be
	start  record.Seq // the head's seq when the transaction began
	schema *record.Schema
	now    time.Time

	writers map[record.ReplicaID]*store.Writer
	twins   map[record.ReplicaID][]record.Writer
	entries map[record.ID]*store.Entry // judged mutations by id
	marks   map[record.Seq]store.Mark
	records map[record.ID]*record.Record // as of now; nil is known not to be there
	was     map[record.ID]*record.Record // as loaded
	people  map[record.ID]*store.Person
	actors  map[record.ID]*access.Actor
	scopes  map[string]record.ScopeID // those that were looked up or made since
	orphans map[record.ID]bool
	held    map[record.ID]map[record.ScopeID]bool // by person, once loaded
	owners  map[record.ID]map[record.ID]bool      // of those whose grants have changed here
	listed  map[string]bool                       // kinds of which all are loaded
	lists   map[string][]*record.Record           // their live records, in the order of their ids
	pins    map[record.ID]int                     // how many devices pin each account, once loaded
	hung    map[record.ID][]record.ID             // what was found, or put, below others
	alike   map[alikeKey][]record.ID              // who had a key when it was looked up
	became  map[alikeKey][]record.ID              // who has got it since
	ledTo   map[record.ID]bool                    // records of which the redirects to them are loaded

	log      []store.Entry
	dirty    []record.ID
	left     map[record.ID]record.Seq
	pushed   []record.ReplicaID
	forks    []store.Writer
	lost     map[record.ID]record.Seq // new orphans
	named    []store.Person
	regrant  []store.Regrant
	reindex  []int16 // kinds of which a new schema has other look-up fields
	rescope  []store.Rescope
	rescoped []store.Rescope // that are done
	further  []store.Rescope // that have come further
	publish  *record.Schema
	shown    []store.Shown
	repins   []store.Repin
	parked   []store.Parked
	settled  []store.Settled
	purged   []record.ID
	mended   []store.Mended
	epoch    *store.Epoch // a new one
}

// begin starts where the log ends: as it is remembered, otherwise as it is found
// under the lock.
func (e *Engine) begin(ctx context.Context, turn *store.Turn, mem *memory, careful bool) (*work, error) {
	head := mem.head
	if head == nil {
		locked, err := turn.Lock(ctx)
		if err != nil {
			return nil, err
		}
		head = &locked
	}
	w := &work{
		e: e, ctx: ctx, tx: turn.Tx, mem: mem, careful: careful, from: *head, head: *head, start: head.Seq, now: e.Now(),
		writers: map[record.ReplicaID]*store.Writer{}, twins: map[record.ReplicaID][]record.Writer{}, entries: map[record.ID]*store.Entry{},
		marks: map[record.Seq]store.Mark{}, records: map[record.ID]*record.Record{}, was: map[record.ID]*record.Record{},
		people: map[record.ID]*store.Person{}, actors: map[record.ID]*access.Actor{},
		scopes: map[string]record.ScopeID{}, orphans: map[record.ID]bool{},
		left: map[record.ID]record.Seq{}, lost: map[record.ID]record.Seq{},
		held: map[record.ID]map[record.ScopeID]bool{}, owners: map[record.ID]map[record.ID]bool{}, listed: map[string]bool{}, lists: map[string][]*record.Record{},
		hung: map[record.ID][]record.ID{}, alike: map[alikeKey][]record.ID{}, became: map[alikeKey][]record.ID{}, ledTo: map[record.ID]bool{},
	}
	var err error
	if w.schema, err = e.schema(ctx, w.tx.Org, w.tx, head.Schema); err != nil {
		return nil, err
	}
	return w, w.loadWriters([]record.ReplicaID{head.Server})
}

// person finds somebody by id, nil if the org has no such person.
func (w *work) person(id record.ID) (*store.Person, error) {
	err := w.loadPeople([]record.ID{id})
	return w.people[id], err
}

// scope numbers a scope by name.
func (w *work) scope(name string) (record.ScopeID, error) {
	if id, known := w.mem.scopes[name]; known {
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
		if _, known := w.mem.scopes[name]; !known && w.scopes[name] == 0 {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
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
	if was := w.records[rec.ID]; !rec.Parent.IsZero() && (was == nil || was.Parent != rec.Parent) {
		w.hung[rec.Parent] = append(w.hung[rec.Parent], rec.ID)
	}
	w.records[rec.ID] = rec
	delete(w.lists, rec.Kind.Name)
	w.becomes(rec)
}

// end seals what there is to write, nil if there is nothing.
func (w *work) end() (*store.Sealed, error) {
	if w.head.Seq == w.start && len(w.forks) == 0 && len(w.rescoped) == 0 && len(w.further) == 0 {
		return nil, nil //nolint:nilnil // to have nothing to write is no fault
	}
	c := store.Commit{
		Head: w.head, Entries: w.log, Forks: w.forks, Orphans: w.lost, People: w.named, Regrants: w.regrant, Reindex: w.reindex,
		Rescopes: w.subtrees(), Followed: w.further, Rescoped: w.rescoped, Schema: w.publish, Shown: w.shown, Repins: w.repins, Parked: w.parked, Settled: w.settled,
		Epoch: w.epoch, Purged: w.purged, Mended: w.mended,
	}
	for _, id := range w.dirty {
		rec := w.records[id]
		rec.Prune(w.head.Floor)
		c.Records = append(c.Records, store.Dirty{Was: w.was[id], Now: rec, Left: max(w.left[id], rec.Seq)})
	}
	for _, id := range distinct(w.pushed) {
		c.Writers = append(c.Writers, *w.writers[id])
	}
	return c.Seal(w.tx.Org, w.from)
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

// entryAt reads a row of the log, also one of this transaction.
func (w *work) entryAt(seq record.Seq) (store.Entry, error) {
	if seq > w.start { // an epoch that begins leaves a gap, so they are not at their places
		i, found := slices.BinarySearchFunc(w.log, seq, func(e store.Entry, seq record.Seq) int { return cmp.Compare(e.Seq, seq) })
		if found {
			return w.log[i], nil
		}
	}
	return w.tx.Entry(w.ctx, seq)
}
