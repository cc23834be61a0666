package migrations_test

import (
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/migrations"
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
)

// empty is a database without a step.
func empty(t *testing.T) *pgxpool.Pool {
	t.Helper()

	whole := pgtest.DB(t)
	_, err := whole.Exec(t.Context(), "CREATE SCHEMA nothing")
	require.NoError(t, err)
	pool, err := pg.Open(t.Context(), whole.Config().ConnString(), pg.MaxConns(4), pg.Setting("search_path", "nothing"))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func steps(texts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, text := range texts {
		name := "0000" + string(rune('1'+i)) + "_step.sql"
		files[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + text)}
	}
	return files
}

func at(t *testing.T, pool *pgxpool.Pool) (version int64) {
	t.Helper()

	require.NoError(t, pool.QueryRow(t.Context(), "SELECT max(version_id) FROM goose_db_version").Scan(&version))
	return version
}

func TestUp_from_nothing_and_again(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t) // began with nothing
	require.Equal(t, migrations.Version(), at(t, pool))

	require.NoError(t, migrations.Up(t.Context(), pool))

	require.Equal(t, migrations.Version(), at(t, pool))
	require.NoError(t, pool.Ping(t.Context()), "the pool is still open")
}

func TestUp_goes_on_where_it_stopped(t *testing.T) {
	t.Parallel()

	pool := empty(t)
	require.NoError(t, migrations.UpSteps(t.Context(), pool, steps("CREATE TABLE a (n int);")))

	require.NoError(t, migrations.UpSteps(t.Context(), pool, steps("CREATE TABLE a (n int);", "CREATE TABLE b (n int);")))

	require.EqualValues(t, 2, at(t, pool))
}

// The one that waits asks again after a second, so this test takes that long.
func TestUp_by_two_at_once(t *testing.T) {
	t.Parallel()

	pool := empty(t)
	all := steps("CREATE TABLE once (n int); SELECT pg_sleep(0.05);")
	var replicas sync.WaitGroup
	for range 2 {
		replicas.Go(func() {
			if err := migrations.UpSteps(t.Context(), pool, all); err != nil {
				t.Error(err)
			}
		})
	}
	replicas.Wait()

	require.EqualValues(t, 1, at(t, pool))
}

func TestUp_newer_database(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	_, err := pool.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
	require.NoError(t, err)

	err = migrations.Up(t.Context(), pool)

	require.Equal(t, errs.Invalid, errs.KindOf(err))
	require.ErrorContains(t, err, "the database is at step 99999")
	require.ErrorContains(t, err, "run the program that brought it there or a later one")
}

func TestUp_a_step_that_fails(t *testing.T) {
	t.Parallel()

	pool := empty(t)

	err := migrations.UpSteps(t.Context(), pool, steps("CREATE TABLE a (n int);", "CREATE TABLE b (n int); SELECT 1/0;"))

	require.Equal(t, errs.Internal, errs.KindOf(err))
	require.ErrorContains(t, err, "step 00002_step.sql failed")
	require.ErrorContains(t, err, "division by zero")
	require.EqualValues(t, 1, at(t, pool), "the steps before it stand")
	var there bool
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT to_regclass('b') IS NOT NULL").Scan(&there))
	require.False(t, there, "of itself nothing does")
}
