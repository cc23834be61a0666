package sync_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync"
)

// inspect has another server look, as the doctor does.
func (w *world) inspect(mend bool) (found []sync.Finding) {
	w.t.Helper()
	e := w.server(w.pool)
	_, err := e.Inspect(w.t.Context(), w.org, mend, func(f sync.Finding) { found = append(found, f) })
	require.NoError(w.t, err)
	return found
}

// damages have hands other than ours at work. $1 is the org, $2 a contact below
// a shop of lin's that is pinned, $3 lin, $4 zhou.
var damages = []struct {
	name, sql string
	what      sync.Wrong
	text      string
}{
	{"owner", `UPDATE records SET owner = $4 WHERE org = $1 AND id = $2`, sync.WrongColumn, "is kept as owned by"},
	{"parent", `UPDATE records SET parent = NULL WHERE org = $1 AND id = $2`, sync.WrongColumn, "is kept as belonging to nobody"},
	{"root", `UPDATE records SET root = id WHERE org = $1 AND id = $2`, sync.WrongColumn, "its parents lead to"},
	{"month", `UPDATE records SET month = 7 WHERE org = $1 AND id = $2`, sync.WrongColumn, "is kept in month"},
	{
		"a scope is missing", `UPDATE records SET scopes = scopes[2:], entered = entered[2:] WHERE org = $1 AND id = $2`,
		sync.WrongScopes, "and belongs in",
	},
	{
		"a scope too much", `UPDATE records SET entered = entered || seq,
			scopes = scopes || (SELECT id FROM scopes WHERE org = $1 AND name = 'owner:' || $4::uuid) WHERE org = $1 AND id = $2`,
		sync.WrongScopes, "and belongs in",
	},
	{"entries are missing", `UPDATE records SET entered = '{}' WHERE org = $1 AND id = $2`, sync.WrongScopes, "not in order"},
	{"came in tomorrow", `UPDATE records SET entered[1] = 1000000 WHERE org = $1 AND id = $2`, sync.WrongScopes, "and the log ends at"},
	{"no member", `DELETE FROM members WHERE org = $1 AND rec = $2`, sync.WrongMembers, "is not among the members"},
	{
		"a member too much", `INSERT INTO members (org, scope, rank, rec)
			SELECT $1, id, 50, $2 FROM scopes WHERE org = $1 AND name = 'owner:' || $4::uuid`,
		sync.WrongMembers, "does not belong there",
	},
	{
		"a member of nothing", `INSERT INTO members (org, scope, rank, rec)
			SELECT $1, id, 50, gen_random_uuid() FROM scopes WHERE org = $1 AND name = 'owner:' || $4::uuid`,
		sync.WrongMembers, "does not belong there",
	},
	{"no index", `DELETE FROM scope_index WHERE org = $1 AND rec = $2`, sync.WrongIndex, "pulls do not find contact"},
	{"another mark", `UPDATE scope_index SET mark = mark - 1 WHERE org = $1 AND rec = $2`, sync.WrongIndex, "pulls do not find contact"},
	{"newer than it is", `UPDATE scope_index SET seq = seq + 1 WHERE org = $1 AND rec = $2`, sync.WrongIndex, "it is there as of"},
	{
		"it never left", `INSERT INTO scope_index (org, scope, seq, mark, rec, op, kind, month)
			SELECT $1, id, 5, 5, $2, 0, 2, 0 FROM scopes WHERE org = $1 AND name = 'owner:' || $4::uuid`,
		sync.WrongIndex, "nothing tells pulls",
	},
	{"no look-up", `DELETE FROM lookups WHERE org = $1 AND rec = $2`, sync.WrongLookups, "lists do not find contact"},
	{"another look-up", `UPDATE lookups SET val = val || 'x' WHERE org = $1 AND rec = $2`, sync.WrongLookups, "lists do not find contact"},
	{
		"look-ups of nothing", `INSERT INTO lookups (org, field, val, rec) VALUES ($1, 129, 'x', gen_random_uuid())`,
		sync.WrongLookups, "which is not there",
	},
	{"roles", `UPDATE actors SET roles = '{admin}' WHERE org = $1 AND id = $3`, sync.WrongPeople, "the record says [rep]"},
	{
		"a grant is missing", `DELETE FROM grants g USING scopes s WHERE g.org = $1 AND g.holder = $3 AND s.id = g.scope
			AND s.name = 'owner:' || $3::uuid`, sync.WrongGrants, "does not hold owner:",
	},
	{
		"a grant too much", `INSERT INTO grants (org, holder, scope, since)
			SELECT $1, $3, id, 5 FROM scopes WHERE org = $1 AND name = 'owner:' || $4::uuid`, sync.WrongGrants, "and must not",
	},
	{
		"somebody unknown holds", `INSERT INTO grants (org, holder, scope, since)
			SELECT $1, gen_random_uuid(), id, 5 FROM scopes WHERE org = $1 AND name = 'catalogue'`, sync.WrongGrants, "and must not",
	},
	{
		"a pin's grant is missing", `DELETE FROM grants g USING pins p WHERE g.org = $1 AND g.holder = p.device`,
		sync.WrongGrants, "does not hold account:",
	},
	{"head behind", `UPDATE heads SET seq = seq - 2 WHERE org = $1`, sync.WrongHead, "the head is at"},
	{"hash", `UPDATE heads SET chain = '\x00' WHERE org = $1`, sync.WrongHead, "another hash"},
	{"highest stamp", `UPDATE heads SET high = high + 1 WHERE org = $1`, sync.WrongHead, "another highest stamp"},
	{"when grants changed", `UPDATE heads SET granted = 0 WHERE org = $1`, sync.WrongHead, "grants changed at"},
	{"schema", `UPDATE heads SET schema = 0 WHERE org = $1`, sync.WrongHead, "the schema is that of"},
	{"parked", `UPDATE heads SET parked = 3 WHERE org = $1`, sync.WrongHead, "parked"},
	{
		"something waits for nothing", `INSERT INTO parked_waits (org, what, seq) SELECT $1, $3, 3`,
		sync.WrongWaits, "nothing is parked there",
	},
	{"nobody refused it", `INSERT INTO orphans (org, rec, seq) SELECT $1, $2, 3`, sync.WrongOrphans, "no refusal there"},
	{"nobody remembers the refusal", `DELETE FROM orphans WHERE org = $1`, sync.WrongOrphans, "would have created"},
	{"a subtree of nothing", `INSERT INTO rescopes (org, rec, seq) SELECT $1, gen_random_uuid(), 3`, sync.WrongSubtrees, "is not there"},
	{
		"shown from tomorrow on", `INSERT INTO views (org, device, seq, since, kinds, sight)
			SELECT org, device, 1000000, since, kinds, '{}' FROM views WHERE org = $1 LIMIT 1`, sync.WrongViews, "has not reached",
	},
	{"a counter", `UPDATE replicas SET n = 0 WHERE org = $1 AND person = $3 AND n > 0`, sync.WrongHead, "judged as number 1"},
}

