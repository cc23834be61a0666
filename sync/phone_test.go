package sync_test

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync/pages"
	"roadbook/sync/wire"
	"roadbook/version"
)

// phone is a device in miniature: it types, pushes and pulls, and holds what it
// was told. What it types it draws on top of that until a complete pull has
// passed it.
type phone struct {
	w       *world
	who     access.Caller
	replica version.Replica
	n       uint64
	names   map[uint64]record.ID // of all that it typed under this replica
	outbox  []record.Mutation
	settled []judged
	cursor  string
	skew    time.Duration
	last    version.Stamp
	high    version.Stamp

	stages bool // it applies the pages of a pull only when all have come
	staged []wire.PullAnswer
	ahead  string // the cursor behind the staged pages

	max   int         // bytes of a page
	from  string      // the first month it wants, if it says
	kinds []string    // the kinds that it wants, if it says
	shown string      // the first month that it is shown
	pins  []record.ID // the accounts that it pins, if it says
	base  map[record.ID]*held
	outs  map[record.ID]record.Outcome
	pages []wire.PullAnswer // of the last sync
	epoch string
}

// judged is a mutation that has its verdict.
type judged struct {
	record.Mutation

	seq record.Seq
}

// pending is an edit that is drawn on top, and the mutation that it is in.
type pending struct {
	record.Edit

	by record.ID
}

type held struct {
	kind string
	seq  record.Seq
	set  map[string]string
	in   map[string]bool
}

func (w *world) phone(login string) *phone {
	w.t.Helper()
	return w.phoneIn(w.org, login)
}

func (w *world) phoneIn(org record.OrgID, login string) *phone {
	w.t.Helper()
	p := &phone{w: w, who: access.Caller{Org: org, Person: w.person(org, login), Device: w.id(), Roles: []string{"rep"}}}
	p.base, p.outs, p.names = map[record.ID]*held{}, map[record.ID]record.Outcome{}, map[uint64]record.ID{}
	p.replica = w.claim(p.who)
	return p
}

// seen is what the phone was last told of a record.
func (p *phone) seen(id record.ID) version.Vector {
	if h := p.base[id]; h != nil {
		return version.Vector{version.Log: uint64(h.seq)}
	}
	return nil
}

// pending are the phone's own edits of a record that no complete pull has
// passed, oldest first.
func (p *phone) pending(id record.ID) []pending {
	var out []pending
	add := func(m record.Mutation) {
		for _, e := range m.Edits {
			if e.ID == id {
				out = append(out, pending{e, m.ID})
			}
		}
	}
	for _, m := range p.settled {
		add(m.Mutation)
	}
	for _, m := range p.outbox {
		add(m)
	}
	return out
}

// seenOf is what its owner has on the screen of one field: an own edit that
// has not come back hides what was pulled since.
func (p *phone) seenOf(id record.ID, field string) version.Vector {
	kind := p.w.schema.Kind(p.kind(id))
	f := kind.Field(field)
	if f == nil || f.Policy != record.LWW && f.Policy != record.LWWAsk && f.Policy != record.Process && f.Policy != record.List && f.Policy != record.Manual {
		return p.seen(id)
	}
	for _, e := range slices.Backward(p.pending(id)) {
		for _, g := range kind.GroupOf(f) {
			if e.Set.Get(g.Name) != nil {
				return e.Seen
			}
		}
	}
	return p.seen(id)
}

// seenAll is what its owner had on the screen when he touched a record first:
// what a delete has seen.
func (p *phone) seenAll(id record.ID) version.Vector {
	least := p.seen(id)
	for _, e := range p.pending(id) {
		if e.Seen.Seq() < least.Seq() {
			least = e.Seen
		}
	}
	return least
}

// typed puts a mutation into the outbox.
func (p *phone) typed(edits ...record.Edit) record.ID {
	p.n++
	clock := p.w.now().Add(p.skew).UnixMilli()
	p.last = version.Later(version.Later(p.last.Next(), p.high.Next()), version.Stamp{MS: clock})
	m := record.Mutation{N: p.n, ID: p.w.id(), Stamp: p.last, Edits: edits}
	p.outbox, p.names[p.n] = append(p.outbox, m), m.ID
	return m.ID
}

func (p *phone) create(kind string, set record.Values) record.ID {
	id := p.w.id()
	p.typed(record.Edit{Op: record.OpCreate, Kind: kind, ID: id, Set: set})
	return id
}

func (p *phone) edit(id record.ID, set record.Values) record.ID { return p.typed(p.edits(id, set)...) }

