package sync

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
)

// periodDays is how far back a device holds what has a date, if it does not
// say.
const periodDays = 90

// Pull answers with the next page of what is new for a device, from one
// snapshot that also reads the head: the scopes that it loses, what changed in
// those that it holds, judged against what it has applied and never against
// how far its pages have come, and with the room left the next records of
// scopes that are new to it.
func (e *Engine) Pull(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, error) {
	var out []byte
	err := e.Store.Snapshot(ctx, who.Org, func(tx store.Tx, head store.Head) error {
		p, err := e.openPage(ctx, tx, head, who, r)
		if err != nil {
			return err
		}
		out, err = p.write()
		return err
	})
	return out, err
}

// page is one answer in the making.
type page struct {
	e      *Engine
	ctx    context.Context
	tx     store.Tx
	head   store.Head
	schema *record.Schema
	who    access.Caller
	req    *wire.PullRequest

	replica record.ReplicaID // whose outcomes are told
	actor   *access.Actor
	live    map[record.ScopeID]store.Grant // what is granted now, each since its earliest
	drops   []string
	hidden  map[*record.Kind]map[string]bool

	old  cursor // what the device came with
	next cursor // what it goes with
	out  wire.PageWriter
	sent map[record.ID]bool // what this page carries in full
}

func (e *Engine) openPage(ctx context.Context, tx store.Tx, head store.Head, who access.Caller, r *wire.PullRequest) (*page, error) {
	p := &page{
		e: e, ctx: ctx, tx: tx, head: head, who: who, req: r,
		live: map[record.ScopeID]store.Grant{}, hidden: map[*record.Kind]map[string]bool{}, sent: map[record.ID]bool{},
	}
	var err error
	if p.schema, err = e.schema(ctx, tx, head.Schema); err != nil {
		return nil, err
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	if err := p.checkReplica(); err != nil {
		return nil, err
	}
	if err := p.loadGrants(); err != nil {
		return nil, err
	}
	p.compareSight()
	return p, nil
}

// begin finds out where the device is. A first sync is no special case: it has
// applied everything up to now and nothing is filled.
func (p *page) begin() error {
	from, err := p.wantedFrom()
	if err != nil {
		return err
	}
	if p.req.Cursor == "" {
		h := p.head.Seq
		if from == 0 {
			from = monthAt(p.e.Now().Add(-periodDays * 24 * time.Hour))
		}
		p.old = cursor{epoch: p.head.Epoch, base: h, pos: h, head: h, fill: fill{batch: h}, from: from}
		p.next = p.old
		return nil
	}
	if p.old, err = p.e.readCursor(p.who, p.req.Cursor); err != nil {
		return p.stale("foreign", "this device's place was not given by this server, or not to this device")
	}
	if err := p.checkPlace(); err != nil {
		return err
	}
	p.next = p.old
	switch {
	case from == 0, from == p.old.from:
	case from > p.old.from:
		p.next.from = from // the device drops what grows old by itself
	default:
		p.next.from = from
		p.refill()
	}
	return nil
}

// refill sets the device back to where a first sync begins: everything is
// filled anew, with the wider period, or with what the actor sees now.
func (p *page) refill() {
	p.next.fill = fill{batch: p.head.Seq}
	p.old.fill = p.next.fill
}

// compareSight finds out whether the actor's roles are still those under which
// the device was filled. Others may see kinds and fields of the very records
// that it holds.
func (p *page) compareSight() {
	names := slices.Sorted(slices.Values(p.actor.Roles))
	for _, k := range p.schema.Kinds {
		for _, f := range slices.Sorted(maps.Keys(p.hiddenOf(k))) {
			names = append(names, k.Name+"."+f)
		}
	}
	sum := digestKey(strings.Join(names, " "))
	copy(p.next.sight[:], binary.BigEndian.AppendUint64(nil, sum))
	if p.req.Cursor == "" {
		p.old.sight = p.next.sight
	}
	if p.old.sight != p.next.sight {
		p.refill()
	}
}

func (p *page) wantedFrom() (record.Month, error) {
	if p.req.Want == nil || p.req.Want.From == "" {
		return 0, nil
	}
	m, ok := parseMonth(p.req.Want.From)
	if t, err := time.Parse("2006-01", p.req.Want.From); !ok && err == nil && t.Year() < 2000 {
		return 1, nil // all that there can be
	}
	if !ok {
		return 0, errs.New("sync.Pull", errs.Invalid, "the period must begin with a month like 2026-08").Coded("from")
	}
	return m, nil
}

// checkPlace refuses a cursor from which the device cannot go on.
func (p *page) checkPlace() error {
	switch {
	case p.old.epoch != p.head.Epoch:
		return p.stale("epoch", "the server was restored; this device must compare what it has")
	case p.old.base < p.head.Horizon:
		return p.stale("horizon", "this device was away for too long; it must compare what it has")
	case p.old.pos > p.head.Seq || p.old.head > p.head.Seq:
		return p.stale("rewound", "the server has lost what this device has seen; it must compare what it has")
	case p.old.pos == 0:
		return nil
	}
	chain, err := p.tx.Chain(p.ctx, p.old.pos)
	if err != nil {
		return err
	}
	if len(chain) < 8 || [8]byte(chain[:8]) != p.old.chain {
		return p.stale("rewound", "the server has lost what this device has seen; it must compare what it has")
	}
	return nil
}

// checkReplica refuses to speak to a device under a name that is not its own: it
// would wait for verdicts for ever.
func (p *page) checkReplica() error {
	id, ok := store.ReplicaNo(p.req.Replica)
	if !ok {
		return notYours()
	}
	writers, err := p.tx.Writers(p.ctx, []record.ReplicaID{id})
	if err != nil {
		return err
	}
	for _, w := range writers {
		if w.ID == id && w.Device == p.who.Device && w.Person == p.who.Person && !w.Online {
			p.replica = id
			return nil
		}
	}
	return notYours()
}

func (p *page) stale(code, why string) error {
	err := errs.New("sync.Pull", errs.Stale, "%s: start over with an empty place; nothing typed is lost", why)
	return &Problem{err.Coded(code), wire.Problem{Epoch: p.head.Epoch}}
}

// loadGrants finds what the person and his device hold now and what has ended
// since the last page.
func (p *page) loadGrants() error {
	people, err := p.tx.People(p.ctx, []record.ID{p.who.Person})
	if err != nil {
		return err
	}
	p.actor = &access.Actor{Person: p.who.Person, Scopes: map[record.ScopeID]bool{}, Owners: map[record.ID]bool{}}
	if len(people) > 0 {
		p.actor.Roles, p.actor.Active = people[0].Roles, people[0].Active
	}
	grants, err := p.tx.Grants(p.ctx, []record.ID{p.who.Person, p.who.Device}, p.old.head)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if known, is := p.live[g.Scope]; g.Until == 0 && (!is || g.Since < known.Since) {
			p.live[g.Scope] = g
			holds(p.actor, g)
		}
	}
	for _, g := range grants {
		still, is := p.live[g.Scope]
		if g.Until > p.old.head && g.Since <= p.old.head && (!is || still.Since > p.old.head) {
			p.drops = append(p.drops, g.Name)
		}
	}
	return nil
}

