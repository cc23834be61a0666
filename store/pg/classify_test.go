package pg_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
)

const (
	soon      = 10 * time.Second
	pollEvery = 2 * time.Millisecond
)

var thingsName = pg.Constraint("things_name",
	errs.New("things.Add", errs.Clash, "this name is taken").Coded("taken"))

func TestClassify_constraints(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	require.Contains(t, pg.Constraints(), thingsName)
	require.Panics(t, func() { pg.Constraint(thingsName, errs.New("other", errs.Invalid, "no")) })
	_, err := pool.Exec(t.Context(), `CREATE TABLE things (name text, n int,
		CONSTRAINT things_name UNIQUE (name), CONSTRAINT things_n CHECK (n > 0));
		INSERT INTO things VALUES ('a', 1)`)
	require.NoError(t, err)

	_, taken := pool.Exec(t.Context(), "INSERT INTO things VALUES ('a', 2)")
	_, unknown := pool.Exec(t.Context(), "INSERT INTO things VALUES ('b', -1)")

	err = pg.Classify(fmt.Errorf("adding: %w", taken))
	require.Equal(t, errs.Clash, errs.KindOf(err))
	require.Equal(t, "taken", errs.CodeOf(err))
	require.ErrorIs(t, err, taken, "the operator sees what happened")
	require.Equal(t, err, pg.Classify(err), "once")
	err = pg.Classify(unknown)
	require.Equal(t, errs.Internal, errs.KindOf(err), "nobody has vouched for it")
	require.ErrorContains(t, err, "register the constraint things_n")
}

func TestClassify_what_postgres_says(t *testing.T) {
	t.Parallel()

	tests := []struct {
		state string
		want  errs.Kind
	}{
		{"08006", errs.Busy}, // connection_failure
		{"25006", errs.Busy}, // read_only_sql_transaction, on a standby
		{"25P03", errs.Busy}, // idle_in_transaction_session_timeout
		{"40001", errs.Busy}, // serialization_failure
		{"40P01", errs.Busy}, // deadlock_detected
		{"53100", errs.Busy}, // disk_full
		{"53300", errs.Busy}, // too_many_connections
		{"55P03", errs.Busy}, // lock_not_available
		{"57014", errs.Busy}, // query_canceled
		{"57P01", errs.Busy}, // admin_shutdown
		{"57P03", errs.Busy}, // cannot_connect_now
		{"22P02", errs.Internal},
		{"23502", errs.Internal},
		{"28P01", errs.Internal},
		{"3D000", errs.Internal},
		{"42P01", errs.Internal},
		{"XX000", errs.Internal},
		{"", errs.Internal},
	}
	for _, tt := range tests {
		t.Run(tt.state, func(t *testing.T) {
			t.Parallel()

			got := pg.Classify(fmt.Errorf("reading: %w", &pgconn.PgError{Code: tt.state}))

			require.Equal(t, tt.want, errs.KindOf(got), got)
		})
	}
}

func TestClassify_passes(t *testing.T) {
	t.Parallel()

	for _, err := range []error{
		nil, pgx.ErrNoRows, context.Canceled, fmt.Errorf("reading: %w", context.DeadlineExceeded),
	} {
		require.Equal(t, err, pg.Classify(err))
	}
	require.Equal(t, errs.Internal, errs.KindOf(pg.Classify(errors.New("anything else"))))
}

func TestClassify_lost_connections(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = pool.Exec(t.Context(), "SELECT pg_terminate_backend($1)", conn.Conn().PgConn().PID())
	require.NoError(t, err)

	_, first := conn.Exec(t.Context(), "SELECT 1")
	_, second := conn.Exec(t.Context(), "SELECT 1")

	require.Equal(t, errs.Busy, errs.KindOf(pg.Classify(first)), first)
	require.Equal(t, errs.Busy, errs.KindOf(pg.Classify(second)), second)
}

func TestClassify_closed_pool(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	pool.Close()

	_, err := pool.Exec(t.Context(), "SELECT 1")

	require.Equal(t, errs.Busy, errs.KindOf(pg.Classify(err)), "the server is shutting down: %v", err)
}

func TestClassify_time_is_up(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	ctx, cancel := context.WithTimeout(t.Context(), pollEvery)
	defer cancel()

	_, ours := pool.Exec(ctx, "SELECT pg_sleep(10)")
	_, theirs := pool.Exec(t.Context(), "SET statement_timeout = 1; SELECT pg_sleep(10)")

	require.ErrorIs(t, pg.Classify(ours), context.DeadlineExceeded)
	_, classified := errors.AsType[*errs.Error](pg.Classify(ours))
	require.False(t, classified, "that is the caller's business")
	require.Equal(t, errs.Busy, errs.KindOf(pg.Classify(theirs)), theirs)
}
