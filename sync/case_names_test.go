package sync_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/wire"
	"roadbook/version"
)

// twin is a phone restored from a backup that was made just now.
func (p *phone) twin() *phone {
	c := *p
	c.outbox, c.settled, c.names = slices.Clone(p.outbox), slices.Clone(p.settled), maps.Clone(p.names)
	c.base, c.outs = map[record.ID]*held{}, map[record.ID]record.Outcome{}
	for id, h := range p.base {
		c.base[id] = &held{kind: h.kind, seq: h.seq, set: maps.Clone(h.set), in: maps.Clone(h.in)}
	}
	c.crash()
	return &c
}

// relabel gives the outbox of a phone that met its twin the fresh name.
func (p *phone) relabel(more wire.Problem) {
	p.replica, p.n, p.names = more.Replica, 0, map[uint64]record.ID{}
	for i := range p.outbox {
		p.n++
		p.outbox[i].N, p.names[p.n] = p.n, p.outbox[i].ID
	}
}

// A fork tells the verdicts of the part that matches, where the two part, and
// the server's last 64 ids under the old name.
func TestFork_answer(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	for range 70 {
		lin.edit(shop, values("short_name", "前"))
	}
	lin.push()
	lin.edit(shop, values("short_name", "同"))
	other := lin.twin()
	ours := lin.edit(shop, values("short_name", "这"))
	lin.push()
	other.edit(shop, values("short_name", "那"))

	_, err := other.send(other.bytes(2))

	more := problemOf(t, err)
	require.Equal(t, "fork", errs.CodeOf(err))
	require.Equal(t, uint64(73), more.FromN)
	require.Equal(t, uint64(1), more.NextN)
	require.Len(t, more.Outcomes, 1, "the one before is the same on both phones")
	require.True(t, more.Outcomes[0].Repeated)
	require.NotEqual(t, lin.replica, more.Replica)
	require.Len(t, more.IDs, 64)
	require.Equal(t, ours.String(), more.IDs["73"])
	require.Equal(t, lin.names[10].String(), more.IDs["10"])
	require.NotContains(t, more.IDs, "9")
}

// A phone that goes on under a wrong predecessor is a copy, too: they part
// before the first that it sends.
func TestFork_byPrev(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	other := lin.twin()
	lin.edit(shop, values("short_name", "这"))
	lin.push()
	other.edit(shop, values("short_name", "没有送到"))
	other.outbox = nil // it believes that it was judged
	other.edit(shop, values("short_name", "那"))

	_, err := other.send(other.bytes(1))

	more := problemOf(t, err)
	require.Equal(t, "fork", errs.CodeOf(err))
	require.Equal(t, uint64(2), more.FromN, "the one before is not the same")
	require.Empty(t, more.Outcomes)
}

// Under its fresh name a phone goes on as the same author: what it wrote
// before the fork is its own, what its twin wrote later is not.
func TestFork_lineage(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	lin.edit(shop, values("short_name", "分开之前", "tax_no", "分开之前"))
	lin.push()
	other := lin.twin()
	lin.edit(shop, values("tax_no", "另一台写的"))
	lin.push()
	other.edit(shop, values("short_name", "之后"))
	other.edit(shop, values("tax_no", "之后"))
	_, err := other.send(other.bytes(2))
	other.relabel(problemOf(t, err))

	out := other.push()

	require.Equal(t, record.Applied, out[0].Result, "it replaces its own")
	require.Equal(t, record.Merged, out[1].Result, "its twin's it had not seen")
	require.JSONEq(t, `"另一台写的"`, string(out[1].Clashes[0].Lost))
	require.Positive(t, out[0].Stamp.Compare(*lin.outs[lin.names[2]].Stamp), "it goes on after its last stamp")
}

