package device_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	device "roadbook/clients/go"
	"roadbook/clients/go/badnet"
	"roadbook/errs"
	"roadbook/record"
)

// screen is what a person sees: of each record its fields.
type screen map[record.ID]map[string]any

// expected is everything typed, in order, without what its author was told is
// refused: the oracle.
func expected(typed []record.Mutation, refused map[record.ID]bool) screen {
	shown, deleted := screen{}, map[record.ID]bool{}
	for _, m := range typed {
		if refused[m.ID] {
			continue
		}
		for _, e := range m.Edits {
			if e.Op == record.OpCreate {
				shown[e.ID] = map[string]any{}
			}
			if shown[e.ID] == nil {
				continue
			}
			deleted[e.ID] = e.Op == record.OpDelete || deleted[e.ID] && e.Op != record.OpRestore
			draw(shown[e.ID], e)
		}
	}
	maps.DeleteFunc(shown, func(id record.ID, _ map[string]any) bool { return deleted[id] })
	return shown
}

func draw(fields map[string]any, e record.Edit) {
	for _, v := range e.Set {
		fields[v.Field] = decoded(v.Raw)
	}
	for _, v := range e.Inc {
		now, _ := fields[v.Field].(float64)
		fields[v.Field] = now + decoded(v.Raw).(float64)
	}
	for _, v := range e.Add {
		fields[v.Field] = without(fields[v.Field], nil, decoded(v.Raw).([]any))
	}
	for _, v := range e.Remove {
		fields[v.Field] = without(fields[v.Field], decoded(v.Raw).([]any), nil)
	}
}

// without is a set less some elements and with others.
func without(set any, less, more []any) []any {
	was, _ := set.([]any)
	have := map[string]bool{}
	for _, e := range append(slices.Clone(was), more...) {
		have[e.(string)] = true
	}
	for _, e := range less {
		delete(have, e.(string))
	}
	out := []any{}
	for _, e := range slices.Sorted(maps.Keys(have)) {
		out = append(out, e)
	}
	return out
}

func decoded(raw []byte) any {
	var v any
	_ = json.Unmarshal(raw, &v)
	return v
}

func seenOn(p *phone) screen {
	shown := screen{}
	for _, v := range p.List("account") {
		fields := map[string]any{}
		for _, f := range v.Values {
			fields[f.Field] = decoded(f.Raw)
		}
		shown[v.ID] = fields
	}
	return shown
}

// writer types at random.
type writer struct {
	typed   []record.Mutation
	created []record.ID
}

func (w *writer) types(rt *rapid.T, p *phone) {
	before := len(p.Outbox())
	how := rapid.SampledFrom([]death{alive, alive, alive, diesBefore, diesAfter}).Draw(rt, "dies")
	var err error
	p.die(how, func() { err = w.mutate(rt, p) })
	switch errs.CodeOf(err) {
	case "twice", "missing", "empty": // one action cannot do this; nothing is kept
	case "store":
	default:
		require.NoError(rt, err)
	}
	if out := p.Outbox(); len(out) > before {
		w.typed = append(w.typed, p.last())
	}
}

func (w *writer) mutate(rt *rapid.T, p *phone) error {
	_, err := p.Mutate(func(t *device.Typing) error {
		for range rapid.IntRange(1, 2).Draw(rt, "edits") {
			w.edits(rt, t)
		}
		return nil
	})
	return err
}

func (w *writer) edits(rt *rapid.T, t *device.Typing) {
	tag := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "tag")
	if len(w.created) == 0 || rapid.IntRange(0, 4).Draw(rt, "what") == 0 {
		w.created = append(w.created, t.Create("account", device.Values{"name": tag, "tags": []string{tag}}))
		return
	}
	id := rapid.SampledFrom(w.created).Draw(rt, "record")
	switch rapid.IntRange(0, 5).Draw(rt, "how") {
	case 0:
		t.Delete("account", id)
	case 1:
		t.Edit("account", id, func(dr *device.Draft) { dr.Inc("points", 1); dr.Remove("tags", tag) })
	case 2:
		t.Edit("account", id, func(dr *device.Draft) { dr.Add("tags", tag); dr.Clear("name") })
	default:
		t.Edit("account", id, func(dr *device.Draft) { dr.Set("name", tag) })
	}
}

// Whatever is typed, pushed, pulled, lost, refused and killed in whatever
// order: n has no holes, and the screen shows exactly what was typed less what
// was refused.
func TestLaw_theScreenIsWhatWasTyped(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(rt *rapid.T) {
		s := newServer(t)
		s.strict = true
		s.pageSize = rapid.IntRange(1, 3).Draw(rt, "page size")
		s.refuse = func(m *record.Mutation) *record.Refusal {
			if m.ID[15]%5 == 0 {
				return &record.Refusal{Kind: errs.Invalid, Code: "no"}
			}
			return nil
		}
		p := signedIn(t, s)
		p.pull() // a first sync brings no verdicts; until the next push a count may be shown twice
		defer func() { require.NoError(t, p.Close()) }()
		w := &writer{}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			w.step(rt, p)

			refused := map[record.ID]bool{}
			for _, r := range p.Refused() {
				refused[r.Mutation.ID] = true
			}
			require.Equal(rt, expected(w.typed, refused), seenOn(p))
			for i, m := range w.typed {
				require.Equal(rt, uint64(i+1), m.N)
			}
		}
	})
}

