package sync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	stdsync "sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/wire"
	"roadbook/version"
)

// world is an org on a database of its own: a manager, chen, over a team of
// lin and zhou; he at the service desk, fin in finance, admin.
type world struct {
	t      testing.TB
	pool   *pgxpool.Pool
	engine *sync.Engine
	org    record.OrgID

	mu    stdsync.Mutex
	clock time.Time
	rng   *rand.Rand
	made  int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.DB(t), clock: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), rng: rand.New(rand.NewPCG(1, 2))}
	w.engine = sync.New(sync.Config{
		Store: store.New(w.pool), Rules: []sync.Rule{people.Rule{}}, Key: []byte("a key of these tests, 32 bytes.."),
		Now: w.now, Draw: w.draw, Fault: func(err error) { t.Log("fault:", err) },
	})
	t.Cleanup(w.engine.Close)
	w.org = w.newOrg("acme")
	return w
}

// newOrg makes an org with its people.
func (w *world) newOrg(name string) record.OrgID {
	w.t.Helper()
	ctx := context.Background()
	var org record.OrgID
	require.NoError(w.t, pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) (err error) {
		org, err = store.CreateOrg(ctx, tx, store.NewOrg{Name: name, UID: w.id(), Epoch: "e1", Draw: w.draw})
		return err
	}))
	require.NoError(w.t, w.engine.Publish(ctx, org, shipped.Schema()))
	team := w.unit(org)
	for _, p := range []struct{ login, role string }{
		{"admin", "admin"}, {"chen", "manager"}, {"lin", "rep"}, {"zhou", "rep"}, {"gao", "rep"}, {"he", "service"}, {"fin", "finance"},
	} {
		set := record.Values{
			{Field: "login", Raw: js(p.login)}, {Field: "name", Raw: js(p.login)}, {Field: "roles", Raw: js([]string{p.role})},
			{Field: "status", Raw: js("active")}, {Field: "owner", Raw: js(person(org, p.login))},
		}
		if p.login == "lin" || p.login == "zhou" {
			set = append(set, record.Value{Field: "unit", Raw: js(team)})
		}
		w.propose(org, record.Edit{Op: record.OpCreate, Kind: "user", ID: person(org, p.login), Set: set})
	}
	w.propose(org, record.Edit{Op: record.OpEdit, Kind: "unit", ID: team, Set: record.Values{{Field: "manager", Raw: js(person(org, "chen"))}}})
	return org
}

func (w *world) unit(org record.OrgID) record.ID {
	id := person(org, "team")
	w.propose(org, record.Edit{Op: record.OpCreate, Kind: "unit", ID: id, Set: record.Values{
		{Field: "name", Raw: js("team")}, {Field: "kind", Raw: js("team")}, {Field: "status", Raw: js("active")},
	}})
	return id
}

// person is the id that a login has in these tests.
func person(org record.OrgID, login string) record.ID {
	return record.MustID("0190aaaa-0000-7000-8000-000000000001").Derive(strconv.Itoa(int(org)) + login)
}

func (w *world) propose(org record.OrgID, edits ...record.Edit) record.Outcome {
	w.t.Helper()
	out, err := w.engine.Commit(context.Background(), org, []sync.Proposal{{Mutation: record.Mutation{
		ID: w.id(), Stamp: version.StampAt(w.now()), Edits: edits,
	}}})
	require.NoError(w.t, err)
	require.Len(w.t, out, 1)
	require.NotEqual(w.t, record.Refused, out[0].Result, "%+v", out[0].Refusal)
	return out[0]
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func (w *world) draw() int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.Int32N(1<<31-2) + 1
}

func (w *world) id() record.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	return record.MustID(fmt.Sprintf("0190bbbb-%04x-7000-8000-%012x", w.rng.IntN(1<<16), w.made))
}

func js(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// phone is a device in miniature: it types, pushes and pulls, and holds what it
// was told.
type phone struct {
	w       *world
	who     access.Caller
	replica version.Replica
	n       uint64
	prev    string
	outbox  []record.Mutation
	cursor  string
	skew    time.Duration
	last    version.Stamp
	high    version.Stamp

	max   int // bytes of a page
	base  map[record.ID]*held
	outs  map[record.ID]record.Outcome
	pages []wire.PullAnswer // of the last sync
	epoch string
}

type held struct {
	kind string
	seq  record.Seq
	set  map[string]string
	in   map[string]bool
}

func (w *world) phone(login string) *phone { return w.phoneIn(w.org, login) }

func (w *world) phoneIn(org record.OrgID, login string) *phone {
	w.t.Helper()
	ctx := context.Background()
	p := &phone{w: w, who: access.Caller{Org: org, Person: person(org, login), Device: w.id(), Roles: []string{"rep"}}}
	p.base, p.outs = map[record.ID]*held{}, map[record.ID]record.Outcome{}
	require.NoError(w.t, pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		r, err := store.ClaimReplica(ctx, tx, org, p.who.Device, p.who.Person, true, w.draw)
		p.replica = r.Name
		return err
	}))
	return p
}

// seen is what the phone has on its screen of a record.
func (p *phone) seen(id record.ID) version.Vector {
	if h := p.base[id]; h != nil {
		return version.Vector{version.Log: uint64(h.seq)}
	}
	return nil
}

func values(pairs ...any) record.Values {
	var vs record.Values
	for i := 0; i < len(pairs); i += 2 {
		vs = append(vs, record.Value{Field: pairs[i].(string), Raw: js(pairs[i+1])})
	}
	return vs
}