// Two twins clash, and a person is asked: to find out who wrote what is to
// look at both of them, while one goes on writing in the same transaction.
func TestFork_clashBetweenTwins(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	other := lin.twin()
	lin.edit(shop, values("grade", "A"))
	lin.push()
	other.edit(shop, values("tax_no", "那一台"))
	_, err := other.send(other.bytes(1))
	other.relabel(problemOf(t, err))
	other.push()
	lin.edit(shop, values("tax_no", "这一台"))
	lin.edit(shop, values("grade", "B"))

	out := lin.push()
	lin.edit(shop, values("grade", "C"))
	next := lin.push()

	require.NotNil(t, out[0].Clashes[0].Conflict)
	require.Equal(t, record.Applied, out[1].Result)
	require.Equal(t, record.Applied, next[0].Result)
}

// The same mutation under another name answers with the verdict of the first
// time and takes effect once; its first dot counts as the author's own.
func TestPush_sameIDUnderAnotherName(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	edit := lin.change(shop)
	edit.Inc, edit.Set = values("points", 3), values("short_name", "一次")
	lin.typed(edit)
	sent := lin.outbox[0]
	first := lin.push()[0]
	fresh := lin.twin()
	fresh.replica, fresh.n, fresh.names = w.claim(lin.who), 0, map[uint64]record.ID{}
	sent.N, fresh.n, fresh.names[1] = 1, 1, sent.ID
	fresh.outbox = []record.Mutation{sent}

	again := fresh.push()[0]
	fresh.edit(shop, values("short_name", "接着写"))
	next := fresh.push()[0]
	chen.pull()

	require.Equal(t, first.Result, again.Result)
	require.Equal(t, first.Stamp, again.Stamp)
	require.True(t, again.Repeated)
	require.Equal(t, "3", chen.raw(shop, "points"), "it counts once")
	require.Equal(t, record.Applied, next.Result, "he knew what he had written himself")
}

// A mutation that has its name is never rewritten: other content under the
// same id is refused, under the same number and under another.
func TestPush_rewritten(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	lin.edit(shop, values("short_name", "先"))
	sent := lin.outbox[0]
	lin.push()
	sent.Edits = slices.Clone(sent.Edits)
	sent.Edits[0].Set = values("short_name", "改过的")

	same, err := w.engine.Push(t.Context(), lin.who, w.read(js(wire.Push{
		Replica: lin.replica, Prev: lin.names[1].String(), Mutations: []record.Mutation{sent},
	})))
	require.NoError(t, err)
	sent.N = 3
	under, err := w.engine.Push(t.Context(), lin.who, w.read(js(wire.Push{
		Replica: lin.replica, Prev: lin.names[2].String(), Mutations: []record.Mutation{sent},
	})))
	require.NoError(t, err)
	lin.pull()

	for _, answer := range []*wire.PushAnswer{same, under} {
		require.Equal(t, record.Refused, answer.Outcomes[0].Result)
		require.Equal(t, "rewritten", refusalCode(answer.Outcomes[0]))
	}
	require.Equal(t, "先", lin.text(shop, "short_name"))
}

// Nobody writes under a name that is not his: not another person, not another
// phone of the same person, and not under the server's or under none.
func TestPush_anothersReplica(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, tablet, zhou := w.phone("lin"), w.phone("lin"), w.phone("zhou")
	elsewhere := w.phoneIn(w.newOrg("elsewhere"), "lin")
	for name, replica := range map[string]version.Replica{
		"another person's": zhou.replica, "another phone's": tablet.replica, "of another org": elsewhere.replica,
		"of nobody": "000000v", "no name": "k7f2", "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := w.engine.Push(t.Context(), lin.who, &wire.Push{Replica: replica, Mutations: []record.Mutation{{N: 1, ID: w.id()}}})

			require.Equal(t, errs.Denied, errs.KindOf(err))
			require.Equal(t, "replica", errs.CodeOf(err))
		})
	}
}

// 500 mutations go in one push, in transactions of 256; 501 do not.
func TestPush_size(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	for i := range wire.MaxPush {
		lin.create("account", values("name", fmt.Sprint(i)))
	}
	frame := lin.frame()
	out := lin.push()
	frame.Mutations = append(frame.Mutations, record.Mutation{N: wire.MaxPush + 1, ID: w.id()})

	_, err := w.engine.Push(t.Context(), lin.who, frame)

	require.Len(t, out, wire.MaxPush)
	for i, o := range out {
		require.Equal(t, record.Applied, o.Result)
		require.Equal(t, uint64(i+1), o.N)
	}
	require.Equal(t, errs.Invalid, errs.KindOf(err))
	require.Equal(t, "many", errs.CodeOf(err))
}