// Each of them is found and told in words, put right, and both the devices that
// held all before and one that begins now have then what they must.
//
//nolint:tparallel,paralleltest // one after the other
func TestInspect_mends(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	shop := lin.create("account", values("name", "兴旺", "collaborators", []any{}))
	lin.sync()
	contact := lin.create("contact", values("account", shop, "name", "王"))
	lin.pins = []record.ID{shop}
	lin.sync()
	w.settles()
	lin.create("contact", values("account", w.id(), "name", "李"))
	lin.sync()
	chen.sync()
	require.Empty(t, w.inspect(false))

	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			damaged := w.damage(d.sql, contact)
			require.Positive(t, damaged)
			before := w.truth()
			early := w.phone("lin")
			if d.what != sync.WrongHead && d.what != sync.WrongScopes { // of those it would not believe its eyes
				early.sync()
			}

			found := w.inspect(false)
			require.True(t, slices.ContainsFunc(found, func(f sync.Finding) bool {
				return f.What == d.what && strings.Contains(f.Text, d.text) && !f.Mended
			}), "%v", found)
			for _, f := range w.inspect(true) {
				require.True(t, f.Mended, f.Text)
			}
			require.Empty(t, w.inspect(false), "it is right again")
			require.Equal(t, before, w.truth(), "neither the log nor what records say was touched")

			for _, p := range []*phone{early, lin, chen, w.phone("lin"), w.phone("zhou")} {
				p.sync()
				p.holdsAll()
			}
		})
	}
}

