package sync_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/store/pg/pgtest"
	"roadbook/sync/wire"
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
	problem := &wire.Failure{}
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
				problem := &wire.Failure{}
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

	problem := &wire.Failure{}
	require.ErrorAs(t, err, &problem)
	require.Equal(t, "hole", problem.Err.Code)
	require.Equal(t, lin.epoch, w.end().Epoch)
}

// The second restore goes back to a point before the first. No seq of the life
// in between is given out again: what was typed there says by such numbers what
// it had seen.
func TestCase12_restoredTwice(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, zhou := w.phone("lin"), w.phone("lin")
	shop := lin.create("account", values("name", "兴旺"))
	lin.sync()
	backup := w.backup()
	w.restored(backup)
	for range 5 {
		w.propose(w.org, w.account("in between"))
	}
	zhou.restart()
	zhou.sync()
	lost := w.end()
	zhou.edit(shop, values("short_name", "旺"))

	w.pass(time.Second)
	w.restored(backup)

	require.Greater(t, w.end().Seq, lost.Seq)
	lin.restart()
	lin.sync()
	lin.edit(shop, values("short_name", "兴"))
	lin.sync()
	zhou.restart()
	zhou.push()
	require.Equal(t, record.Merged, zhou.outs[zhou.names[1]].Result, "he had not seen it, whatever its number")
}

// The server is rolled back to before the present epoch began. What it gave out
// in that one is beyond its log, and proves it.
func TestCase12_rolledBackOverAnEpoch(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.sync()
	backup := w.backup()
	_, err := w.engine.NewEpoch(t.Context(), w.org, "a test")
	require.NoError(t, err)
	lin.restart()
	lin.create("account", values("name", "兴旺"))
	all := slices.Clone(lin.outbox)
	lin.sync()
	epoch, lost := lin.epoch, w.end()

	w.pass(time.Second)
	w.rewind(backup)
	require.Equal(t, []record.Result{record.Applied}, results(lin.give(lin.journal(all, epoch, 1))))

	require.Greater(t, w.end().Seq, lost.Seq)
	require.NotEqual(t, epoch, w.end().Epoch)
}
