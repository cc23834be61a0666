package pages

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/views"
	"roadbook/sync/wire"
)

// Check compares what a device holds with what it must hold, leaf by leaf, and
// mends only what differs. The first answer has a cursor of its own moment; what
// the further ones mend is as it is at theirs, which is later, so that a pull
// from that cursor tells once more of what has changed in between, and a record
// is right either way.
func (m *Maker) Check(ctx context.Context, who access.Caller, r *wire.CheckRequest) (out []byte, err error) {
	ctx, span := m.Tracer.Start(ctx, "check")
	defer func() { span.End(err) }()
	for range pullAttempts {
		err = m.Store.Snapshot(ctx, who.Org, func(tx store.Tx, head store.Head) error {
			p, err := m.openCheck(ctx, tx, head, who, r)
			if err != nil {
				return err
			}
			out, err = p.compare(r)
			return err
		})
		if place, lost := errors.AsType[*lostPlace](err); lost {
			if err := m.Lost(ctx, who.Org, place.epoch); err != nil {
				return nil, err
			}
			return nil, m.elsewhere(ctx, who) // it gives back what it has before it compares
		}
		ask, ok := errors.AsType[*unsettled](err)
		if !ok {
			return out, err
		}
		if err := m.settle(ctx, who, ask); err != nil {
			return nil, err
		}
	}
	return nil, errs.New("sync.Check", errs.Busy, "what this device is shown is being changed; try again in a moment")
}

func (m *Maker) openCheck(ctx context.Context, tx source, head store.Head, who access.Caller, r *wire.CheckRequest) (*page, error) {
	p := m.newPage(ctx, tx, head, who, &wire.PullRequest{Replica: r.Replica, Cursor: r.Cursor, Want: r.Want})
	var err error
	if p.schema, err = m.Schemas.At(ctx, who.Org, tx, head.Schema); err != nil {
		return nil, err
	}
	if p.old, err = m.Cursor(who, r.Cursor); err != nil {
		return nil, p.stale("foreign", "this device's place was not given by this server, or not to this device")
	}
	own := p.old
	if r.Leaves == nil { // it begins anew, at the head and with nothing to fill
		h := head.Seq
		p.old = Cursor{epoch: head.Epoch, base: h, pos: h, head: h, fill: fill{after: h, batch: h}}
		copy(p.old.chain[:], head.Chain)
	}
	p.next = p.old
	p.replica, _ = store.ReplicaNo(r.Replica)
	at, err := tx.Standing(ctx, store.Asking{
		Person: who.Person, Device: who.Device, Replica: p.replica, At: own.Proven(), Head: p.old.head,
	})
	if err != nil {
		return nil, err
	}
	switch {
	case r.Leaves != nil:
		err = p.checkPlace(at.Chain)
	case own.IsLost(head.Seq, at.Chain) && (own.epoch == head.Epoch || own.head > head.Seq):
		err = &lostPlace{head.Epoch} // however old its place may be, the log must have had it
	case own.epoch != head.Epoch:
		err = p.checkPast(own, at.Chain)
	}
	if err != nil {
		return nil, err
	}
	if err := p.checkReplica(at.Writers); err != nil {
		return nil, err
	}
	p.holds(at.People, at.Grants)
	p.views = at.Views
	if err := p.checkViews(); err != nil {
		return nil, err
	}
	if r.Sight != sightToken(p.views.Now()) {
		return nil, p.stale("sight", "this person may see other fields than this device was told of")
	}
	return p, nil
}

// elsewhere is the answer to a device whose place the log has lost.
func (m *Maker) elsewhere(ctx context.Context, who access.Caller) error {
	var away error
	err := m.Store.Snapshot(ctx, who.Org, func(tx store.Tx, head store.Head) error {
		judged, err := JudgedOf(ctx, tx, who.Device)
		away = Elsewhere("sync.Check", "rewound", head, judged, true)
		return err
	})
	return cmp.Or(err, away)
}

// sightToken stands for what a person may see: with another one a device has
// other fields of records that have not changed.
func sightToken(v views.View) string {
	text, err := json.Marshal(v.Sight)
	if err != nil {
		panic("pages: a sight cannot be written: " + err.Error())
	}
	h := fnv.New64a()
	_, _ = h.Write(text)
	return strconv.FormatUint(h.Sum64(), 36)
}

// compare answers a question.
func (p *page) compare(r *wire.CheckRequest) ([]byte, error) {
	p.out = &wire.PageWriter{}
	now := p.views.Now()
	want := &wire.Want{From: now.From.Text()}
	if now.Kinds != nil {
		want.Kinds = KindNames(p.schema, now.Kinds)
	}
	answer := &wire.PullAnswer{
		Want: want, Horizon: p.head.Horizon, PinsRefused: p.refused, Epoch: p.head.Epoch, Durable: p.m.Durable(p.who.Org, p.head),
		High: p.head.High, ServerTime: p.m.Now().UTC(), Differ: map[string]wire.Bits{},
	}
	var err error
	if r.Leaves == nil {
		err = p.differ(r.Sums, answer)
		if err == nil {
			answer.Sight = sightToken(now)
			answer.Schema, err = p.schemaFor()
		}
	} else {
		err = p.mend(r, answer)
	}
	if err != nil {
		return nil, err
	}
	answer.Complete = len(answer.Differ) == 0
	if err := p.finish(answer); err != nil {
		return nil, err
	}
	return p.out.Finish(answer)
}