func (w *writer) step(rt *rapid.T, p *phone) {
	fate := badnet.Fate(rapid.IntRange(int(badnet.Through), int(badnet.CutAnswer)).Draw(rt, "fate"))
	switch rapid.IntRange(0, 9).Draw(rt, "step") {
	case 0:
		p.net.Next(badnet.Through, fate)
		_ = p.doing("pulling")
	case 1, 2:
		p.net.Next(fate)
		_ = p.doing("pushing")
	case 3:
		p.die(diesBefore, func() { _ = p.doing("pulling") })
	case 4:
		p.die(diesAfter, func() { _ = p.doing("pushing") })
	default:
		w.types(rt, p)
	}
}

// Phones are cloned and the server is restored to an earlier point, on a bad
// network. When it is quiet again all screens agree with the server, every
// outbox is empty, and everything typed has counted exactly once.
func TestLaw_everythingCountsOnce(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(rt *rapid.T) {
		s := newServer(t)
		s.pageSize = rapid.IntRange(1, 3).Draw(rt, "page size")
		plan := badnet.Plan{LoseRequest: .1, LoseAnswer: .1, CutAnswer: .1, Repeat: .2}
		plan.Seed = rapid.Uint64().Draw(rt, "seed")
		phones := []*phone{signedIn(t, s)}
		s.records[acme] = &kept{
			kind: "account", born: 1, seq: 1, fields: map[string]json.RawMessage{}, at: map[string]record.Seq{},
		}
		phones[0].pull()
		phones[0].worsen(plan)
		backup, typed := s.backup(), 0
		for range rapid.IntRange(20, 60).Draw(rt, "steps") {
			p := phones[rapid.SampledFrom([]int{0, 1, 2, 3}[:len(phones)]).Draw(rt, "phone")]
			switch rapid.SampledFrom([]string{
				"type", "type", "type", "type", "push", "push", "push", "pull", "pull",
				"die", "clone", "back up", "restore",
			}).Draw(rt, "step") {
			case "type":
				require.NoError(rt, p.doing("typing"))
				typed++
			case "push":
				_ = p.doing("pushing")
			case "pull":
				_ = p.doing("pulling")
			case "die":
				how := rapid.SampledFrom([]death{alive, diesBefore, diesAfter}).Draw(rt, "how")
				doing := rapid.SampledFrom([]string{"typing", "pushing", "pulling"}).Draw(rt, "doing")
				before := p.Status().Outbox
				p.die(how, func() { _ = p.doing(doing) })
				if doing == "typing" {
					typed += p.Status().Outbox - before
				}
			case "clone":
				if len(phones) < 4 {
					c := p.twin()
					c.worsen(plan)
					phones = append(phones, c)
				}
			case "back up":
				backup = s.backup()
				s.safe()
			case "restore":
				s.restore(backup)
				backup = s.backup()
			}
		}
		settleAll(rt, phones)

		for _, p := range phones {
			require.Equal(rt, int64(typed), p.points(), "on %s", p.Status().Replica)
			require.Zero(rt, p.Status().Outbox)
			require.Zero(rt, p.Status().Settled)
			require.Zero(rt, p.Status().Faults)
			require.NoError(rt, p.Close())
		}
	})
}

func (p *phone) doing(what string) error {
	switch what {
	case "pushing":
		_, err := p.Push(p.t.Context())
		return err
	case "pulling":
		_, err := p.Pull(p.t.Context())
		return err
	}
	return p.Edit("account", acme, func(dr *device.Draft) { dr.Inc("points", 1) })
}

func (p *phone) points() int64 {
	view, _ := p.Get(acme)
	return view.Number("points")
}

func (p *phone) worsen(plan badnet.Plan) {
	p.net = badnet.New(p.server, plan, nil)
	p.cfg.HTTP = &http.Client{Transport: p.net}
	p.reopen()
}

// settleAll lets everybody sync on a good network until nothing is left. The
// old requests that are still under way arrive first.
func settleAll(rt *rapid.T, phones []*phone) {
	for _, p := range phones {
		p.net.Stragglers()
		p.cfg.HTTP = &http.Client{Transport: p.server}
		p.reopen()
	}
	for range 3 {
		for _, p := range phones {
			_, err := p.Sync(p.t.Context())
			require.NoError(rt, err)
		}
	}
}
