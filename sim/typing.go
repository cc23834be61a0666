package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	device "roadbook/clients/go"
	"roadbook/record"
	"roadbook/version"
)

// place is a field of a record.
type place struct {
	rec   record.ID
	field string
}

func (p place) String() string { return p.rec.String()[:8] + "." + p.field }

// typing is a mutation, and what was true when somebody typed it.
type typing struct {
	id      record.ID
	who     string
	step    int
	edits   []record.Edit
	stamp   version.Stamp
	over    map[place]*typing   // whose value stood on his screen
	settled map[place][]*typing // whose value lost to his, and somebody was told, in any life
	words   map[place][]string  // that stood on his screen in a text
	outcome *record.Outcome     // the first that anybody heard of
	excused bool                // it died with its phone, or with a server
	life    int                 // in which the outcome was heard
	number  string              // that it takes from a reserve

	removes map[member]map[record.ID]bool    // the adds that it takes away
	deletes map[record.ID]map[record.ID]bool // the writes that a delete had seen
}

func (t *typing) String() string { return fmt.Sprintf("step %d of %s", t.step, t.who) }

// knew reports whether the author had another's value on his screen, or one
// that was typed over it by somebody who had.
func (t *typing) knew(at place, other *typing) bool {
	for by := t.over[at]; by != nil; by = by.over[at] {
		if by == other {
			return true
		}
	}
	return false
}

// followed reports whether the author had a value on his screen in a log in
// which that had been settled against another's, and somebody told of it.
func (t *typing) followed(at place, other *typing) bool {
	for by := t.over[at]; by != nil; by = by.over[at] {
		if slices.Contains(by.settled[at], other) {
			return true
		}
	}
	return false
}

// noteTyping remembers what somebody had on his screen.
func (w *World) noteTyping(p *phone, m *record.Mutation, before map[record.ID]device.View) {
	t := w.note(p.name, m)
	for i := range m.Edits {
		e := m.Edits[i]
		t.undoes(p, w.schema.Kind(e.Kind), &e)
		for _, v := range e.Set {
			at := place{e.ID, v.Field}
			raw := before[e.ID].Raw(v.Field)
			if record.IsNull(raw) {
				t.sawEmpty(at, p.emptied(at))
			}
			t.saw(w, at, raw)
			t.words[at] = wordsOf(raw)
			w.saysWords(t, v.Raw)
		}
	}
	p.own[m.ID] = true
	for id, was := range before {
		if e := slices.IndexFunc(m.Edits, func(e record.Edit) bool { return e.ID == id }); e >= 0 && m.Edits[e].Kind == "account" {
			now, _ := p.dev.Get(id)
			w.pairs[pairOf(id, now.Raw("address"), now.Raw("location"))] = true
			w.pairs[pairOf(id, was.Raw("address"), was.Raw("location"))] = true
		}
	}
}

// unsettles notes that a person may see other than before, once he is changed.
func (w *World) unsettles(person record.ID) {
	for _, p := range w.phones {
		p.steady = p.steady && p.who != person
	}
}

// noteOffice does so for the server, which sees all that there is.
func (w *World) noteOffice(m *record.Mutation, all *tables) {
	t := w.note("the office", m)
	for i := range m.Edits {
		e := m.Edits[i]
		t.undoesAll(w.replay.truth, w.schema.Kind(e.Kind), &e)
		w.unsettles(e.ID)
		r := all.records[e.ID]
		for _, v := range e.Set {
			if r != nil {
				at := place{e.ID, v.Field}
				t.sawEmpty(at, w.replay.truth.empty[at])
				t.saw(w, at, r.fields.Get(v.Field))
				t.words[at] = wordsOf(r.fields.Get(v.Field))
				w.saysWords(t, v.Raw)
			}
		}
	}
}

func (w *World) note(who string, m *record.Mutation) *typing {
	t := &typing{
		id: m.ID, who: who, step: w.step.No, edits: m.Edits, stamp: m.Stamp, over: map[place]*typing{}, settled: map[place][]*typing{}, words: map[place][]string{},
		removes: map[member]map[record.ID]bool{}, deletes: map[record.ID]map[record.ID]bool{},
	}
	w.typed[m.ID] = t
	for _, e := range m.Edits {
		if name := w.names[e.ID]; e.Op == record.OpDelete && name != "" {
			w.graves = append(w.graves, name)
		}
	}
	for _, e := range m.Edits {
		for _, v := range e.Set {
			if unique(v.Raw) && w.wrote[string(v.Raw)] == nil { // a unit is typed as a whole
				w.wrote[string(v.Raw)] = t
			}
		}
	}
	return t
}