// differ finds the leaves in which a device has something else than it must
// have. What it has through scopes that are not its any more, it drops.
func (p *page) differ(sums map[string]wire.Sums, answer *wire.PullAnswer) error {
	held, err := p.tx.Held(p.ctx, slices.Sorted(maps.Keys(p.live)))
	if err != nil {
		return err
	}
	live := map[string]bool{}
	for _, g := range p.live {
		live[g.Name] = true
		var must wire.Sums
		key := wire.DigestKey(g.Name)
		for _, h := range held[g.Scope] {
			if k := p.schema.KindNo(h.Kind); k != nil && p.shows(k, h.Month) {
				must.Add(h.ID, wire.Sum(h.ID, h.Seq, key))
			}
		}
		has := sums[g.Name]
		if unlike := has.Unlike(&must); !unlike.IsZero() {
			answer.Differ[g.Name] = unlike
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		if !live[name] {
			answer.DropScopes = append(answer.DropScopes, name)
		}
	}
	return nil
}

// mend tells a device what it lacks in some leaves and what it has too much,
// leaf by leaf until the page is full.
func (p *page) mend(r *wire.CheckRequest, answer *wire.PullAnswer) error {
	for _, scope := range slices.SortedFunc(maps.Values(p.live), func(a, b store.Grant) int { return int(a.Scope) - int(b.Scope) }) {
		asked, is := r.Leaves[scope.Name]
		if !is {
			continue
		}
		left, err := p.mendScope(scope.Scope, asked, r.MaxBytes)
		if err != nil {
			return err
		}
		if !left.IsZero() {
			answer.Differ[scope.Name] = left
		}
	}
	return nil
}

// mendScope returns the leaves for which there was no room.
func (p *page) mendScope(scope record.ScopeID, asked wire.Leaved, size int) (left wire.Bits, err error) {
	if p.out.Len() > 0 && p.out.Size() >= size {
		return asked.At, nil
	}
	held, err := p.tx.HeldIn(p.ctx, scope, asked.At.List())
	if err != nil {
		return left, err
	}
	var wrong [wire.Leaves][]record.ID
	must := make(map[record.ID]bool, len(held))
	for _, h := range held {
		if k := p.schema.KindNo(h.Kind); k == nil || !p.shows(k, h.Month) {
			continue
		}
		must[h.ID] = true
		if seq, has := asked.Have[h.ID]; !has || seq != h.Seq {
			wrong[wire.Leaf(h.ID)] = append(wrong[wire.Leaf(h.ID)], h.ID)
		}
	}
	for id := range asked.Have {
		if leaf := wire.Leaf(id); !must[id] && asked.At.Has(leaf) {
			wrong[leaf] = append(wrong[leaf], id)
		}
	}
	left = asked.At
	for _, leaf := range asked.At.List() {
		if p.out.Len() > 0 && p.out.Size() >= size {
			return left, nil
		}
		if err := p.mendRecords(wrong[leaf], asked.Have); err != nil {
			return left, err
		}
		left.Clear(leaf)
	}
	return left, nil
}

// mendRecords tells what some records are, in full, or that they go. One that
// the device has as it is, but through another scope, gets its scopes alone.
func (p *page) mendRecords(ids []record.ID, have map[record.ID]record.Seq) error {
	slices.SortFunc(ids, func(a, b record.ID) int { return slices.Compare(a[:], b[:]) })
	for some := range slices.Chunk(ids, loadAtOnce) {
		rows, err := p.tx.Records(p.ctx, some)
		if err != nil {
			return err
		}
		there := make(map[record.ID]*store.Row, len(rows))
		for i := range rows {
			there[rows[i].ID] = &rows[i]
		}
		for _, id := range some {
			if err := p.mendOne(id, there[id], have[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *page) mendOne(id record.ID, r *store.Row, seq record.Seq) error {
	if p.sent[id] {
		return nil // in full, in the leaf of another scope
	}
	c := wire.Change{ID: id, Seq: p.head.Seq, Gone: wire.GoneDeleted}
	if r == nil {
		p.out.Change(c)
		return nil
	}
	kind := p.schema.KindNo(r.Kind)
	if kind == nil {
		c.Gone = wire.GoneLeft
		p.out.Change(c)
		return nil
	}
	c.Kind, c.Seq = kind.Name, r.Seq
	in := p.in(kind, r)
	switch {
	case r.State == record.Deleted:
		p.out.Change(c)
		return nil
	case len(in) == 0:
		c.Gone = wire.GoneLeft
		p.out.Change(c)
		return nil
	}
	c.Gone, c.In = "", p.names(in)
	if seq == r.Seq {
		p.out.Change(c)
		return nil
	}
	c.Full = true
	return p.writeFull(c, kind, r)
}