// What cannot be worked out is told and left.
func TestInspect_truth(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, sql, text string }{
		{"a row is changed", `UPDATE mutations SET body = '[]' WHERE org = $1 AND seq = 4`, "row 4 is not what was written"},
		{"a row is lost", `DELETE FROM mutations WHERE org = $1 AND seq = 4`, "behind row 3 comes row 5"},
		{"the last is lost", `DELETE FROM mutations m USING heads h WHERE m.org = $1 AND h.org = $1 AND m.seq = h.seq`, "ends before its head"},
		{"stamps", `UPDATE mutations SET high = high + 1 WHERE org = $1 AND seq = 4`, "row 4 has another highest stamp"},
		{"an epoch", `INSERT INTO epochs (org, epoch, began, was, from_seq, life, reason, at)
			VALUES ($1, 'e2', 4, 'e1', 3, 'l', 'r', now())`, "do not agree"},
		{"fields", `UPDATE records SET fields = '[]' WHERE org = $1 AND id = $2`, "cannot be read"},
		{"what is above it", `DELETE FROM records r USING records c WHERE r.org = $1 AND c.org = $1 AND c.id = $2 AND r.id = c.parent`, "is not there"},
		{"its seq", `UPDATE records SET seq = 1000000 WHERE org = $1 AND id = $2`, "the log ends at"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			lin := w.phone("lin")
			shop := lin.create("account", values("name", "兴旺"))
			lin.sync()
			contact := lin.create("contact", values("account", shop, "name", "王"))
			lin.sync()
			require.Positive(t, w.damage(tt.sql, contact))

			told := func(found []sync.Finding) bool {
				return slices.ContainsFunc(found, func(f sync.Finding) bool { return strings.Contains(f.Text, tt.text) && !f.Mended })
			}
			found := w.inspect(false)
			require.True(t, told(found), "%v", found)
			found = w.inspect(true)
			require.True(t, told(found), "%v", found)
			require.True(t, told(w.inspect(false)), "it is still so")
		})
	}
}

// It finds nothing wrong in what is only under way, however small its stretches.
func TestInspect_whileOthersCommit(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	shops := w.shops("lin", 12)
	few := sync.New(sync.Config{
		Store: store.New(w.pool), Rules: []sync.Rule{people.Rule{}}, Key: []byte("a key of these tests, 32 bytes.."),
		Now: w.now, Draw: w.draw, Fault: func(err error) { t.Error(err) }, AtOnce: 3,
	})
	t.Cleanup(few.Close)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for n := range 120 {
			w.gives(shops[n%len(shops)], []string{"zhou", "lin", "gao"}[n%3])
		}
	}()

	for looks, going := 0, true; going || looks < 3; looks++ {
		select {
		case <-over:
			going = false
		default:
		}
		_, err := few.Inspect(t.Context(), w.org, looks%2 == 1, func(f sync.Finding) { t.Errorf("%+v", f) })
		require.NoError(t, err)
	}
}

// damage runs SQL in which everybody is named.
func (w *world) damage(sql string, contact record.ID) int64 {
	w.t.Helper()
	sql = strings.NewReplacer("$1", strconv.Itoa(int(w.org)), "$2", "'"+contact.String()+"'",
		"$3", "'"+w.person(w.org, "lin").String()+"'", "$4", "'"+w.person(w.org, "zhou").String()+"'").Replace(sql)
	tag, err := w.pool.Exec(w.t.Context(), sql)
	require.NoError(w.t, err)
	return tag.RowsAffected()
}

// truth is what no repair may touch: what records say and who wrote it, and the
// log as far as it has come.
func (w *world) truth() (all []string) {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), `
		SELECT id || fields::text || encode(meta, 'hex') || seq FROM records WHERE org = $1
		 UNION ALL
		SELECT seq || body || encode(chain, 'hex') FROM mutations WHERE org = $1 AND body NOT LIKE '[{"op":"mend"%'
		 ORDER BY 1`, w.org)
	require.NoError(w.t, err)
	for rows.Next() {
		var one string
		require.NoError(w.t, rows.Scan(&one))
		all = append(all, one)
	}
	require.NoError(w.t, rows.Err())
	return all
}

// holdsAll makes sure that a phone has what the server says that it must have.
func (p *phone) holdsAll() {
	p.w.t.Helper()
	require.Equal(p.w.t, p.pages[len(p.pages)-1].Digests, p.ownDigests())
}