// type_ puts a mutation into the outbox.
func (p *phone) typed(edits ...record.Edit) record.ID {
	p.n++
	clock := p.w.now().Add(p.skew).UnixMilli()
	p.last = version.Later(version.Later(p.last.Next(), p.high.Next()), version.Stamp{MS: clock})
	m := record.Mutation{N: p.n, ID: p.w.id(), Stamp: p.last, Edits: edits}
	p.outbox = append(p.outbox, m)
	return m.ID
}

func (p *phone) create(kind string, set record.Values) record.ID {
	id := p.w.id()
	p.typed(record.Edit{Op: record.OpCreate, Kind: kind, ID: id, Set: set})
	return id
}

func (p *phone) edit(id record.ID, set record.Values) record.ID {
	return p.typed(record.Edit{Op: record.OpEdit, Kind: p.kind(id), ID: id, Seen: p.seen(id), Set: set})
}

func (p *phone) kind(id record.ID) string {
	if h := p.base[id]; h != nil {
		return h.kind
	}
	for _, m := range p.outbox {
		for _, e := range m.Edits {
			if e.ID == id {
				return e.Kind
			}
		}
	}
	return "account"
}

func (p *phone) remove(id record.ID) record.ID {
	return p.typed(record.Edit{Op: record.OpDelete, Kind: p.kind(id), ID: id, Seen: p.seen(id)})
}

// frame is the outbox as it travels: through text, as a server would get it.
func (p *phone) frame() *wire.Push {
	body, err := json.Marshal(wire.Push{Replica: p.replica, Prev: p.prev, Mutations: p.outbox})
	require.NoError(p.w.t, err)
	frame, err := wire.ReadPush(body)
	require.NoError(p.w.t, err)
	return frame
}

// push sends the outbox and takes the verdicts.
func (p *phone) push() []record.Outcome {
	p.w.t.Helper()
	answer, err := p.w.engine.Push(context.Background(), p.who, p.frame())
	require.NoError(p.w.t, err)
	p.settle(answer.Outcomes)
	p.epoch = answer.Epoch
	return answer.Outcomes
}

func (p *phone) settle(outcomes []record.Outcome) {
	for _, o := range outcomes {
		p.outs[o.ID] = o
		for i, m := range p.outbox {
			if m.ID == o.ID {
				p.prev = m.ID.String()
				p.outbox = append(p.outbox[:i:i], p.outbox[i+1:]...)
				break
			}
		}
	}
}

// pullPage asks for one page and applies it.
func (p *phone) pullPage() wire.PullAnswer {
	p.w.t.Helper()
	page := p.ask(wire.PullRequest{Replica: p.replica, Cursor: p.cursor, MaxBytes: p.max, Digest: true})
	p.apply(page)
	return page
}

func (p *phone) ask(r wire.PullRequest) wire.PullAnswer {
	p.w.t.Helper()
	body, err := p.w.engine.Pull(context.Background(), p.who, &r)
	require.NoError(p.w.t, err)
	var page wire.PullAnswer
	require.NoError(p.w.t, json.Unmarshal(body, &page), "%s", body)
	require.LessOrEqual(p.w.t, len(page.Cursor), sync.MaxCursor)
	return page
}

// pull goes on until everything is there.
func (p *phone) pull() {
	p.w.t.Helper()
	p.pages = nil
	for range 100_000 {
		page := p.pullPage()
		p.pages = append(p.pages, page)
		if page.Complete && !page.Filling {
			return
		}
	}
	require.Fail(p.w.t, "the pull does not end")
}

func (p *phone) apply(page wire.PullAnswer) {
	p.w.t.Helper()
	for _, scope := range page.DropScopes {
		for id, h := range p.base {
			if delete(h.in, scope); len(h.in) == 0 {
				delete(p.base, id)
			}
		}
	}
	for _, c := range page.Changes {
		p.applyChange(c)
	}
	p.settle(page.Outcomes)
	p.cursor, p.epoch = page.Cursor, page.Epoch
	p.high = version.Later(p.high, page.High)
}

func (p *phone) applyChange(c wire.Change) {
	p.w.t.Helper()
	if c.Gone != "" {
		delete(p.base, c.ID)
		return
	}
	h := p.base[c.ID]
	if c.Full {
		h = &held{kind: c.Kind, set: map[string]string{}}
		p.base[c.ID] = h
	}
	require.NotNil(p.w.t, h, "a part of %s, which this phone does not hold", c.ID)
	for _, v := range c.Set {
		h.set[v.Field] = string(v.Raw)
	}
	h.seq = c.Seq
	if c.In != nil {
		h.in = map[string]bool{}
		for _, scope := range c.In {
			h.in[scope] = true
		}
	}
	require.NotEmpty(p.w.t, h.in, "%s is held through no scope", c.ID)
}

// sync is a push and a pull.
func (p *phone) sync() {
	p.w.t.Helper()
	if len(p.outbox) > 0 {
		p.push()
	}
	p.pull()
}

func (p *phone) text(id record.ID, field string) string {
	if h := p.base[id]; h != nil {
		var s string
		if json.Unmarshal([]byte(h.set[field]), &s) == nil {
			return s
		}
		return h.set[field]
	}
	return ""
}

func (p *phone) has(id record.ID) bool { return p.base[id] != nil }
