package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"roadbook/record"
	"roadbook/version"
)

// set follows a field through its history: what stood there before is what the
// rows before have left.
func (r *replay) set(row *logRow, kind *record.Kind, e loggedEdit, v record.Value) {
	at, f := place{e.ID, v.Field}, kind.Field(v.Field)
	if e.Op == record.OpCreate && record.IsNull(v.Raw) {
		return
	}
	r.keep(at, f, string(v.Raw))
	switch {
	case row.second(at):
	case f.Policy == record.Text:
		r.writesText(row, at, v.Raw)
	case f.Policy == record.List:
		r.writesRows(row, at, v.Raw)
	}
	answers := f.Policy == record.Owned && r.answers(row)
	if f.Policy == record.Owned && !answers {
		r.asks(row, at, norm(v.Raw), e)
		return
	}
	if f.Policy != record.LWW && f.Policy != record.LWWAsk && !answers || kind.Scope != "" {
		return
	}
	was := e.Was.Get(v.Field)
	took := was != nil || e.P == 0
	other, vague := r.text[at], r.vague[at]
	behalf := r.onBehalf[at]
	if took {
		if was != nil && !vague && norm(json.RawMessage(other)) != norm(was) {
			r.w.finds("by the history of %s stood %s at %d, by the log's row %s", at, other, row.seq, was)
		}
		r.text[at] = string(v.Raw)
		delete(r.onBehalf, at)
		r.truth.sets(at, v.Raw, r.w.typed[row.id])
		delete(r.vague, at)
	}
	if !vague {
		r.fair(row, kind, at, behalf, norm(v.Raw), norm(json.RawMessage(other)), took)
	}
}

// keep follows the policies that do not ask what was seen.
func (r *replay) keep(at place, f *record.Field, raw string) {
	null := record.IsNull(json.RawMessage(raw))
	switch f.Policy {
	case record.Once:
		if r.first[at] == "" && !null {
			r.first[at] = raw
		}
	case record.Max:
		if !null {
			r.extreme[at] = max(r.extreme[at], raw)
		}
	case record.Min:
		if !null {
			r.extreme[at] = min(cmp.Or(r.extreme[at], raw), raw)
		}
	case record.Counter:
		r.count[at] += number(json.RawMessage(raw))
	}
}

// fair makes sure that nothing was overwritten that was on nobody's screen,
// nothing dropped without a word, and nobody told of a clash with what he knew.
func (r *replay) fair(row *logRow, kind *record.Kind, at place, behalf record.ID, typed, other string, took bool) {
	author, told := r.w.typed[row.id], row.told(at)
	by := r.w.wrote[other]
	knew := by == nil || author.knew(at, by) || by == author || r.own(r.dots[row.id], r.dots[by.id])
	if !behalf.IsZero() { // by the server, when somebody wrote the field that it is about
		knew = knew || r.w.typed[behalf] == author || r.own(r.dots[row.id], r.dots[behalf])
	}
	say := func() string {
		return fmt.Sprintf("%v at %d (%s): %s over %s, taken %v, told %v", at, row.seq, author, typed, other, took, told)
	}
	if told && by != nil {
		author.settled[at] = append(author.settled[at], by)
	}
	switch {
	case typed == other:
	case by == nil:
		if !took && !told {
			r.w.finds("dropped without a word: %s", say())
		}
	case knew && inGroup(kind, at.field): // another member may be what he did not know
	case knew && told && r.w.life > 0: // he saw it in a log that is lost, and what he typed there says so in numbers of that
	case knew && told && !took && row.second(at): // somebody has decided first, and that what stands shall stand
	case knew && told:
		r.w.finds("told of a clash with what he knew: %s", say())
	case knew && !took:
		r.w.finds("lost to what he had replaced knowingly: %s", say())
	case !knew && !told && r.w.life > 0 && author.followed(at, by): // "settled before what he saw" counts as seen, also when what settled it is lost
	case !knew && !told && r.w.called[r.dots[by.id].name()].twice: // the name says that he saw it: a copy of its phone had that name in a lost log
	case !knew && !told:
		r.w.finds("overwritten or dropped in silence: %s", say())
	}
}