func (t *typing) saw(w *World, at place, raw json.RawMessage) {
	if by := w.wrote[string(raw)]; by != nil && t.over[at] == nil && by != t {
		t.over[at] = by
	}
}

func (t *typing) sawEmpty(at place, by *typing) {
	if by != nil && t.over[at] == nil {
		t.over[at] = by
	}
}

// unique reports whether nobody else ever types this value.
func unique(raw json.RawMessage) bool { return strings.HasPrefix(string(raw), `"v`) }

// pairOf names an address and a point of a record.
func pairOf(id record.ID, address, location json.RawMessage) string {
	return id.String() + norm(address) + norm(location)
}

// norm is a value as text, "" for none.
func norm(raw json.RawMessage) string {
	if record.IsNull(raw) {
		return ""
	}
	return string(raw)
}

// judged remembers a verdict: whoever hears of it again hears the same.
func (w *World) judged(o *record.Outcome) {
	t := w.typed[o.ID]
	switch {
	case t == nil:
		w.finds("a verdict on what nobody typed: %s", o.ID)
	case t.outcome == nil, t.life != w.life, t.outcome.Result == record.Parked && o.Result != record.Parked:
		w.kept(t, o)
		t.outcome, t.life = o, w.life
	case t.outcome.Result != o.Result || len(t.outcome.Clashes) != len(o.Clashes):
		w.finds("%s was %s with %d clashes and is %s with %d now", t, t.outcome.Result, len(t.outcome.Clashes), o.Result, len(o.Clashes))
	default:
		w.sameClashes(t, o)
	}
}

// sameClashes makes sure that whoever hears of a verdict again, because the
// first answer was lost, is told what the first answer said. Values may be
// left out, if he may not see the record any more, and come in when he may again.
func (w *World) sameClashes(t *typing, o *record.Outcome) {
	for i, now := range o.Clashes {
		was := t.outcome.Clashes[i]
		same := was.ID == now.ID && was.Field == now.Field && was.Code == now.Code
		if same && norm(was.Kept) == "" && norm(was.Lost) == "" {
			t.outcome.Clashes[i] = now
			continue
		}
		if !same || norm(now.Lost) != "" && norm(now.Lost) != norm(was.Lost) {
			w.finds("%s was told of %s over %s in %s, and now of %s over %s in %s",
				t, was.Kept, was.Lost, was.Field, now.Kept, now.Lost, now.Field)
		}
		if norm(now.Kept) != "" && norm(was.Lost) != "" && norm(now.Lost) == "" {
			w.finds("%s was told that %s lost in %s, and now of nothing that did", t, was.Lost, was.Field)
		}
	}
}

// sayHeard tells what an answer said.
func (w *World) sayHeard(path string, status int, t *told) {
	var words []string
	if status != 200 {
		words = append(words, fmt.Sprintf("%d %s from n %d, next %d", status, t.Code, t.FromN, t.NextN))
	}
	for _, o := range t.Outcomes {
		word := fmt.Sprintf("n %d %s at %d%s", o.N, o.Result, o.Seq, refusalWords(o.Refusal))
		for _, c := range o.Clashes {
			word += fmt.Sprintf(" %s: %s over %s", c.Field, c.Kept, c.Lost)
		}
		words = append(words, word)
	}
	for i := range t.Changes {
		c := &t.Changes[i]
		word := c.Kind + " " + c.ID.String()[:8] + "@" + c.Seq.String()
		switch {
		case c.Gone != "":
			word += " " + string(c.Gone)
		case c.Full:
			word += " full"
		default:
			for _, v := range c.Set {
				word += " " + v.Field + "=" + string(v.Raw)
			}
		}
		words = append(words, word)
	}
	if strings.HasSuffix(path, "/pull") && status == 200 {
		words = append(words, fmt.Sprintf("drops %d, complete %v, filling %v", len(t.Drops), t.Complete, t.Filling))
	}
	w.say("      %s: %s", path, strings.Join(words, ", "))
}
