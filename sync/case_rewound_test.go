package sync_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/wire"
	"roadbook/version"
)

// backup keeps the database as it is now.
func (w *world) backup() *pgtest.Backup {
	w.t.Helper()
	b, err := pgtest.Take(w.t.Context(), w.pool)
	require.NoError(w.t, err)
	return b
}

// rewind puts an earlier database in place, and a server that knows nothing.
func (w *world) rewind(b *pgtest.Backup) {
	w.t.Helper()
	w.engine.Close()
	require.NoError(w.t, b.Restore(w.t.Context(), w.pool))
	w.engine = w.server(w.pool)
}

// restored is rewind as the command does it: with a new epoch.
func (w *world) restored(b *pgtest.Backup) {
	w.t.Helper()
	w.rewind(b)
	_, err := w.engine.NewEpoch(w.t.Context(), w.org, "a test restored it")
	require.NoError(w.t, err)
}

// journal is what a phone has had judged from n on, as it gives it back.
func (p *phone) journal(all []record.Mutation, epoch string, from uint64) *wire.Push {
	push := wire.Push{Replica: p.replica, Prev: p.names[from-1].String()}
	for _, m := range all {
		if m.N < from {
			continue
		}
		o := p.outs[m.ID]
		m.Again = &record.Again{Over: o.Over, Seq: o.Seq, Epoch: epoch, Receipt: o.Receipt}
		if o.Stamp != nil {
			m.Again.Stamp = *o.Stamp
		}
		if o.Result == record.Refused {
			m.Again.Result = o.Result
		}
		push.Mutations = append(push.Mutations, m)
	}
	body, err := json.Marshal(push)
	require.NoError(p.w.t, err)
	return p.w.read(body)
}

// give pushes a journal.
func (p *phone) give(push *wire.Push) []record.Outcome {
	p.w.t.Helper()
	answer, err := p.w.engine.Push(p.w.t.Context(), p.who, push)
	require.NoError(p.w.t, err)
	return answer.Outcomes
}

func results(outcomes []record.Outcome) (out []record.Result) {
	for _, o := range outcomes {
		out = append(out, o.Result)
	}
	return out
}

// Case 12: the server acknowledges 1 to 50, is restored to 30, and gets 31 to 50
// back, once, though they are sent twice.
func TestCase12_restored(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop := lin.create("account", values("name", "兴旺", "points", 0))
	lin.sync()
	var all []record.Mutation
	var backup *pgtest.Backup
	for i := range 49 {
		e := lin.change(shop)
		e.Inc = values("points", 1)
		if i%7 == 0 {
			e.Set = values("short_name", "第"+strconv.Itoa(i))
		}
		lin.typed(e)
		all = append(all, lin.outbox...)
		lin.push()
		if lin.n == 30 {
			backup = w.backup()
		}
		w.pass(time.Second)
	}
	lin.pull()
	require.Equal(t, "49", lin.raw(shop, "points"))
	epoch, stamp := lin.epoch, lin.outs[lin.names[50]].Stamp

	w.restored(backup)

	_, err := w.engine.Push(t.Context(), lin.who, &wire.Push{Replica: lin.replica, Epoch: epoch, Mutations: w.read(mustPush(lin)).Mutations, Prev: lin.names[50].String()})
	problem := &sync.Problem{}
	require.ErrorAs(t, err, &problem)
	require.Equal(t, "epoch", problem.Err.Code)
	require.EqualValues(t, 30, problem.More.Judged[string(lin.replica)])
	for range 2 {
		out := lin.give(lin.journal(all, epoch, 31))
		require.Len(t, out, 20)
		for _, o := range out {
			require.NotEqual(t, record.Refused, o.Result)
		}
		require.Equal(t, *stamp, *out[19].Stamp, "its effective stamp is that of the first time")
	}
	lin.restart()
	lin.pull()
	require.Equal(t, "49", lin.raw(shop, "points"), "no amount counts twice, none is lost")
	require.Equal(t, "第42", lin.text(shop, "short_name"))
}

func mustPush(p *phone) []byte {
	p.create("account", values("name", "typed since"))
	return p.bytes(1)
}

// restart forgets what was pulled.
func (p *phone) restart() { p.cursor, p.ahead, p.staged, p.base = "", "", nil, map[record.ID]*held{} }