// write makes the page.
func (p *page) write() ([]byte, error) {
	size := p.req.MaxBytes
	if size <= 0 {
		size = wire.DefaultPageBytes
	}
	complete, err := p.delta(size)
	if err != nil {
		return nil, err
	}
	filling, err := p.fillUp(size)
	if err != nil {
		return nil, err
	}
	answer := &wire.PullAnswer{
		DropScopes: distinct(p.drops), Complete: complete, Filling: filling, Horizon: p.head.Horizon,
		Epoch: p.head.Epoch, Durable: durable(p.head), High: p.head.High, ServerTime: p.e.Now().UTC(),
	}
	if complete {
		if answer.Outcomes, err = p.outcomes(); err != nil {
			return nil, err
		}
		p.next.base, p.next.pos, p.next.mid = p.head.Seq, p.head.Seq, record.NoID
	}
	p.next.head = p.head.Seq
	if err := p.finish(answer); err != nil {
		return nil, err
	}
	return p.out.Finish(answer)
}

func (p *page) finish(answer *wire.PullAnswer) error {
	var err error
	if p.req.Cursor == "" || p.head.Schema > p.old.head || p.old.sight != p.next.sight {
		if answer.Schema, err = p.schemaFor(); err != nil {
			return err
		}
	}
	if p.req.Digest && answer.Complete && !answer.Filling {
		if answer.Digests, err = p.digests(); err != nil {
			return err
		}
	}
	p.next.epoch = p.head.Epoch
	chain := p.head.Chain
	if p.next.pos != p.head.Seq {
		if chain, err = p.tx.Chain(p.ctx, p.next.pos); err != nil {
			return err
		}
	}
	copy(p.next.chain[:], chain)
	answer.Cursor = p.e.writeCursor(p.who, p.next)
	return nil
}

