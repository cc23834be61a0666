package sim

import (
	"encoding/json"
	"strings"

	"roadbook/record"
	"roadbook/record/match"
)

// Histories in which many phones make the same customers. What becomes of each
// field then is not judged by the rules of the others, which know no merges; what
// devices hold, where records belong and what follows from that is, and this.

var (
	someNames  = []string{"same1", "same2", "Same2有限公司"}
	somePhones = []string{"13800138001", "+8613800138001", "13800138002"}
)

// alike is a customer that somebody else makes as well.
func (g *generator) alike() (words []string) {
	if g.chance(80) {
		words = append(words, "phones="+pick(g, somePhones...))
	}
	if g.chance(80) {
		words = append(words, "name="+pick(g, someNames...))
	}
	if g.chance(40) {
		words = append(words, "tags=a,b", "calls=2")
	}
	return words
}

// decided has somebody say that two are one, or that they are not.
func (g *generator) decided(p *phone) []string {
	views := p.dev.List("duplicate")
	if len(views) == 0 || g.chance(40) {
		views = append(views, p.dev.List("merge_redirect")...)
	}
	if len(views) == 0 {
		return nil
	}
	v := pick(g, views...)
	if v.Kind == "merge_redirect" {
		return []string{"edit", g.scripted(v.ID, v.Kind), "state=split"}
	}
	return []string{"edit", g.scripted(v.ID, v.Kind), "state=" + pick(g, "merged", "dismissed")}
}

// sums adds up what people have counted, to whichever customer.
func (r *replay) sums(row *logRow) {
	for _, e := range row.edits {
		if e.By == "server" || e.Buried || e.Kind != "account" {
			continue
		}
		for _, raw := range []json.RawMessage{e.Inc.Get("calls"), e.Set.Get("calls")} {
			r.calls += number(raw)
		}
	}
}

// mergedInto is what a record goes on as, NoID if it was not merged away.
func (t *tables) mergedInto(id record.ID) record.ID {
	redirect := t.records[id.Derive("merge_redirect")]
	if redirect == nil || redirect.deleted || redirect.fields.Text("state") != "merged" {
		return record.NoID
	}
	return redirect.ref("survivor")
}

// checkAlike makes sure that no two customers are certainly the same whom nobody
// has kept apart, that nothing belongs or refers to one that was merged away,
// and that each amount is counted once.
func (w *World) checkAlike(t *tables) {
	sum := int64(0)
	by := map[match.Key][]*row{}
	for _, r := range t.order {
		into := t.mergedInto(r.id)
		if !into.IsZero() && !r.deleted {
			w.finds("%s is there, and was merged into %s", r.id, into)
		}
		w.checkRefers(t, r)
		if r.kind.Name != "account" {
			continue
		}
		if into.IsZero() {
			sum += number(r.fields.Get("calls"))
		}
		for _, k := range r.kind.MatchesOf(r.fields) {
			if k.Certain && !r.deleted {
				by[k] = append(by[k], r)
			}
		}
	}
	w.checkNotes(t)
	for key, all := range by {
		for i, a := range all {
			for _, b := range all[:i] {
				if !t.apart(a, b) {
					w.finds("%s and %s are both there, and are both %s", w.names[a.id], w.names[b.id], strings.ReplaceAll(key.Text, "\x1f", " "))
				}
			}
		}
	}
	if w.life == 0 && w.replay.horizon == 0 && sum != w.replay.calls {
		w.finds("all customers together have %d calls, and %d were counted", sum, w.replay.calls)
	}
}

func (w *World) checkRefers(t *tables, r *row) {
	for _, f := range r.kind.Fields {
		to := r.ref(f.Name)
		if f.Policy == record.Set || to.IsZero() || f.Name != r.kind.Parent && f.To != "account" {
			continue
		}
		if into := t.mergedInto(to); !into.IsZero() {
			w.finds("%s %s still refers to %s, which goes on as %s", r.kind.Name, r.id, to, into)
		}
	}
}

// apart reports whether somebody has said that two are not one, or that of what
// has gone into them, or whether one is the other's branch.
func (t *tables) apart(a, b *row) bool {
	if a.ref("parent") == b.id || b.ref("parent") == a.id {
		return true
	}
	for _, one := range t.wentInto(a.id) {
		for _, other := range t.wentInto(b.id) {
			if string(other[:]) < string(one[:]) {
				one, other = other, one
			}
			note := t.records[one.Derive("duplicate "+other.String())]
			if note != nil && note.fields.Text("state") == "dismissed" {
				return true
			}
		}
	}
	return false
}

// wentInto are a record and those that go on as it.
func (t *tables) wentInto(id record.ID) []record.ID {
	all := []record.ID{id}
	for _, r := range t.order {
		if r.id != id && t.goesOn(r.id) == id {
			all = append(all, r.id)
		}
	}
	return all
}