// Nobody has said that the server was restored. It finds out by what it signed
// itself: a receipt, or a cursor, from beyond its log.
func TestCase12_rolledBack(t *testing.T) {
	t.Parallel()

	for _, by := range []string{"a receipt", "a cursor"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			lin := w.phone("lin")
			lin.create("account", values("name", "one"))
			lin.sync()
			backup := w.backup()
			shop := lin.create("account", values("name", "two", "points", 5))
			all := slices.Clone(lin.outbox)
			lin.sync()
			epoch := lin.epoch

			w.rewind(backup)
			zhou := w.phone("zhou") // somebody else is served meanwhile, and gets the same seq
			zhou.create("account", values("name", "three"))
			zhou.sync()
			require.Equal(t, epoch, zhou.epoch, "nobody knows")

			if by == "a receipt" {
				require.Equal(t, []record.Result{record.Applied}, results(lin.give(lin.journal(all, epoch, 2))))
			} else {
				request := lin.request()
				_, err := w.engine.Pull(t.Context(), lin.who, &request)
				problem := &sync.Problem{}
				require.ErrorAs(t, err, &problem)
				require.Equal(t, "rewound", problem.Err.Code)
				require.NotEqual(t, epoch, problem.More.Epoch)
				require.Equal(t, []record.Result{record.Applied}, results(lin.give(lin.journal(all, epoch, 2))))
			}
			lin.restart()
			lin.pull()
			require.Equal(t, "5", lin.raw(shop, "points"))
			require.NotEqual(t, epoch, lin.pages[0].Epoch)
		})
	}
}

// A number alone proves nothing, nor does a receipt that was not given.
func TestCase12_noProof(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.create("account", values("name", "one"))
	lin.sync()
	lin.n = 7
	lin.create("account", values("name", "eight"))
	frame := lin.frame()
	frame.Mutations[0].Again = &record.Again{Epoch: lin.epoch, Seq: 99, Receipt: "AAAAAAAAAAAAAAAAAAAAAA"}

	_, err := w.engine.Push(t.Context(), lin.who, frame)

	problem := &sync.Problem{}
	require.ErrorAs(t, err, &problem)
	require.Equal(t, "hole", problem.Err.Code)
	require.Equal(t, lin.epoch, w.end().Epoch)
}

// What two phones did one after the other comes back in the other order: what
// cannot stand yet is parked, and settled once the other is back.
func TestParked(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	chen.who.Roles = []string{"manager"}
	lin.sync()
	chen.sync()
	backup := w.backup()
	shop := lin.create("account", values("name", "兴旺", "tags", []string{"冷链", "重点"}))
	linAll := slices.Clone(lin.outbox)
	lin.sync()
	chen.sync()
	require.True(t, chen.has(shop))
	edit := chen.change(shop)
	edit.Set, edit.Remove = values("short_name", "旺"), values("tags", []string{"冷链"})
	chen.typed(edit)
	chenAll := slices.Clone(chen.outbox)
	visit := chen.create("visit", values("account", shop, "summary", "good"))
	chenAll = append(chenAll, chen.outbox[1])
	chen.sync()
	epoch := chen.epoch

	w.restored(backup)

	parked := chen.give(chen.journal(chenAll, epoch, 1))
	require.Equal(t, []record.Result{record.Parked, record.Parked}, results(parked))
	chen.restart()
	chen.pull()
	require.False(t, chen.has(shop))
	again := chen.give(chen.journal(chenAll, epoch, 1))
	require.Equal(t, []record.Result{record.Parked, record.Parked}, results(again))

	require.Equal(t, []record.Result{record.Applied}, results(lin.give(lin.journal(linAll, epoch, 1))))
	chen.pull()
	require.Equal(t, "旺", chen.text(shop, "short_name"))
	require.Equal(t, `["重点"]`, chen.raw(shop, "tags"))
	require.Equal(t, "good", chen.text(visit, "summary"))
	last := chen.pages[len(chen.pages)-1]
	require.Equal(t, []record.Result{record.Applied, record.Applied}, results(last.Outcomes), "its device is told")
	require.Equal(t, []uint64{1, 2}, []uint64{last.Outcomes[0].N, last.Outcomes[1].N})
	require.Equal(t, chenAll[0].ID, last.Outcomes[0].ID)
	require.Equal(t, []record.Result{record.Applied, record.Applied}, results(chen.give(chen.journal(chenAll, epoch, 1))))
}