// elements follows sets, steps and counters.
func (r *replay) elements(row *logRow, author dot, seen version.Vector, kind *record.Kind, e loggedEdit) {
	each := func(vs record.Values, do func(set map[string][]dot, elem string)) {
		for _, v := range vs {
			at := place{e.ID, v.Field}
			if kind.Field(v.Field).Policy != record.Set {
				continue
			}
			if r.elems[at] == nil {
				r.elems[at] = map[string][]dot{}
			}
			for _, elem := range elements(v.Raw) {
				do(r.elems[at], string(elem))
			}
		}
	}
	each(e.Remove, func(set map[string][]dot, elem string) {
		set[elem] = slices.DeleteFunc(set[elem], func(d dot) bool { return r.knew(author, seen, d) })
	})
	add := func(set map[string][]dot, elem string) { set[elem] = append(set[elem], author) }
	each(e.Add, add)
	each(e.Set, add) // of a create
	r.steps(row, author, seen, kind, e)
	for _, v := range e.Inc {
		r.count[place{e.ID, v.Field}] += number(v.Raw)
	}
}

// check compares what follows from the log with what the records hold.
func (r *replay) check(t *tables) {
	for _, rec := range t.order {
		delete(r.opened, rec.id)
		switch rec.kind.Name {
		case "user", "unit", "conflict", "request":
			continue
		}
		if r.w.life == 0 && r.deleted[rec.id] != rec.deleted {
			r.w.finds("whether %s is deleted: by the log %v, by the record %v", rec.id, r.deleted[rec.id], rec.deleted)
		}
		for _, f := range rec.kind.Fields {
			r.checkField(place{rec.id, f.Name}, f, rec)
		}
	}
	r.truth.check(t)
	r.checkPots(t)
	for id := range r.opened {
		if r.deleted[id] && r.horizon > 0 {
			continue // and purged
		}
		r.w.finds("somebody was told of the conflict %s, which is not there", id)
	}
}

func (r *replay) checkField(at place, f *record.Field, rec *row) {
	raw := norm(rec.fields.Get(f.Name))
	differs := func(what, want string) { r.w.finds("%s %s is %q, not %q", what, at, raw, want) }
	switch {
	case f.Policy == record.Text:
		r.checkText(at, rec)
	case isList(f):
		r.checkRows(at, rec)
	case f.Policy == record.Manual, f.Policy == record.Process && f.Name == "stage":
		r.checkStep(at, raw, differs)
	case f.Policy == record.Counter:
		if r.count[at] != number(json.RawMessage(raw)) {
			differs("the sum of", strconv.FormatInt(r.count[at], 10))
		}
		if f.Floor != nil && number(json.RawMessage(raw)) < *f.Floor {
			differs("below its floor:", strconv.FormatInt(*f.Floor, 10))
		}
	case f.Policy == record.Max || f.Policy == record.Min:
		if r.extreme[at] != raw {
			differs("the "+string(f.Policy)+" of", r.extreme[at])
		}
	case f.Policy == record.Once && r.first[at] != "":
		if r.first[at] != raw {
			differs("the first", r.first[at])
		}
	case f.Policy == record.Set && r.w.life > 0: // the truth says what must come of it
	case f.Policy == record.Set:
		if want := r.members(at); !slices.Equal(want, texts(rec.fields.Get(f.Name))) {
			differs("the elements of", fmt.Sprint(want))
		}
	case f.Type == "map":
		for _, v := range rec.fields {
			if key := (place{at.rec, v.Field}); inMap(f.Name, v.Field) && isText(string(v.Raw)) && r.text[key] != string(v.Raw) {
				r.w.finds("by history %s is %s, not %s", key, r.text[key], v.Raw)
			}
		}
	case isText(raw) && !r.vague[at] && r.text[at] != raw:
		differs("by history", r.text[at])
	}
}

func inMap(name, field string) bool {
	return len(field) > len(name) && field[:len(name)] == name && field[len(name)] == '.'
}

func texts(raw json.RawMessage) (out []string) {
	for _, e := range elements(raw) {
		out = append(out, string(e))
	}
	slices.Sort(out)
	return out
}

// members are the elements that somebody added and nobody removed knowingly.
func (r *replay) members(at place) (out []string) {
	for elem, adds := range r.elems[at] {
		if len(adds) > 0 {
			out = append(out, elem)
		}
	}
	slices.Sort(out)
	return out
}
