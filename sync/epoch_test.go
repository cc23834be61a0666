package sync_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync"
	"roadbook/sync/wire"
)

// log reads some columns of the org's whole log.
func (w *world) logRows() (rows []storedRow) {
	w.t.Helper()
	got, err := w.pool.Query(w.t.Context(), `SELECT seq, replica, n, body FROM mutations WHERE org = $1 ORDER BY seq`, w.org)
	require.NoError(w.t, err)
	for got.Next() {
		var r storedRow
		require.NoError(w.t, got.Scan(&r.seq, &r.replica, &r.n, &r.body))
		rows = append(rows, r)
	}
	require.NoError(w.t, got.Err())
	return rows
}

type storedRow struct {
	seq     record.Seq
	replica record.ReplicaID
	n       uint64
	body    string
}

func (w *world) account(name string) record.Edit {
	return record.Edit{Op: record.OpCreate, Kind: "account", ID: w.id(), Set: values("name", name, "owner", w.person(w.org, "lin"))}
}

func (w *world) end() store.LogEnd {
	w.t.Helper()
	ends, err := w.engine.Store.LogEnds(w.t.Context())
	require.NoError(w.t, err)
	for _, p := range ends {
		if p.Org == w.org {
			return p
		}
	}
	w.t.Fatal("no such org")
	return store.LogEnd{}
}

func TestNewEpoch(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.propose(w.org, w.account("before"))
	before, rows := w.end(), w.logRows()

	begun, err := w.engine.NewEpoch(t.Context(), w.org, "a test")

	require.NoError(t, err)
	require.Equal(t, store.LogEnd{Org: w.org, Epoch: begun.Epoch, Seq: store.EpochAt(w.now(), before.Seq)}, w.end())
	require.Equal(t, [3]any{"e1", before.Seq, store.EpochAt(w.now(), before.Seq)}, [3]any{begun.Was, begun.From, begun.Began})
	after := w.logRows()
	require.Len(t, after, len(rows)+1, "one row says so")
	last := after[len(after)-1]
	require.Equal(t, begun.Began, last.seq)
	require.Contains(t, last.body, `"op":"epoch"`)
	require.NotEqual(t, rows[len(rows)-1].replica, last.replica, "the server has a new name")
	require.EqualValues(t, 1, last.n)

	w.propose(w.org, w.account("after"))
	written := w.logRows()[len(after):]
	require.Equal(t, begun.Began+1, written[0].seq, "from here on no seq is left out")
	require.Equal(t, last.replica, written[0].replica)
	require.EqualValues(t, 2, written[0].n)
	var known []store.Epoch
	require.NoError(t, w.engine.Store.Snapshot(t.Context(), w.org, func(tx store.Tx, head store.Head) (err error) {
		require.Equal(t, last.replica, head.Server)
		known, err = tx.Epochs(t.Context())
		return err
	}))
	require.Len(t, known, 1)
	require.Equal(t, begun.Epoch, known[0].Epoch)
}

func TestNewEpoch_cursorsOfBefore(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	p := w.phone("lin")
	p.sync()
	cursor := p.cursor

	_, err := w.engine.NewEpoch(t.Context(), w.org, "a test")
	require.NoError(t, err)
	_, err = w.engine.Pull(t.Context(), p.who, &wire.PullRequest{Cursor: cursor, Replica: p.replica})

	problem := new(wire.Failure)
	require.ErrorAs(t, err, &problem)
	require.Equal(t, errs.Stale, problem.Err.Kind)
	require.Equal(t, "epoch", problem.Err.Code)
	require.Equal(t, w.end().Epoch, problem.More.Epoch)
}

// Pushes go on while an epoch begins, and each server notices that another has
// begun one.
func TestNewEpoch_whileOthersCommit(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	other := w.server(w.pool)
	commit := func(e *sync.Engine, name string) error {
		_, err := e.Commit(t.Context(), w.org, []sync.Proposal{{Mutation: record.Mutation{
			ID: w.id(), Edits: []record.Edit{w.account(name)},
		}}})
		return err
	}
	require.NoError(t, commit(other, "warm"))
	done := make(chan error, 40)
	for i := range 40 {
		e := []*sync.Engine{w.engine, other}[i%2]
		go func() { done <- commit(e, "shop") }()
	}

	first, err := w.engine.NewEpoch(t.Context(), w.org, "one")
	require.NoError(t, err)
	second, err := other.NewEpoch(t.Context(), w.org, "two")
	require.NoError(t, err)
	for range 40 {
		require.NoError(t, <-done)
	}

	require.Equal(t, first.Epoch, second.Was)
	gaps := 0
	rows := w.logRows()
	for i := 1; i < len(rows); i++ {
		switch gap := rows[i].seq - rows[i-1].seq; {
		case gap == 1:
		case gap >= store.SeqsPerSecond:
			gaps++
			require.Contains(t, rows[i].body, `"op":"epoch"`)
		default:
			t.Fatalf("%d follows %d", rows[i].seq, rows[i-1].seq)
		}
	}
	require.Equal(t, 2, gaps)
}

func TestRenew(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	ctx, log := t.Context(), w.engine.Store

	n, err := w.engine.Renew(ctx, "a start")
	require.NoError(t, err)
	require.Zero(t, n, "it was never served before")
	was, is, err := log.LifeOf(ctx)
	require.NoError(t, err)
	require.Equal(t, was, is)
	n, err = w.engine.Renew(ctx, "another start")
	require.NoError(t, err)
	require.Zero(t, n)
	require.Equal(t, "e1", w.end().Epoch)

	require.NoError(t, log.Live(ctx, strings.TrimSuffix(is, "1")+"7"), "as it is in a backup of another timeline")
	n, err = w.engine.Renew(ctx, "a restore")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	epoch := w.end().Epoch
	require.NotEqual(t, "e1", epoch)
	n, err = w.engine.Reborn(ctx, "once more, after it was interrupted")
	require.NoError(t, err)
	require.Zero(t, n, "it has one of this life")
	require.Equal(t, epoch, w.end().Epoch)
}

func TestNewEpoch_reason(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for reason, ok := range map[string]bool{"": false, strings.Repeat("x", 200): true, strings.Repeat("x", 201): false} {
		_, err := w.engine.NewEpoch(t.Context(), w.org, reason)
		require.Equal(t, ok, err == nil, "%v", err)
	}
}