// edits are a change of fields, cut by what was on the screen of each.
func (p *phone) edits(id record.ID, set record.Values) []record.Edit {
	var out []record.Edit
	for _, v := range set {
		seen := p.seenOf(id, v.Field)
		at := slices.IndexFunc(out, func(e record.Edit) bool { return e.Seen.Seq() == seen.Seq() })
		if at < 0 {
			at = len(out)
			out = append(out, record.Edit{Op: record.OpEdit, Kind: p.kind(id), ID: id, Seen: seen})
		}
		out[at].Set = append(out[at].Set, v)
	}
	return out
}

// change is an edit that has seen what was pulled, to be filled in.
func (p *phone) change(id record.ID) record.Edit {
	return record.Edit{Op: record.OpEdit, Kind: p.kind(id), ID: id, Seen: p.seen(id)}
}

func (p *phone) kind(id record.ID) string {
	if h := p.base[id]; h != nil {
		return h.kind
	}
	for _, e := range p.pending(id) {
		return e.Kind
	}
	return "account"
}

func (p *phone) remove(id record.ID) record.ID {
	return p.typed(record.Edit{Op: record.OpDelete, Kind: p.kind(id), ID: id, Seen: p.seenAll(id)})
}

// frame is the outbox as it travels: through text, as a server would get it.
func (p *phone) frame() *wire.Push { return p.w.read(p.bytes(p.ready())) }

// ready is how many mutations of the outbox follow each other. A verdict may
// be missing before ones that came by pull: a first sync brings none.
func (p *phone) ready() int {
	for i := range p.outbox {
		if p.outbox[i].N != p.outbox[0].N+uint64(i) {
			return i
		}
	}
	return len(p.outbox)
}

// bytes are the first mutations of the outbox as they travel.
func (p *phone) bytes(some int) []byte {
	push := wire.Push{Replica: p.replica, Mutations: p.outbox[:some]}
	if some > 0 {
		push.Prev = p.names[p.outbox[0].N-1].String()
	}
	body, err := json.Marshal(push)
	require.NoError(p.w.t, err)
	return body
}

// push sends the outbox and takes the verdicts.
func (p *phone) push() []record.Outcome {
	p.w.t.Helper()
	var all []record.Outcome
	for again := true; again; again = len(p.outbox) > 0 {
		outcomes, err := p.send(p.bytes(p.ready()))
		require.NoError(p.w.t, err)
		p.settle(outcomes)
		all = append(all, outcomes...)
	}
	return all
}

// send gives the server bytes and forgets the answer.
func (p *phone) send(body []byte) ([]record.Outcome, error) {
	answer, err := p.w.engine.Push(context.Background(), p.who, p.w.read(body))
	if err != nil {
		return nil, err
	}
	p.epoch = answer.Epoch
	return answer.Outcomes, nil
}

// settle takes verdicts by the ids of what they judge.
func (p *phone) settle(outcomes []record.Outcome) {
	for _, o := range outcomes {
		p.outs[o.ID] = o
		for i, m := range p.outbox {
			if m.ID == o.ID {
				p.outbox = append(p.outbox[:i:i], p.outbox[i+1:]...)
				if o.Result != record.Refused {
					p.settled = append(p.settled, judged{m, o.Seq})
				}
				break
			}
		}
	}
}

// pullPage asks for one page and takes it.
func (p *phone) pullPage() wire.PullAnswer {
	p.w.t.Helper()
	page := p.ask(p.request())
	p.take(page)
	return page
}

func (p *phone) request() wire.PullRequest {
	r := wire.PullRequest{Replica: p.replica, Cursor: p.cursor, MaxBytes: p.max, Digest: true}
	if p.ahead != "" {
		r.Cursor = p.ahead
	}
	if p.from != "" || p.kinds != nil || p.pins != nil {
		r.Want = &wire.Want{From: p.from, Kinds: p.kinds, Pins: p.pins}
	}
	return r
}

func (p *phone) ask(r wire.PullRequest) wire.PullAnswer {
	p.w.t.Helper()
	body, err := p.w.engine.Pull(context.Background(), p.who, &r)
	require.NoError(p.w.t, err)
	var page wire.PullAnswer
	require.NoError(p.w.t, json.Unmarshal(body, &page), "%s", body)
	require.LessOrEqual(p.w.t, len(page.Cursor), pages.MaxCursor)
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

// sync is a push and a pull.
func (p *phone) sync() {
	p.w.t.Helper()
	if len(p.outbox) > 0 {
		p.push()
	}
	p.pull()
}

// raw is a field as the phone was told.
func (p *phone) raw(id record.ID, field string) string {
	if h := p.base[id]; h != nil {
		return h.set[field]
	}
	return ""
}

// text is a field as the phone was told, without quotes if it is text.
func (p *phone) text(id record.ID, field string) string {
	raw := p.raw(id, field)
	var s string
	if json.Unmarshal([]byte(raw), &s) == nil {
		return s
	}
	return raw
}

func (p *phone) has(id record.ID) bool { return p.base[id] != nil }
