package sim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"roadbook/record"
)

// heldRecord is what a phone has of one record, or must have.
type heldRecord struct {
	kind string
	seq  record.Seq
	in   []string
	set  map[string]string
}

func (h *heldRecord) String() string {
	if h == nil {
		return "nothing"
	}
	var fields []string
	for _, f := range slices.Sorted(maps.Keys(h.set)) {
		fields = append(fields, f+"="+h.set[f])
	}
	return fmt.Sprintf("%s at %d in %s: %s", h.kind, h.seq, strings.Join(h.in, ","), strings.Join(fields, " "))
}

func (h *heldRecord) equal(o *heldRecord) bool {
	return h.kind == o.kind && h.seq == o.seq && slices.Equal(h.in, o.in) && maps.Equal(h.set, o.set)
}

// held is what a phone was told, as it stands in its memory.
func (p *phone) held() map[record.ID]*heldRecord {
	out := map[record.ID]*heldRecord{}
	p.dev.Pulled(func(kind string, id record.ID, seq record.Seq, in []string, set record.Values) {
		out[id] = &heldRecord{kind, seq, slices.Sorted(slices.Values(in)), fieldsOf(set, nil)}
	})
	return out
}

// fieldsOf are the fields that have a value, without those that a person may
// not see.
func fieldsOf(set record.Values, hidden func(field string) bool) map[string]string {
	out := make(map[string]string, len(set))
	for _, v := range set {
		if !record.IsNull(v.Raw) && (hidden == nil || !hidden(v.Field)) {
			out[v.Field] = string(v.Raw)
		}
	}
	return out
}

// reads reports whether somebody may see a kind: of the roles that have phones
// here, all see all kinds; without a role there is the catalogue.
func (a actor) reads(k *record.Kind) bool {
	return a.active && (len(a.roles) > 0 || k.Scope == record.Catalogue)
}

func (a actor) hides(k *record.Kind) func(string) bool {
	return func(field string) bool {
		f := k.Field(field) // of a key, with the readers of its map
		return f != nil && !f.ReadableBy(a.roles)
	}
}

// must is what a phone must hold of a record: the scopes that its person holds
// now and that hold it now, if it wants such a record. It works from records and grants alone.
func (w *World) must(t *tables, p *phone, r *row) *heldRecord {
	a := t.actors[p.who]
	if r.deleted || !a.reads(r.kind) || r.month != 0 && r.month < monthNo(p.from) ||
		len(p.kinds) > 0 && !slices.Contains(p.kinds, r.kind.Name) {
		return nil
	}
	h := &heldRecord{kind: r.kind.Name, seq: r.seq}
	for _, s := range r.scopes {
		if t.since(p, t.scopes[s]) > 0 {
			h.in = append(h.in, t.scopes[s])
		}
	}
	if len(h.in) == 0 {
		return nil
	}
	slices.Sort(h.in)
	h.set = fieldsOf(r.fields, a.hides(r.kind))
	return h
}

// since is when a scope was granted to a person, or to his device for a pin; 0
// if it is not.
func (t *tables) since(p *phone, scope string) record.Seq {
	person, is := t.grants[p.who][scope]
	pin, pinned := t.grants[p.id][scope]
	switch {
	case is && pinned:
		return min(person, pin)
	case pinned:
		return pin
	}
	return person
}

// monthNo counts months as the table does.
func monthNo(text string) record.Month {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		return 0
	}
	return record.Month((t.Year()-2000)*12 + int(t.Month()))
}

// checkWhole compares a phone that has everything with what it must have.
func (w *World) checkWhole(p *phone) {
	if err := w.replay.follow(); err != nil {
		w.fails(err)
		return
	}
	t, err := w.read()
	if err != nil {
		w.fails(err)
		return
	}
	have := p.held()
	for _, r := range t.order {
		want, got := w.must(t, p, r), have[r.id]
		delete(have, r.id)
		switch {
		case want == nil && got == nil:
		case want == nil:
			w.finds("%s holds what it may not: %s", p.name, w.show(r.id, got))
		case got == nil:
			w.finds("%s misses %s", p.name, w.show(r.id, want))
		case !want.equal(got) && !w.cameTwice(want, got):
			w.finds("%s holds %s\n  and should hold %s", p.name, w.show(r.id, got), w.show(r.id, want))
		default:
			w.checkPair(r)
		}
	}
	for id, h := range have {
		w.finds("%s holds what is not there: %s", p.name, w.show(id, h))
	}
	w.checkPins(t, p)
	p.filled, p.steady = t.head, true
}

// cameTwice reports whether all that differs is when the server got a record: a
// log that was lost twice, and got the very same back in the same order, has
// the same numbers for it.
func (w *World) cameTwice(want, got *heldRecord) bool {
	if w.life < 2 {
		return false
	}
	again := *got
	again.set = maps.Clone(got.set)
	again.set["received_at"] = want.set["received_at"]
	return want.equal(&again)
}

