package pg_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
)

// counters is a table with two numbers to fight over.
func counters(t *testing.T) *pgxpool.Pool {
	t.Helper()

	pool := pgtest.DB(t)
	_, err := pool.Exec(t.Context(), `CREATE TABLE counters (id int PRIMARY KEY, n int NOT NULL);
		INSERT INTO counters VALUES (1, 0), (2, 0)`)
	require.NoError(t, err)
	return pool
}

func count(t *testing.T, pool *pgxpool.Pool, id int) (n int) {
	t.Helper()

	require.NoError(t, pool.QueryRow(t.Context(), "SELECT n FROM counters WHERE id = $1", id).Scan(&n))
	return n
}

func add(ctx context.Context, tx pgx.Tx, id int) error {
	_, err := tx.Exec(ctx, "UPDATE counters SET n = n + 1 WHERE id = $1", id)
	return err
}

func TestInTx_commits_or_leaves_no_trace(t *testing.T) {
	t.Parallel()

	pool := counters(t)
	refused := errors.New("refused")

	require.NoError(t, pg.InTx(t.Context(), pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		return add(t.Context(), tx, 1)
	}))
	err := pg.InTx(t.Context(), pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		require.NoError(t, add(t.Context(), tx, 1))
		return errs.New("test", errs.Clash, "no").Because(refused)
	})

	require.ErrorIs(t, err, refused)
	require.Equal(t, errs.Clash, errs.KindOf(err), "its own error, as it was")
	require.Equal(t, 1, count(t, pool, 1))
}

func TestInTx_runs_again_after_a_serialization_failure(t *testing.T) {
	t.Parallel()

	pool := counters(t)
	runs := 0

	err := pg.InTx(t.Context(), pool, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
		runs++
		if err := tx.QueryRow(t.Context(), "SELECT n FROM counters WHERE id = 1").Scan(new(int)); err != nil {
			return err
		}
		if runs == 1 { // somebody else is faster
			_, err := pool.Exec(t.Context(), "UPDATE counters SET n = 10 WHERE id = 1")
			require.NoError(t, err)
		}
		return add(t.Context(), tx, 1)
	})

	require.NoError(t, err)
	require.Equal(t, 2, runs)
	require.Equal(t, 11, count(t, pool, 1), "the second run saw the other's change")
}

func TestInTx_gives_up(t *testing.T) {
	t.Parallel()

	pool := counters(t)
	runs := 0

	err := pg.InTx(t.Context(), pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		runs++
		_, err := tx.Exec(t.Context(), "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
		return err
	})

	require.Equal(t, 5, runs)
	require.Equal(t, errs.Busy, errs.KindOf(err), "the same bytes may succeed later")
}

func TestInTx_deadlock(t *testing.T) {
	t.Parallel()

	pool := counters(t)
	met := make(chan struct{}, 2)
	both := func(first, second int) error {
		runs := 0
		return pg.InTx(t.Context(), pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
			if runs++; runs > 1 {
				return errors.Join(add(t.Context(), tx, first), add(t.Context(), tx, second))
			}
			if _, err := tx.Exec(t.Context(), "SET LOCAL deadlock_timeout = '10ms'"); err != nil {
				return err
			}
			if err := add(t.Context(), tx, first); err != nil {
				return err
			}
			met <- struct{}{}
			require.Eventually(t, func() bool { return len(met) == 2 }, soon, pollEvery)
			return add(t.Context(), tx, second)
		})
	}

	other := make(chan error, 1)
	go func() { other <- both(2, 1) }()
	require.NoError(t, both(1, 2))
	require.NoError(t, <-other)

	require.Equal(t, 2, count(t, pool, 1))
	require.Equal(t, 2, count(t, pool, 2))
}

func TestInTx_ends_with_its_context(t *testing.T) {
	t.Parallel()

	pool := counters(t)
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0

	err := pg.InTx(ctx, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		runs++
		cancel()
		return add(ctx, tx, 1)
	})

	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, runs)
	require.Zero(t, count(t, pool, 1))
}
