package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"roadbook/record"
	"roadbook/sync/wire"
)

// maxRounds is how often everybody syncs until nothing is left: each round
// gives everybody what the one before has brought.
const maxRounds = 5

// maxChunks is far more than what all records of a history take.
const maxChunks = 10_000

// Finish heals the network, lets everything arrive, and judges the whole
// history.
func (w *World) Finish() error {
	w.step, w.made = Step{No: 1 << 20}, 0
	w.say("everything arrives")
	if err := w.agree(); err != nil {
		return err
	}
	for round := range maxRounds {
		if err := w.moveAll(); err != nil {
			return err
		}
		for _, p := range w.phones {
			w.arrives(p, round)
			if w.found == nil && round == maxRounds-1 {
				w.checkDigests(p)
			}
			if w.found != nil {
				return w.found
			}
		}
	}
	if err := w.moveAll(); err != nil {
		return err
	}
	t, err := w.read()
	if err != nil {
		return err
	}
	w.checkJudged()
	if w.alike {
		w.checkAlike(t)
	} else {
		w.replay.check(t)
	}
	w.checkPlaces(t)
	if err := w.checkIndex(t); err != nil {
		return err
	}
	w.checkGrants(t)
	return w.found
}

// agree has phones that are copies of each other want the same: what a device
// wants holds for all of its copies, and they would undo it for each other.
func (w *World) agree() error {
	first := map[record.ID]*phone{}
	for _, p := range w.phones {
		if f := first[p.id]; f != nil {
			p.from, p.kinds, p.pins, p.steady = f.from, f.kinds, f.pins, false
			if err := p.dev.Want(p.want()); err != nil {
				return err
			}
		} else {
			first[p.id] = p
		}
	}
	return nil
}

func (w *World) moveAll() error {
	for range maxChunks {
		more, err := w.engines[0].RescopeChunk(w.ctx, w.org)
		if err != nil {
			return err
		}
		if !more {
			return w.replay.follow()
		}
	}
	w.finds("subtrees are moved for ever")
	return w.found
}

// arrives has a phone sync on a good network.
func (w *World) arrives(p *phone, round int) {
	w.step.No++ // other ids and draws than the last one's
	push := func() error { _, err := p.dev.Push(w.ctx); return err }
	for _, err := range []error{p.talks(w.step, push), p.talks(w.step, push), w.replay.follow(), p.pulls(Step{No: 1})} {
		w.fails(err)
	}
	if !p.dev.Status().Complete {
		w.fails(p.pulls(Step{No: 1})) // it was busy signing in again
	}
	if st := p.dev.Status(); w.found == nil && (round > 1 || w.life == 0) && (st.Outbox > 0 || st.Filling || st.Staged > 0 || !st.Complete) {
		w.finds("%s does not come to an end: %+v", p.name, st)
	}
}

// checkJudged makes sure that everything typed was judged, and once.
func (w *World) checkJudged() {
	refused := map[record.ID]bool{} // one that goes back under another name is not said again: its author knows
	for _, p := range w.phones {
		for _, r := range p.dev.Refused() {
			refused[r.Mutation.ID] = w.life > 0
		}
	}
	for id, ty := range w.typed {
		if n := w.replay.judged[id]; n > 1 || n == 0 && !ty.excused && !refused[id] {
			w.finds("%s typed in step %d was judged %d times", ty.who, ty.step, n)
		}
	}
}