// A fork in the second transaction of a long push tells the verdicts of the
// first as well.
func TestPush_forkInALongPush(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	for i := range 299 {
		lin.create("account", values("name", fmt.Sprint(i)))
	}
	other := lin.twin()
	lin.create("account", values("name", "这"))
	lin.push()
	other.create("account", values("name", "那"))

	_, err := other.send(other.bytes(300))

	more := problemOf(t, err)
	require.Equal(t, uint64(300), more.FromN)
	require.Len(t, more.Outcomes, 299)
}

// A gather is one transaction, and each of its pushes is judged as if it were
// alone: a repeat beside the original, a hole, a fork, a stranger.
func TestPush_together(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.edit(shop, values("short_name", "一"))
	lin.edit(shop, values("short_name", "二"))
	twin := lin.twin()
	twin.outbox = twin.outbox[:1]
	twin.n = 2
	twin.edit(shop, values("tax_no", "三"))
	chen.n = 7
	chen.edit(shop, values("short_name", "洞"))
	lin.edit(shop, values("short_name", "三"))
	long, short, fork, hole := lin.bytes(3), lin.bytes(1), twin.bytes(2), chen.bytes(1)

	all := []sync.Together{
		{Who: lin.who, Frame: w.read(long)},
		{Who: lin.who, Frame: w.read(short)},
		{Who: lin.who, Frame: w.read(fork)},
		{Who: chen.who, Frame: w.read(hole)},
		{Who: chen.who, Frame: w.read(long)},
	}
	w.engine.PushTogether(t.Context(), w.org, all)

	require.NoError(t, all[0].Err)
	require.Len(t, all[0].Answer.Outcomes, 3)
	require.NoError(t, all[1].Err)
	require.Len(t, all[1].Answer.Outcomes, 1)
	require.True(t, all[1].Answer.Outcomes[0].Repeated)
	require.Equal(t, "fork", errs.CodeOf(all[2].Err))
	require.Equal(t, uint64(3), problemOf(t, all[2].Err).FromN)
	require.Equal(t, "hole", errs.CodeOf(all[3].Err))
	require.Equal(t, "replica", errs.CodeOf(all[4].Err))
	w.entries() // the log is whole
}

// A receipt is the same whenever one asks, and names org and mutation.
func TestPush_receipt(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	receipts := map[string]bool{}
	for _, name := range []string{"one", "two"} {
		lin := w.phoneIn(w.newOrg(name), "lin")
		lin.create("account", values("name", "店"))
		lin.create("account", values("name", "店"))
		body := lin.bytes(2)
		first := lin.push()
		again, err := lin.send(body)
		require.NoError(t, err)
		lin.pull()
		for i, o := range first {
			require.NotEmpty(t, o.Receipt)
			require.Equal(t, o.Receipt, again[i].Receipt)
			require.Equal(t, o.Stamp, again[i].Stamp)
			receipts[o.Receipt] = true
		}
	}

	require.Len(t, receipts, 4)
}

// `after` names a number of this replica or the id of any mutation; what it
// names must have arrived.
func TestPush_after(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	bad := lin.edit(shop, values("grade", "Z"))
	good := lin.edit(shop, values("grade", "A"))
	lin.push()
	tie := func(p *phone, after any) string {
		p.edit(shop, values("visit_cycle_days", 7))
		p.outbox[0].After = []json.RawMessage{js(after)}
		return refusalCode(p.push()[0])
	}

	require.Equal(t, "depends_on", tie(lin, 2))
	require.Equal(t, "depends_on", tie(chen, bad))
	require.Empty(t, tie(lin, 3))
	require.Empty(t, tie(chen, good))
	require.Equal(t, "after", tie(lin, 99))
	require.Equal(t, "after", tie(lin, w.id()))
}
