package sim

import (
	"encoding/json"
	"maps"
	"slices"

	"roadbook/record"
)

// Where a log has lost something, "seen up to here" says little. What people
// really had on their screens still says what must come of sets and of deletes,
// in whatever order things have come back.

// member is an element of a set of a record.
type member struct {
	place
	elem string
}

// truth is what was accepted, by what its authors had on their screens.
type truth struct {
	w      *World
	adds   map[member]map[record.ID]bool
	gone   map[member]map[record.ID]bool    // adds that somebody removed who had seen them
	writes map[record.ID]map[record.ID]bool // by record
	kills  map[record.ID][]*typing          // deletes, by record
	swept  map[record.ID]bool               // deleted by the server, with what is above
	empty  map[place]*typing                // who emptied a field that is empty
}

func newTruth(w *World) *truth {
	return &truth{
		w: w, adds: map[member]map[record.ID]bool{}, gone: map[member]map[record.ID]bool{},
		writes: map[record.ID]map[record.ID]bool{}, kills: map[record.ID][]*typing{}, swept: map[record.ID]bool{},
		empty: map[place]*typing{},
	}
}

// view is a record as a log had it at some row: who had written it, whose adds
// are in it, and who had emptied what is empty.
type view struct {
	seq    record.Seq
	writes map[record.ID]bool
	adds   map[member]map[record.ID]bool
	empty  map[place]*typing
}

// lived is a record in one life of the server.
type lived struct {
	life int
	rec  record.ID
}

// membersOf are the elements in some values of an edit, of fields that are sets.
func membersOf(kind *record.Kind, rec record.ID, vs record.Values, do func(m member)) {
	for _, v := range vs {
		if f := kind.Field(v.Field); f != nil && f.Policy == record.Set {
			for _, elem := range elements(v.Raw) {
				do(member{place{rec, v.Field}, string(elem)})
			}
		}
	}
}

func note[K comparable](m map[K]map[record.ID]bool, key K, ids ...record.ID) {
	if m[key] == nil {
		m[key] = map[record.ID]bool{}
	}
	for _, id := range ids {
		m[key][id] = true
	}
}

// edit takes in one edit that was accepted.
func (t *truth) edit(ty *typing, kind *record.Kind, e *loggedEdit) {
	switch {
	case e.By == "server":
		t.swept[e.ID] = t.swept[e.ID] || e.Op == record.OpDelete
		return
	case e.Op == record.OpDelete:
		t.kills[e.ID] = append(t.kills[e.ID], ty)
		return
	case e.Buried:
		return
	}
	note(t.writes, e.ID, ty.id)
	add := func(m member) { note(t.adds, m, ty.id) }
	membersOf(kind, e.ID, e.Remove, func(m member) { note(t.gone, m, slices.Collect(maps.Keys(ty.removes[m]))...) })
	membersOf(kind, e.ID, e.Add, add)
	membersOf(kind, e.ID, e.Set, add)
}

// sets notes what a write that took has left in a field: what is empty says by
// itself nothing about who made it so.
func (t *truth) sets(at place, raw json.RawMessage, by *typing) {
	delete(t.empty, at)
	if record.IsNull(raw) {
		t.empty[at] = by
	}
}

// emptied is who emptied a field that somebody has empty on his screen: he
// himself, if nobody has judged that yet, or whoever did in the log.
func (p *phone) emptied(at place) *typing {
	var last *typing
	for id := range p.own {
		t := p.w.typed[id]
		if t.outcome == nil && t.sets(at) && (last == nil || last.step < t.step) {
			last = t
		}
	}
	if last != nil {
		return last
	}
	v, _ := p.screen(at.rec, p.pulled(at.rec))
	return v.empty[at]
}

func (t *typing) sets(at place) bool {
	return slices.ContainsFunc(t.edits, func(e record.Edit) bool {
		return e.ID == at.rec && slices.ContainsFunc(e.Set, func(v record.Value) bool { return v.Field == at.field })
	})
}

// keep keeps how a row has left its records.
func (t *truth) keep(row *logRow, touched map[record.ID]bool) {
	for rec := range touched {
		v := view{row.seq, maps.Clone(t.writes[rec]), map[member]map[record.ID]bool{}, map[place]*typing{}}
		for m := range t.adds {
			if m.rec == rec {
				v.adds[m] = t.left(m)
			}
		}
		for at, by := range t.empty {
			if at.rec == rec {
				v.empty[at] = by
			}
		}
		key := lived{t.w.life, rec}
		t.w.views[key] = append(t.w.views[key], v)
	}
}