// checkPlaces works out from the fields of the records what follows from them:
// owner, parent, root and scopes.
func (w *World) checkPlaces(t *tables) {
	for _, r := range t.order {
		if o := r.ref("owner"); !o.IsZero() && o != r.owner {
			w.finds("the owner of %s is %s, its field says %s", r.id, r.owner, o)
		}
		if r.kind.Parent != "" && r.ref(r.kind.Parent) != r.parent {
			w.finds("the parent of %s is %s", r.id, r.parent)
		}
		root := r
		for !root.parent.IsZero() {
			root = t.records[root.parent]
		}
		if root.id != r.root {
			w.finds("the root of %s is %s, not %s", r.id, r.root, root.id)
		}
		var want, got []string
		if !r.deleted {
			want = t.namesOf(r, root)
		}
		for _, s := range r.scopes {
			got = append(got, t.scopes[s])
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(slices.Compact(want), got) {
			w.finds("%s %s is in the scopes %v, not %v", r.kind.Name, r.id, got, want)
		}
	}
}

func (t *tables) namesOf(r, root *row) []string {
	if r.kind.Scope != "" {
		return []string{r.kind.Scope}
	}
	names := []string{"owner:" + r.owner.String(), "owner:" + root.owner.String()}
	for _, c := range append(r.texts("collaborators"), root.texts("collaborators")...) {
		names = append(names, "shared:"+c, "owner:"+c) // whoever leads him sees it as well
	}
	if scope := "account:" + root.id.String(); t.pinned[scope] {
		names = append(names, scope)
	}
	return names
}

// checkIndex compares members and the newest row of the index for each record
// and scope with the records.
func (w *World) checkIndex(t *tables) error {
	members, newest, waiting, err := w.index()
	if err != nil {
		return err
	}
	if waiting > 0 {
		w.finds("%d subtrees still wait to be moved", waiting)
	}
	want := map[membership]int16{}
	for _, r := range t.order {
		for i, scope := range r.scopes {
			m := membership{scope, r.id}
			want[m] = r.kind.Rank
			if row := (indexRow{max(r.seq, r.entered[i]), r.seq, 0, r.kind.No, r.month}); newest[m] != row {
				w.finds("the index has %v for %s in %s, not %v", newest[m], r.id, t.scopes[scope], row)
			}
		}
	}
	if !maps.Equal(want, members) {
		w.finds("the index has %d members, the records are in %d scopes", len(members), len(want))
	}
	for m, row := range newest {
		if _, in := want[m]; !in && row.op != 1 {
			w.finds("the index says that %v holds, which left", m)
		}
	}
	return nil
}

// checkGrants works out from people and units who holds what.
func (w *World) checkGrants(t *tables) {
	under := func(unit record.ID) bool { return !unit.IsZero() }
	for _, login := range logins {
		who := w.idOf(login)
		want := map[string]bool{}
		if u := t.records[who]; u.fields.Text("status") != "left" {
			want["catalogue"], want["owner:"+who.String()], want["shared:"+who.String()] = true, true, true
			for _, other := range t.order {
				if other.kind.Name == "user" && (login == "admin" || under(w.leads(t, who, other.ref("unit")))) {
					want["owner:"+other.id.String()] = true
				}
			}
		}
		for scope := range t.grants[who] {
			if !want[scope] {
				w.finds("%s holds the scope %s", login, scope)
			}
			delete(want, scope)
		}
		for scope := range want {
			w.finds("%s lacks the scope %s", login, scope)
		}
	}
}

// leads is the unit on the way up from another that somebody manages.
func (w *World) leads(t *tables, who, unit record.ID) record.ID {
	for at := t.records[unit]; at != nil; at = t.records[at.ref("parent")] {
		if at.ref("manager") == who && at.fields.Text("status") != "closed" {
			return at.id
		}
	}
	return record.NoID
}

// checkDigests compares the server's sums with those of what a phone holds,
// and both with the tables.
func (w *World) checkDigests(p *phone) {
	t, err := w.read()
	if err != nil {
		w.fails(err)
		return
	}
	sums := map[string]*wire.Tally{}
	for _, holder := range []record.ID{p.who, p.id} {
		for scope := range t.grants[holder] {
			sums[scope] = &wire.Tally{}
		}
	}
	for _, r := range t.order {
		if want := w.must(t, p, r); want != nil {
			for _, scope := range want.in {
				sums[scope].Add(wire.Sum(r.id, r.seq, digestKey(scope)))
			}
		}
	}
	theirs, err := w.askDigests(p)
	if err != nil {
		w.fails(err)
		return
	}
	ours := p.dev.Digests(digestKey)
	for scope, sum := range sums {
		want := sum.Digest()
		if theirs[scope] != want || want.Count > 0 && ours[scope] != want {
			w.finds("the digest of %s: by the tables %v, by the server %v, on %s %v", scope, want, theirs[scope], p.name, ours[scope])
		}
	}
}

func (w *World) askDigests(p *phone) (map[string]wire.Digest, error) {
	st := p.dev.Status()
	want := p.want()
	body, err := json.Marshal(wire.PullRequest{Replica: st.Replica, Cursor: st.Cursor, Digest: true, Want: &want})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, "http://roadbook/v1/sync/pull", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.dev.Token())
	a := w.serve(w.step, req, body)
	var page wire.PullAnswer
	if err := json.Unmarshal(a.text, &page); err != nil {
		return nil, fmt.Errorf("asking for digests: %w", err)
	}
	if !page.Complete || len(page.Changes) > 0 {
		return nil, errors.New("there is news for a phone that has everything: " + strings.TrimSpace(string(a.text)))
	}
	return page.Digests, nil
}

// digestKey is the key of a scope's digest: FNV-1a of its name.
func digestKey(scope string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(scope) {
		h = (h ^ uint64(scope[i])) * 1099511628211
	}
	return h
}
