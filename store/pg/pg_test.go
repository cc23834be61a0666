package pg_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
)

func TestOpen(t *testing.T) {
	t.Parallel()

	dsn := pgtest.DB(t).Config().ConnString()
	pool, err := pg.Open(t.Context(), dsn, pg.MaxConns(3), pg.Setting("work_mem", "9MB"))
	require.NoError(t, err)
	t.Cleanup(pool.Close)

	for name, want := range map[string]string{
		"application_name": "roadbook", "lock_timeout": "15s", "TimeZone": "UTC", "work_mem": "9MB",
		"idle_in_transaction_session_timeout": "10s",
	} {
		var got string
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got))
		require.Equal(t, want, got, name)
	}
	require.EqualValues(t, 3, pool.Config().MaxConns)
}

func TestOpen_size(t *testing.T) {
	t.Parallel()

	dsn := pgtest.DB(t).Config().ConnString()
	usual, err := pg.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(usual.Close)
	asked, err := pg.Open(t.Context(), dsn+"&pool_max_conns=2")
	require.NoError(t, err)
	t.Cleanup(asked.Close)

	require.EqualValues(t, 20, usual.Config().MaxConns)
	require.EqualValues(t, 2, asked.Config().MaxConns, "the address has it")
}

func TestOpen_fails(t *testing.T) {
	t.Parallel()

	there := pgtest.DB(t).Config().ConnConfig.Host
	tests := []struct {
		name, dsn string
		kind      errs.Kind
		text      string
	}{
		{"an address nobody can read", "postgres://host:not-a-port/", errs.Invalid, "write it as postgres://"},
		{"nobody there", "postgres://postgres@/x?host=/nonexistent", errs.Busy, "cannot be reached"},
		{"no such database", "postgres://postgres@/nowhere?host=" + there, errs.Internal, "does not exist"},
		{"no such user", "postgres://stranger@/postgres?host=" + there, errs.Internal, "check user and password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := pg.Open(t.Context(), tt.dsn)

			require.Equal(t, tt.kind, errs.KindOf(err), err)
			require.ErrorContains(t, err, tt.text)
		})
	}
}

var (
	sum = pg.Statement("pg_test.sum", "SELECT @a::int + @b::int + @a::int")
	_   = pg.Statement("pg_test.another", "SELECT 1")
)

func TestStatement(t *testing.T) {
	t.Parallel()

	require.Equal(t, "SELECT @a::int + @b::int + @a::int", sum)
	require.Contains(t, pg.Statements(), pg.Stmt{Name: "pg_test.sum", Text: sum})
	require.IsIncreasing(t, names(pg.Statements()))
	require.PanicsWithValue(t, "pg: there are two statements called pg_test.sum", func() {
		pg.Statement("pg_test.sum", "SELECT 2")
	})
	require.Panics(t, func() { pg.Statement("pg_test.empty", " ") })
}

func names(all []pg.Stmt) (names []string) {
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}

// What a test of all statements needs: numbered, they can be prepared.
func TestStatements_can_be_prepared(t *testing.T) {
	t.Parallel()

	conn, err := pgtest.DB(t).Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	numbered, _, err := pgx.NamedArgs{}.RewriteQuery(t.Context(), conn.Conn(), sum, nil)
	require.NoError(t, err)

	prepared, err := conn.Conn().Prepare(t.Context(), "", numbered)

	require.NoError(t, err)
	require.Len(t, prepared.ParamOIDs, 2)
}