// checkPins compares what a device has pinned with what it asks for: as much of
// it as its person sees without a pin.
func (w *World) checkPins(t *tables, p *phone) {
	want := map[string]bool{}
	for _, id := range p.want().Pins {
		r := t.records[id]
		if r == nil || r.deleted || r.kind.Parent != "" || r.kind.Scope != "" || !t.actors[p.who].reads(r.kind) {
			continue
		}
		for _, s := range r.scopes {
			if t.grants[p.who][t.scopes[s]] > 0 {
				want["account:"+id.String()] = true
			}
		}
	}
	for scope := range t.grants[p.id] {
		if !want[scope] {
			w.finds("%s's phone has pinned %s", p.name, scope)
		}
		delete(want, scope)
	}
	for scope := range want {
		w.finds("%s's phone has not pinned %s", p.name, scope)
	}
}

// checkPair makes sure that somebody has had an address and its point on a
// screen together: they merge as one.
func (w *World) checkPair(r *row) {
	if r.kind.Name != "account" || w.alike {
		return
	}
	pair := pairOf(r.id, r.fields.Get("address"), r.fields.Get("location"))
	if !w.pairs[pair] && pair != r.id.String() {
		w.finds("nobody has had this address and this point on a screen together: %s", pair)
	}
}

// checkFilling compares a phone that is still being filled: whatever it holds
// must be as it is now and be allowed, and the scopes that it had in full
// before must be there in full.
func (w *World) checkFilling(p *phone) {
	if err := w.replay.follow(); err != nil {
		w.fails(err)
		return
	}
	t, err := w.read()
	if err != nil {
		w.fails(err)
		return
	}
	anew := p.filled == 0 || !p.steady
	have := p.held()
	for _, r := range t.order {
		want, got := w.must(t, p, r), have[r.id]
		delete(have, r.id)
		switch {
		case want == nil && got != nil:
			w.finds("%s, half filled, holds what it may not: %s", p.name, w.show(r.id, got))
		case want == nil:
		case got == nil:
			if old := t.older(p, want.in); !anew && len(old) > 0 {
				w.finds("%s, half filled, misses %s", p.name, w.show(r.id, want))
			}
		default:
			w.checkPart(p, t, r, want, got, anew)
		}
	}
	for id, h := range have {
		w.finds("%s, half filled, holds what is not there: %s", p.name, w.show(id, h))
	}
}

// older are the scopes among some that a phone has had in full.
func (t *tables) older(p *phone, in []string) (out []string) {
	for _, scope := range in {
		if t.since(p, scope) <= p.filled {
			out = append(out, scope)
		}
	}
	return out
}

func (w *World) checkPart(p *phone, t *tables, r *row, want, got *heldRecord, anew bool) {
	fits := len(got.in) > 0 && want.seq == got.seq
	for _, scope := range got.in {
		fits = fits && slices.Contains(want.in, scope)
	}
	if !anew {
		for _, scope := range t.older(p, want.in) {
			fits = fits && slices.Contains(got.in, scope)
		}
		fits = fits && maps.Equal(want.set, got.set)
	}
	if !fits {
		w.finds("%s, half filled, holds %s\n  of %s", p.name, w.show(r.id, got), w.show(r.id, want))
	}
}

func (w *World) show(id record.ID, h *heldRecord) string { return id.String()[:8] + " " + h.String() }

// hears makes sure of what somebody was told of what he typed in a step:
// "lin hears 12 merged short_name", or why it was refused. Fields are those of
// the clashes, in any order.
func (p *phone) hears(s Step) error {
	for _, t := range p.w.typed {
		if t.who != p.name || strconv.Itoa(t.step) != s.Args[0] {
			continue
		}
		var got []string
		if o := t.outcome; o != nil {
			got = append(got, string(o.Result))
			if o.Refusal != nil {
				got[0] = o.Refusal.Code
			}
			for _, c := range o.Clashes {
				got = append(got, c.Field)
			}
			slices.Sort(got[1:])
		}
		if !slices.Equal(got, s.Args[1:]) {
			p.w.finds("%s heard %v of step %s, not %v", p.name, got, s.Args[0], s.Args[1:])
		}
		return nil
	}
	return errPassed
}

// sees makes sure of what somebody has on his screen: "lin sees a1 name=v2",
// or "lin sees a1 gone".
func (p *phone) sees(s Step) error {
	v, there := p.dev.Get(p.w.idOf(s.Args[0]))
	if s.Args[1] == "gone" {
		if there && !v.Deleted {
			p.w.finds("%s still sees %s", p.name, s.Args[0])
		}
		return nil
	}
	kind := p.w.schema.Kind(p.w.kindOf(s.Args[0]))
	for _, text := range s.Args[1:] {
		want, err := p.w.part(kind, text)
		if err != nil {
			return err
		}
		got := norm(v.Raw(want.field))
		if want.sign == '=' && !there || got != norm(want.raw) {
			p.w.finds("%s sees %s.%s as %q, not %s", p.name, s.Args[0], want.field, got, want.raw)
		}
	}
	return nil
}