// schemaFor is the schema without what this actor may not know of.
func (p *page) schemaFor() (json.RawMessage, error) {
	out := record.Schema{Version: p.schema.Version}
	for _, k := range p.schema.Kinds {
		if !p.actor.Reads(k) {
			continue
		}
		visible := *k
		visible.Fields = nil
		hidden := p.hiddenOf(k)
		for _, f := range k.Fields {
			if !hidden[f.Name] {
				visible.Fields = append(visible.Fields, f)
			}
		}
		out.Kinds = append(out.Kinds, &visible)
	}
	return json.Marshal(&out)
}

func (p *page) hiddenOf(k *record.Kind) map[string]bool {
	hidden, known := p.hidden[k]
	if !known {
		hidden = p.actor.Hidden(k)
		p.hidden[k] = hidden
	}
	return hidden
}

// outcomes are the verdicts on what this device has sent since its base.
func (p *page) outcomes() ([]record.Outcome, error) {
	if p.old.base == p.head.Seq {
		return nil, nil
	}
	rows, err := p.tx.EntriesSince(p.ctx, p.replica, p.old.base)
	if err != nil {
		return nil, err
	}
	out := make([]record.Outcome, 0, len(rows))
	for i := range rows {
		o, err := p.e.told(p.tx.Org, p.head.Epoch, &rows[i], p.look)
		if err != nil {
			return nil, err
		}
		if o.Refusal != nil && p.who.Say != nil {
			o.Refusal = p.who.Say(o.Refusal)
		}
		out = append(out, o)
	}
	return out, nil
}

// look finds a record whose values this actor may be told.
func (p *page) look(c storedClash) (*record.Record, error) {
	rows, err := p.tx.Records(p.ctx, []record.ID{c.ID})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	rec, err := rows[0].Record(p.schema)
	if err != nil || !p.actor.Sees(rec.Kind, rec.Scopes) || p.actor.Hides(rec.Kind, c.Field) {
		return nil, err
	}
	return rec, nil
}

// digestKey is a hash of a text. Digest keys differ by scope, so that a record in two scopes adds to each a
// number of its own.
func digestKey(scope string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	h := uint64(offset)
	for i := range len(scope) {
		h = (h ^ uint64(scope[i])) * prime
	}
	return h
}

// digests sum up what the device must hold now, scope by scope.
func (p *page) digests() (map[string]wire.Digest, error) {
	out := make(map[string]wire.Digest, len(p.live))
	for _, g := range p.live {
		held, err := p.tx.Held(p.ctx, g.Scope)
		if err != nil {
			return nil, err
		}
		var t wire.Tally
		key := digestKey(g.Name)
		for _, h := range held {
			if k := p.schema.KindNo(h.Kind); k != nil && p.actor.Reads(k) && p.wanted(h.Month) {
				t.Add(wire.Sum(h.ID, h.Seq, key))
			}
		}
		out[g.Name] = t.Digest()
	}
	return out, nil
}

// wanted reports whether a month lies in the period.
func (p *page) wanted(m record.Month) bool { return m == 0 || m >= p.next.from }
