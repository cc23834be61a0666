package query_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/query"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
)

// many is how many accounts there are: far more than a page may look at.
const many = 100_000

// crowd fills an org with accounts: all of them in scope 1, every 500th in
// scope 2 as well. Names are all different, grades are three, and half of them
// have been contacted.
func crowd(t *testing.T, db *pgxpool.Pool, account *record.Kind) {
	t.Helper()
	lookup := func(name string) int16 { return account.LookupNo(account.Field(name)) }
	for _, sql := range []string{
		fmt.Sprintf(`INSERT INTO records (org, kind, id, owner, root, scopes, entered, fields, meta, seq)
			SELECT 1, %d, u.id, u.id, u.id, CASE WHEN n %% 500 = 0 THEN '{1,2}'::int[] ELSE '{1}'::int[] END,
			       CASE WHEN n %% 500 = 0 THEN ARRAY[n, n] ELSE ARRAY[n] END, '{"name":"x"}', '\x', n
			  FROM generate_series(1, %d) n, LATERAL (SELECT lpad(to_hex(n), 32, '0')::uuid AS id) u`, account.No, many),
		fmt.Sprintf(`INSERT INTO members SELECT 1, s, %d, r.id FROM records r, unnest(r.scopes) s`, account.Rank),
		fmt.Sprintf(`INSERT INTO scope_index SELECT 1, s, r.seq, r.seq, r.id, 0, %d, 0 FROM records r, unnest(r.scopes) s`, account.No),
		fmt.Sprintf(`INSERT INTO lookups SELECT 1, %d, md5(r.seq::text), r.id FROM records r`, lookup("name")),
		fmt.Sprintf(`INSERT INTO lookups SELECT 1, %d, chr(65 + (r.seq %% 3)::int), r.id FROM records r`, lookup("grade")),
		fmt.Sprintf(`INSERT INTO lookups SELECT 1, %d, to_char('2026-01-01'::date + (r.seq || ' s')::interval, 'YYYY-MM-DD"T"HH24:MI:SS.000Z'), r.id
			FROM records r WHERE seq %% 2 = 0`, lookup("last_contact_at")),
	} {
		_, err := db.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
}

// explaining runs every question twice: once to be told how it was answered.
type explaining struct {
	store.Reader

	t       *testing.T
	records float64 // rows of the table records that were touched
	scans   []string
}

func (e *explaining) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	var answer []byte
	require.NoError(e.t, e.Reader.QueryRow(ctx, "EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) "+sql, args...).Scan(&answer))
	var read []struct{ Plan node }
	require.NoError(e.t, json.Unmarshal(answer, &read))
	e.look(read[0].Plan)
	return e.Reader.Query(ctx, sql, args...)
}

type node struct {
	Node    string  `json:"Node Type"`
	Table   string  `json:"Relation Name"`
	Index   string  `json:"Index Name"`
	Rows    float64 `json:"Actual Rows"`
	Removed float64 `json:"Rows Removed by Filter"`
	Loops   float64 `json:"Actual Loops"`
	Plans   []node  `json:"Plans"`
}

func (e *explaining) look(n node) {
	touched := (n.Rows + n.Removed) * n.Loops
	if n.Table == "records" {
		e.records += touched
	}
	if n.Node == "Seq Scan" || touched > 10*query.MaxWalk {
		e.scans = append(e.scans, fmt.Sprintf("%s of %s%s, %.0f rows", n.Node, n.Table, n.Index, touched))
	}
	for _, p := range n.Plans {
		e.look(p)
	}
}

// Whatever is asked of a hundred thousand records, a page looks at no more of
// them than it may, and reads no table from end to end.
func TestRun_cost(t *testing.T) {
	t.Parallel()
	db := pgtest.DB(t)
	account := shipped.Schema().Kind("account")
	_, err := store.CreateOrg(t.Context(), db, store.NewOrg{Name: "acme", UID: record.MustID("0190bbbb-0000-7000-8000-000000000001"), Epoch: "e", Draw: func() int32 { return 1 }})
	require.NoError(t, err)
	crowd(t, db, account)
	everything := &access.Actor{Roles: []string{"service"}, Active: true, Scopes: map[record.ScopeID]bool{1: true}}
	little := &access.Actor{Roles: []string{"rep"}, Active: true, Scopes: map[record.ScopeID]bool{2: true}}

	tests := []struct {
		filter, sort string
		short        bool // the page ends before it is full
	}{
		{"", "", false},
		{"", "id", false},
		{"", "seq", false},
		{"", "-seq", false},
		{"", "name", false},
		{"", "-last_contact_at", false},
		{`grade == "A"`, "", false},
		{`grade == "A"`, "-name", false},
		{`grade != "A"`, "name", false},
		{`name.startsWith("abc")`, "", false},
		{`name.startsWith("abc")`, "-last_contact_at", false},
		{`name == "c4ca4238a0b923820dcc509a6f75849b"`, "seq", false},
		{`last_contact_at > timestamp("2026-01-01T00:00:00Z") && last_contact_at < timestamp("2026-01-01T01:00:00Z")`, "grade", false},
		{`last_contact_at > timestamp("2026-01-01T00:00:00Z") && grade in ["A", "B"]`, "last_contact_at", false},
		{`last_contact_at == null || grade == "B"`, "-grade", false},
		{`!(grade in ["A", "B", "C"])`, "name", true}, // nothing at all, and it takes looking at all to know
	}
	for _, tt := range tests {
		for name, actor := range map[string]*access.Actor{"everything": everything, "little": little} {
			about := fmt.Sprintf("%q by %q, %s", tt.filter, tt.sort, name)
			err := store.New(db).Snapshot(t.Context(), 1, func(tx store.Tx, _ store.Head) error {
				e := &explaining{Reader: tx.Reader, t: t}
				tx.Reader = e
				page, err := query.Run(t.Context(), tx, actor, query.Request{Kind: account, Filter: tt.filter, Sort: tt.sort, Key: []byte("key")})
				require.NoError(t, err, about)
				require.Empty(t, strings.Join(e.scans, "\n"), about)
				require.LessOrEqual(t, e.records, float64(max(query.MaxGather, query.MaxWalk)), about)
				if name == "everything" {
					require.Equal(t, tt.short, len(page.Rows) == 0, about)
					require.True(t, !tt.short || page.After != "", "it goes on: %s", about)
				}
				return nil
			})
			require.NoError(t, err)
		}
	}
}
