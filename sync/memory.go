package sync

import (
	"maps"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
)

// Limits of what a committer remembers of its org. Past them it forgets what it
// has not used for longest, and reads it again.
const (
	maxRemembered = 64 << 20 // bytes of records: some 25,000 of ordinary size
	maxMarks      = 1 << 16  // places in the log, 24 bytes each
	maxNames      = 1 << 14  // replicas, people and scopes, of each
	maxListed     = 256      // records of a kind that is remembered as a whole
)

// memory is what a committer knows of its org without asking: what it has read
// and written itself. It is true for as long as the log ends where its last own
// commit has left it, which every transaction makes sure of. If the log ends
// elsewhere, or anything has gone wrong, all of it is forgotten.
//
// Only what is there is remembered, never that something is not: a sign-in adds
// replicas without moving the log.
type memory struct {
	head    *store.Head // where the log ends; nil: nothing is known
	records recent[record.ID, *record.Record]
	marks   recent[record.Seq, store.Mark]
	writers map[record.ReplicaID]store.Writer
	twins   map[record.ReplicaID][]record.Writer
	people  map[record.ID]*store.Person
	actors  map[record.ID]*access.Actor
	scopes  map[string]record.ScopeID
	lists   map[string][]*record.Record // all live records of some kinds of the catalogue
}

func newMemory(limit int) *memory {
	return &memory{
		records: recent[record.ID, *record.Record]{limit: limit, weigh: weight},
		marks:   recent[record.Seq, store.Mark]{limit: maxMarks, weigh: func(store.Mark) int { return 1 }},
		writers: map[record.ReplicaID]store.Writer{}, twins: map[record.ReplicaID][]record.Writer{},
		people: map[record.ID]*store.Person{}, actors: map[record.ID]*access.Actor{},
		scopes: map[string]record.ScopeID{}, lists: map[string][]*record.Record{},
	}
}

// writer finds a replica with all that it was relabelled from.
func (m *memory) writer(id record.ReplicaID) (line []store.Writer, ok bool) {
	for id != 0 {
		w, known := m.writers[id]
		if !known {
			return nil, false
		}
		line = append(line, w)
		id = w.Parent
	}
	return line, true
}

// absorb takes in what a transaction has read and will have written when it has
// reached the disk. All of that stays until the next one is taken in.
func (m *memory) absorb(w *work, head store.Head) {
	if w.publish != nil {
		*m = *newMemory(m.records.limit) // records know their kind by the old schema
		return
	}
	m.records.turn()
	for _, id := range w.purged {
		m.records.drop(id)
	}
	for id, rec := range w.records {
		if rec != nil {
			m.records.put(id, rec)
		}
	}
	m.marks.turn()
	for seq, mark := range w.marks {
		m.marks.put(seq, mark)
	}
	for i := range w.log {
		m.marks.put(w.log[i].Seq, w.log[i].Mark())
	}
	if m.head == nil || w.head.Granted != m.head.Granted {
		clear(m.people)
		clear(m.actors)
	}
	if w.head.Granted == w.from.Granted {
		remember(m.people, w.people)
		remember(m.actors, w.actors)
	}
	if len(m.writers) > maxNames {
		clear(m.writers)
		clear(m.twins)
	}
	for id, writer := range w.writers {
		m.writers[id] = *writer
	}
	maps.Copy(m.twins, w.twins)
	if len(m.scopes) > maxNames {
		clear(m.scopes)
	}
	maps.Copy(m.scopes, w.scopes)
	m.relist(w)
	m.head = &head
}

// relist remembers the kinds of which a transaction has read all records, and
// forgets those of which it has changed some.
func (m *memory) relist(w *work) {
	for _, id := range w.dirty {
		delete(m.lists, w.records[id].Kind.Name)
	}
	for kind := range w.listed {
		if _, known := m.lists[kind]; known {
			continue
		}
		all := []*record.Record{}
		for _, rec := range w.records {
			if rec != nil && rec.Kind.Name == kind && rec.State == record.Live {
				all = append(all, rec)
			}
		}
		if len(all) <= maxListed {
			m.lists[kind] = all
		}
	}
}

func remember[T any](all, some map[record.ID]*T) {
	if len(all) > maxNames {
		clear(all)
	}
	for id, t := range some {
		if t != nil {
			all[id] = t
		}
	}
}

// weight is about how much memory a record takes.
func weight(r *record.Record) int {
	const each, slot, writer, elem = 400, 112, 40, 48
	n := each + slot*cap(r.Slots) + writer*cap(r.Vector) + 12*len(r.Scopes)
	for i := range r.Slots {
		s := &r.Slots[i]
		n += len(s.Raw)
		for j := range s.Elems {
			n += elem + writer*len(s.Elems[j].Adds)
		}
		for j := range s.Versions {
			n += elem + writer + len(s.Versions[j].Raw) + len(s.Versions[j].From)
		}
		for j := range s.Asked {
			n += elem + writer*len(s.Asked[j].Writers)
		}
	}
	return n
}

// recent remembers what was used last, in two generations: when the young one
// has grown to half of the limit it becomes the old, and what was old and
// nobody has asked for since is forgotten.
type recent[K comparable, V any] struct {
	limit      int
	weigh      func(V) int
	young, old map[K]V
	size       int // of the young
}

func (r *recent[K, V]) get(k K) (V, bool) {
	v, ok := r.young[k]
	if ok {
		return v, true
	}
	if v, ok = r.old[k]; ok {
		delete(r.old, k)
		r.put(k, v)
	}
	return v, ok
}

func (r *recent[K, V]) put(k K, v V) {
	if r.young == nil {
		r.young = map[K]V{}
	}
	if was, known := r.young[k]; known {
		r.size -= r.weigh(was)
	}
	r.young[k] = v
	r.size += r.weigh(v)
	delete(r.old, k)
}

func (r *recent[K, V]) drop(k K) {
	if v, known := r.young[k]; known {
		r.size -= r.weigh(v)
		delete(r.young, k)
	}
	delete(r.old, k)
}

// turn makes room, if it is time. Between two turns nothing is forgotten.
func (r *recent[K, V]) turn() {
	if r.size > r.limit/2 {
		r.young, r.old, r.size = nil, r.young, 0
	}
}