// A remove comes back before the add that it took away, which must not bring
// the tag back; one that nobody has seen stays.
func TestReturning_removedTag(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	chen.sync()
	backup := w.backup()
	add := lin.change(shop)
	add.Add = values("tags", []string{"冷链"})
	lin.typed(add)
	linAll := slices.Clone(lin.outbox)
	lin.sync()
	chen.sync()
	remove := chen.change(shop)
	remove.Remove = values("tags", []string{"冷链"})
	chen.typed(remove)
	chenAll := slices.Clone(chen.outbox)
	chen.sync()
	lin.pull()
	other := lin.change(shop)
	other.Add = values("tags", []string{"重点"})
	lin.typed(other)
	linAll = append(linAll, lin.outbox...)
	lin.sync()
	epoch := lin.epoch

	w.restored(backup)
	require.Equal(t, []record.Result{record.Applied}, results(chen.give(chen.journal(chenAll, epoch, 1))))
	lin.give(lin.journal(linAll, epoch, 2))

	chen.restart()
	chen.pull()
	require.Equal(t, `["重点"]`, chen.raw(shop, "tags"))
}

// A delete comes back before an edit that it had seen: the record stays deleted.
func TestReturning_deleted(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, zhou := w.phone("lin"), w.phone("chen")
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	zhou.sync()
	backup := w.backup()
	zhou.edit(shop, values("short_name", "旺"))
	zhouAll := slices.Clone(zhou.outbox)
	zhou.sync()
	lin.pull()
	lin.remove(shop)
	linAll := slices.Clone(lin.outbox)
	lin.sync()
	epoch := lin.epoch

	w.restored(backup)
	require.Equal(t, []record.Result{record.Applied}, results(lin.give(lin.journal(linAll, epoch, 2))))
	require.NotContains(t, results(zhou.give(zhou.journal(zhouAll, epoch, 1))), record.Refused)

	zhou.restart()
	zhou.pull()
	require.False(t, zhou.has(shop), "it is not raised from the dead")
}

// A refused mutation that comes back is only burnt, whatever would become of it
// now.
func TestReturning_refused(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop := lin.create("account", values("name", "兴旺", "points", 0))
	lin.sync()
	backup := w.backup()
	e := lin.change(shop)
	e.Inc = values("points", -1)
	lin.typed(e)
	all := slices.Clone(lin.outbox)
	lin.sync()
	require.Equal(t, "floor", refusalCode(lin.outs[all[0].ID]))
	epoch := lin.epoch

	w.restored(backup)
	w.propose(w.org, record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Seen: version.Vector{version.Log: uint64(w.end().Seq)}, Inc: values("points", 10)})
	out := lin.give(lin.journal(all, epoch, 2))

	require.Equal(t, []record.Result{record.Refused}, results(out))
	lin.restart()
	lin.pull()
	require.Equal(t, "10", lin.raw(shop, "points"))
}

// A replica that was made after the backup is made again, under its own name,
// for the device that proves that it was one.
func TestReturning_lostReplica(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	backup := w.backup()
	young := w.phone("lin")
	shop := young.create("account", values("name", "兴旺"))
	all := slices.Clone(young.outbox)
	young.sync()
	epoch := young.epoch
	w.restored(backup)
	if _, err := w.pool.Exec(t.Context(), `DELETE FROM replicas WHERE org = $1 AND device = $2`, w.org, [16]byte(young.who.Device)); err != nil {
		require.NoError(t, err)
	}

	_, err := w.engine.Push(t.Context(), young.who, &wire.Push{Replica: young.replica})
	problem := &sync.Problem{}
	require.True(t, errors.As(err, &problem))
	require.Equal(t, "replica", problem.Err.Code)
	require.Equal(t, []record.Result{record.Applied}, results(young.give(young.journal(all, epoch, 1))))

	lin.sync()
	require.Equal(t, "兴旺", lin.text(shop, "name"))
	young.restart()
	young.pull()
	require.True(t, young.has(shop))
}

// What has waited for thirty days is refused, and its device is told.
func TestParked_expires(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	lin.sync()
	chen.sync()
	backup := w.backup()
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	chen.sync()
	chen.edit(shop, values("short_name", "旺"))
	all := slices.Clone(chen.outbox)
	chen.sync()
	epoch := chen.epoch
	w.restored(backup)
	require.Equal(t, []record.Result{record.Parked}, results(chen.give(chen.journal(all, epoch, 1))))
	chen.restart()
	chen.pull()

	w.pass(30*24*time.Hour - time.Second)
	more, err := w.engine.Expire(t.Context(), w.org)
	require.NoError(t, err)
	require.False(t, more)
	chen.pull()
	require.Empty(t, chen.pages[0].Outcomes)

	w.pass(time.Second)
	_, err = w.engine.Expire(t.Context(), w.org)
	require.NoError(t, err)
	chen.pull()
	require.Equal(t, []record.Result{record.Refused}, results(chen.pages[0].Outcomes))
	require.Equal(t, "parked", refusalCode(chen.pages[0].Outcomes[0]))
}
