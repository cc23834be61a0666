package pages

import (
	"cmp"
	"context"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/sync/views"
	"roadbook/sync/wire"
)

// page is one answer in the making.
type page struct {
	m      *Maker
	ctx    context.Context
	tx     source
	head   store.Head
	schema *record.Schema
	who    access.Caller
	req    *wire.PullRequest

	replica record.ReplicaID // whose outcomes are told
	actor   *access.Actor
	live    map[record.ScopeID]store.Grant // what is granted now, each since its earliest
	drops   []string
	views   views.List // what the device has been shown
	kinds   map[int16]*shown
	turned  map[int16]turns // by rank
	hidden  map[*record.Kind]map[string]bool

	old    Cursor // what the device came with
	next   Cursor // what it goes with
	out    *wire.PageWriter
	answer *wire.PullAnswer
	sent   map[record.ID]bool // what this page carries in full
	done   bool               // the device is up to date with it

	refused []record.ID // pins that its person may not have
	looked  int         // records that the fill has come to
	touch   bool        // it is a while since the device was seen to use its pins
}

func (m *Maker) openPage(ctx context.Context, tx source, head store.Head, who access.Caller, r *wire.PullRequest) (*page, error) {
	p := m.newPage(ctx, tx, head, who, r)
	var err error
	if p.schema, err = m.Schemas.At(ctx, who.Org, tx, head.Schema); err != nil {
		return nil, err
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	p.replica, _ = store.ReplicaNo(r.Replica) // 0, which is nobody's, if it is no name
	at, err := tx.Standing(ctx, store.Asking{
		Person: who.Person, Device: who.Device, Replica: p.replica, At: p.old.Proven(), Head: p.old.head,
	})
	if err != nil {
		return nil, err
	}
	if err := p.checkPlace(at.Chain); err != nil {
		return nil, err
	}
	if err := p.checkReplica(at.Writers); err != nil {
		return nil, err
	}
	p.holds(at.People, at.Grants)
	p.views = at.Views
	return p, p.checkViews()
}

func (m *Maker) newPage(ctx context.Context, tx source, head store.Head, who access.Caller, r *wire.PullRequest) *page {
	return &page{
		m: m, ctx: ctx, tx: tx, head: head, who: who, req: r,
		live: map[record.ScopeID]store.Grant{}, hidden: map[*record.Kind]map[string]bool{}, sent: map[record.ID]bool{},
		kinds: map[int16]*shown{},
	}
}

// begin finds out where the device is. A first sync is no special case: it has
// applied everything up to now and nothing is filled.
func (p *page) begin() error {
	if p.req.Cursor == "" {
		h := p.head.Seq
		p.old = Cursor{epoch: p.head.Epoch, base: h, pos: h, head: h, fill: fill{batch: h}}
		p.next = p.old
		return nil
	}
	var err error
	if p.old, err = p.m.Cursor(p.who, p.req.Cursor); err != nil {
		return p.stale("foreign", "this device's place was not given by this server, or not to this device")
	}
	p.next = p.old
	return nil
}

// checkViews finds out whether what the device is shown is what it asks for and
// what its person may see.
func (p *page) checkViews() error {
	want, err := wishOf(p.req.Want)
	if err != nil {
		return err
	}
	sight := SightOf(p.schema, p.actor)
	if len(p.views) == 0 && p.req.Cursor != "" { // it was shown something before a restore, and nobody knows what
		return p.stale("sight", "what this device was shown is not known any more")
	}
	if len(p.views) == 0 {
		first := want.On(views.View{From: record.MonthAt(p.m.Now().Add(-periodDays * 24 * time.Hour))}, p.schema)
		first.Sight = sight
		return &unsettled{first: &first}
	}
	now := want.On(p.views.Now(), p.schema)
	now.Sight = sight
	if !now.SameWant(p.views.Now()) || !now.SameSight(p.views.Now()) {
		return &unsettled{wish: want}
	}
	return p.loadPins(want)
}

// checkReplica refuses to speak to a device under a name that is not its own: it
// would wait for verdicts for ever.
func (p *page) checkReplica(writers []store.Writer) error {
	for _, w := range writers {
		if w.ID == p.replica && w.Device == p.who.Device && w.Person == p.who.Person && !w.Online {
			return nil
		}
	}
	return wire.NotYours(p.head.Epoch)
}

func (p *page) stale(code, why string) error {
	err := errs.New("sync.Pull", errs.Stale, "%s: start over with an empty place; nothing typed is lost", why)
	judged, unread := JudgedOf(p.ctx, p.tx, p.who.Device) // it starts over, so that no page will tell it what was lost
	return cmp.Or(unread, error(&wire.Failure{Err: err.Coded(code), More: wire.Problem{Epoch: p.head.Epoch, Judged: judged}}))
}

// holds works out what the person and his device hold now and what has ended
// since the last page.
func (p *page) holds(people []store.Person, grants []store.Grant) {
	p.actor = access.Somebody(p.who.Person)
	if len(people) > 0 {
		p.actor.Roles, p.actor.Active = people[0].Roles, people[0].Active
	}
	for _, g := range grants {
		if known, is := p.live[g.Scope]; g.Until == 0 && (!is || g.Since < known.Since) {
			p.live[g.Scope] = g
			if g.Holder == p.who.Person {
				p.actor.Hold(g.Scope, g.Name) // a pin is no right of its own
			}
		}
	}
	for _, g := range grants {
		still, is := p.live[g.Scope]
		if g.Until > p.old.head && g.Since <= p.old.head && (!is || still.Since > p.old.head) && !slices.Contains(p.drops, g.Name) {
			p.drops = append(p.drops, g.Name)
		}
	}
}

// compose makes the page but for its text. Its buffer serves the next one: a
// page is a megabyte, and growing there costs more than all that is done to a
// record.
func (p *page) compose() (err error) {
	p.out, _ = p.m.writers.Get().(*wire.PageWriter)
	if p.out == nil {
		p.out = &wire.PageWriter{}
	}
	defer func() {
		if err != nil {
			p.release()
		}
	}()
	size := p.req.MaxBytes
	if size <= 0 {
		size = wire.DefaultPageBytes
	}
	complete, err := p.delta(size)
	if err != nil {
		return err
	}
	filling, err := p.fillUp(size)
	if err != nil {
		return err
	}
	p.answer = &wire.PullAnswer{
		DropScopes: p.drops, Withdraw: p.withdraw(), Want: p.wantTold(), Complete: complete, Filling: filling, Horizon: p.head.Horizon,
		PinsRefused: p.refused, Epoch: p.head.Epoch, Durable: p.m.Durable(p.who.Org, p.head), High: p.head.High,
	}
	if complete {
		if p.answer.Outcomes, err = p.outcomes(); err != nil {
			return err
		}
		p.next.base, p.next.pos, p.next.mid = p.head.Seq, p.head.Seq, record.NoID
	}
	p.next.head, p.done = p.head.Seq, complete && !filling
	return p.finish(p.answer)
}

// text is the page as it is sent, with the time of now. There is none after it.
func (p *page) text() ([]byte, error) {
	defer p.release()
	p.answer.ServerTime = p.m.Now().UTC()
	out, err := p.out.Finish(p.answer)
	if err == nil {
		p.m.Metrics.Pulled(int64(p.head.Seq-p.old.base), len(out), p.old.fill.after == 0)
	}
	return out, err
}

// release gives the buffer back.
func (p *page) release() {
	p.out.Reset()
	p.m.writers.Put(p.out)
	p.out = nil
}

func (p *page) finish(answer *wire.PullAnswer) error {
	var err error
	if p.req.Cursor == "" || p.head.Schema > p.old.head || p.sightChanged() {
		if answer.Schema, err = p.schemaFor(); err != nil {
			return err
		}
		answer.Sight = sightToken(p.views.Now())
	}
	if p.req.Digest && answer.Complete && !answer.Filling {
		if answer.Digests, err = p.digests(); err != nil {
			return err
		}
	}
	p.next.epoch, p.next.older, p.next.passed = p.head.Epoch, false, [8]byte{}
	copy(p.next.chain[:], p.head.Chain)
	if p.next.pos != p.next.head {
		passed, err := p.tx.Chain(p.ctx, p.next.pos)
		if err != nil {
			return err
		}
		copy(p.next.passed[:], passed)
	}
	answer.Cursor = p.m.writeCursor(p.who, p.next)
	return nil
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
		if rows[i].Twin != 0 { // the log tells of its edits once
			first, err := p.tx.Entry(p.ctx, rows[i].Twin)
			if err != nil {
				return nil, err
			}
			rows[i].Body = first.Body
		}
		o, err := p.m.Teller.Told(p.who.Org, p.head.Epoch, &rows[i], p.look)
		if err != nil {
			return nil, err
		}
		if o.Refusal != nil && p.who.Say != nil {
			o.Refusal = p.who.Say(o.Refusal)
		}
		out = append(out, o)
	}
	return p.settledOutcomes(out)
}

// settledOutcomes adds what has become of mutations that were parked.
func (p *page) settledOutcomes(out []record.Outcome) ([]record.Outcome, error) {
	settled, err := p.tx.SettledSince(p.ctx, p.replica, p.old.base)
	if err != nil {
		return nil, err
	}
	for _, t := range settled {
		row, err := p.tx.Entry(p.ctx, t.At)
		if err != nil {
			return nil, err
		}
		o, err := p.m.Teller.Told(p.who.Org, p.head.Epoch, &row, p.look)
		if err != nil {
			return nil, err
		}
		o.N = t.N
		parked := slices.IndexFunc(out, func(p record.Outcome) bool { return p.N == t.N && p.Result == record.Parked })
		if parked >= 0 { // a device that has heard what became of it is not told once more that it waits
			out[parked] = o
			continue
		}
		out = append(out, o)
	}
	return out, nil
}

// look finds a record whose values this actor may be told.
func (p *page) look(c history.Clash) (*record.Record, error) {
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