// left are the adds of an element that nobody has removed knowingly.
func (t *truth) left(m member) map[record.ID]bool {
	out := maps.Clone(t.adds[m])
	maps.DeleteFunc(out, func(id record.ID, _ bool) bool { return t.gone[m][id] })
	return out
}

// pulled is the seq of a record as a phone has pulled it.
func (p *phone) pulled(rec record.ID) (seq record.Seq) {
	p.dev.Pulled(func(_ string, id record.ID, s record.Seq, _ []string, _ record.Values) {
		if id == rec {
			seq = s
		}
	})
	return seq
}

// screen is a record as it stood at a seq, in the life in which a phone has
// pulled it, and whether that life is over.
func (p *phone) screen(rec record.ID, seq record.Seq) (v view, over bool) {
	for life := p.life; life >= 0 && seq > 0; life-- {
		all := p.w.views[lived{life, rec}]
		for _, v := range slices.Backward(all) {
			if v.seq <= seq {
				return v, life != p.w.life
			}
		}
	}
	return view{}, false
}

// saw notes which adds and which writes somebody undoes: those that he had
// pulled, and his own.
func (t *typing) undoes(p *phone, kind *record.Kind, e *record.Edit) {
	if e.Op != record.OpDelete && len(e.Remove) == 0 {
		return
	}
	v, _ := p.screen(e.ID, p.pulled(e.ID))
	lost := p.life != p.w.life
	if e.Op == record.OpDelete {
		var over bool
		v, over = p.screen(e.ID, record.Seq(e.Seen.Seq())) // what is under an own edit on top is not seen
		lost = lost || over                                // what that edit had seen was numbered by a log that is lost
		note(t.deletes, e.ID, slices.Collect(maps.Keys(v.writes))...)
		note(t.deletes, e.ID, slices.Collect(maps.Keys(p.own))...)
		p.w.loose[member{place: place{rec: e.ID}}] = p.w.loose[member{place: place{rec: e.ID}}] || lost
	}
	membersOf(kind, e.ID, e.Remove, func(m member) {
		note(t.removes, m, slices.Collect(maps.Keys(v.adds[m]))...)
		note(t.removes, m, slices.Collect(maps.Keys(p.own))...)
		p.w.loose[m] = p.w.loose[m] || lost
	})
}

// undoesAll is undoes for the server, which has everything.
func (t *typing) undoesAll(tr *truth, kind *record.Kind, e *record.Edit) {
	if e.Op == record.OpDelete {
		note(t.deletes, e.ID, slices.Collect(maps.Keys(tr.writes[e.ID]))...)
	}
	membersOf(kind, e.ID, e.Remove, func(m member) { note(t.removes, m, slices.Collect(maps.Keys(tr.adds[m]))...) })
}

// loosen notes the stated limit: what an unacknowledged remove or delete that
// was typed before a restore takes away is not certain after it.
func (w *World) loosen(store interface {
	Load(table string, each func(key, value []byte) error) error
},
) {
	w.fails(each(store, func(s *stored) {
		if s.Verdict != nil {
			return
		}
		for i := range s.Mutation.Edits {
			e := &s.Mutation.Edits[i]
			if e.Op == record.OpDelete {
				w.loose[member{place: place{rec: e.ID}}] = true
			}
			if kind := w.schema.Kind(e.Kind); kind != nil {
				membersOf(kind, e.ID, e.Remove, func(m member) { w.loose[m] = true })
			}
		}
	}))
}

// check compares the records with the truth.
func (t *truth) check(all *tables) {
	for m := range t.adds {
		r := all.records[m.rec]
		if r == nil || t.w.loose[m] {
			continue
		}
		want := len(t.left(m)) > 0
		if got := slices.Contains(texts(r.fields.Get(m.field)), m.elem); got != want {
			t.w.finds("whether %s has %s: by what people saw %v, by the record %v", m.place, m.elem, want, got)
		}
	}
	for _, r := range all.order {
		t.checkDeleted(r)
	}
}

func (t *truth) checkDeleted(r *row) {
	kills := t.kills[r.id]
	if r.kind.Name == "conflict" || r.kind.Name == "request" || r.kind.OnDelete == record.DeleteWins || t.w.loose[member{place: place{rec: r.id}}] {
		return
	}
	knowing := slices.ContainsFunc(kills, func(ty *typing) bool {
		for id := range t.writes[r.id] {
			if !ty.deletes[r.id][id] {
				return false
			}
		}
		return true
	})
	switch {
	case knowing && !r.deleted:
		t.w.finds("%s is raised: somebody deleted it who had seen all of it", r.id)
	case !knowing && r.deleted && !t.swept[r.id]:
		t.w.finds("%s is deleted, and nobody who deleted it had seen all of it", r.id)
	}
}
