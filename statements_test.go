package roadbook_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	_ "roadbook/jobs"              // registers its statement
	_ "roadbook/modules/people"    // registers its statements
	_ "roadbook/modules/reminders" // registers its statements
	_ "roadbook/push"              // registers its statements
	_ "roadbook/query"             // registers those of lists
	_ "roadbook/store"             // registers the line's
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
)

var update = flag.Bool("update", false, "rewrite what tests compare with, then look at the diff")

const statementsGolden = "testdata/statements.golden"

// large are the tables that grow with an org's work. Whatever the golden file
// says, nothing may read one of them from end to end, nor all of an org in it.
var large = []string{"records", "mutations", "scope_index", "members", "replicas", "lookups"}

// Every statement is prepared against the migrated schema, and the way in which
// PostgreSQL will look its rows up is kept in a golden file: a missing index is
// a diff in review. The tables are empty and have no statistics, which is the
// worst that a planner can be given, and what a first day begins with.
func TestStatements(t *testing.T) {
	t.Parallel()

	db := pgtest.DB(t)
	indexes := tablesOfIndexes(t, db)
	var got strings.Builder
	var faults []string
	for _, s := range pg.Statements() {
		fmt.Fprintln(&got, s.Name)
		for _, p := range accessPaths(explain(t, db, s)) {
			if p.isCatalog() {
				continue
			}
			fmt.Fprintln(&got, "   ", p)
			if fault := p.fault(indexes); fault != "" {
				faults = append(faults, s.Name+" "+fault+": "+p.String())
			}
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(statementsGolden, []byte(got.String()), 0o600))
	}
	require.Empty(t, strings.Join(append(faults, changes(read(t, statementsGolden), got.String())...), "\n"))
}

// changes are the statements whose plans are not those of the golden file. If
// that is meant, run with -update and look at the diff.
func changes(golden, got string) (all []string) {
	was, is := plansOf(golden), plansOf(got)
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if was[name] != is[name] {
			all = append(all, name+" was planned as\n"+was[name]+"and now is\n"+is[name])
		}
	}
	for name := range was {
		if _, there := is[name]; !there {
			all = append(all, name+" is in the golden file and nowhere else")
		}
	}
	return all
}

// plansOf cuts a golden file into the lines of each statement.
func plansOf(text string) map[string]string {
	plans := map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, " ") {
			name = strings.TrimSpace(line)
			line = ""
		}
		plans[name] += line
	}
	return plans
}

// A statement that no package here registers would be prepared by nobody.
func TestStatements_allAreHere(t *testing.T) {
	t.Parallel()

	registered := map[string]bool{}
	for _, s := range pg.Statements() {
		registered[s.Name] = true
	}
	call := regexp.MustCompile(`pg\.Statement\("([^"]+)"`)
	for _, f := range goFiles(t) {
		if f.isTest || f.pkg == "store/pg" {
			continue
		}
		for _, m := range call.FindAllStringSubmatch(f.text, -1) {
			require.True(t, registered[m[1]], "%s registers %s: import its package in statements_test.go", f.path, m[1])
		}
	}
}

// plan is a node of a plan, as EXPLAIN (FORMAT JSON) writes it.
type plan struct {
	Node      string `json:"Node Type"`
	Operation string `json:"Operation"`
	Direction string `json:"Scan Direction"`
	Table     string `json:"Relation Name"`
	Index     string `json:"Index Name"`
	IndexCond string `json:"Index Cond"`
	TIDCond   string `json:"TID Cond"`
	Filter    string `json:"Filter"`
	Plans     []plan `json:"Plans"`
}

// explain prepares a statement and asks for its plan. The plan is generic, as
// pg.Open asks of every connection, so nulls do for arguments.
func explain(t *testing.T, db *pgxpool.Pool, s pg.Stmt) plan {
	t.Helper()

	tx, err := db.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(t.Context()) }()

	text, _, err := pgx.NamedArgs{}.RewriteQuery(t.Context(), tx.Conn(), s.Text, nil)
	require.NoError(t, err)
	prepared, err := tx.Prepare(t.Context(), "the_"+s.Name, text)
	require.NoError(t, err, "%s cannot be prepared", s.Name)
	args := ""
	if n := len(prepared.ParamOIDs); n > 0 {
		args = "(" + strings.TrimPrefix(strings.Repeat(", NULL", n), ", ") + ")"
	}
	var answer []byte
	ask := "EXPLAIN (FORMAT JSON, COSTS OFF) EXECUTE " + pgx.Identifier{"the_" + s.Name}.Sanitize() + args
	require.NoError(t, tx.QueryRow(t.Context(), ask, pgx.QueryExecModeSimpleProtocol).Scan(&answer))
	var read []struct{ Plan plan }
	require.NoError(t, json.Unmarshal(answer, &read))
	require.Len(t, read, 1)
	return read[0].Plan
}

// accessPaths are the nodes that touch a table, in the order of the plan.
func accessPaths(p plan) []plan {
	var paths []plan
	if p.Table != "" || p.Index != "" {
		paths = append(paths, p)
	}
	for _, below := range p.Plans {
		paths = append(paths, accessPaths(below)...)
	}
	return paths
}

// isCatalog reports whether a node reads PostgreSQL's own tables. How, follows from
// how many databases other tests have made and dropped meanwhile.
func (p plan) isCatalog() bool {
	return strings.HasPrefix(p.Table, "pg_") || strings.HasPrefix(p.Index, "pg_")
}

// String is one line of the golden file.
func (p plan) String() string {
	var b strings.Builder
	switch {
	case p.Operation != "" && p.Node == "ModifyTable":
		b.WriteString(p.Operation)
	case p.Direction == "Backward":
		b.WriteString(p.Node + " Backward")
	default:
		b.WriteString(p.Node)
	}
	if p.Index != "" {
		b.WriteString(" using " + p.Index)
	}
	if p.Table != "" {
		b.WriteString(" on " + p.Table)
	}
	for _, c := range []struct{ word, text string }{{"by", p.IndexCond}, {"by", p.TIDCond}, {"if", p.Filter}} {
		if c.text != "" {
			b.WriteString(" " + c.word + " " + c.text)
		}
	}
	return b.String()
}

// comparison is one column of an index that a condition looks up.
var comparison = regexp.MustCompile(`\((?:\w+\.)?(\w+) (?:=|<=?|>=?) `)

// fault says in what way a node reads more than it should, "" if it does not.
// The key of every large table begins with the org, so a look-up by the org
// alone reads everything that an org has ever done.
func (p plan) fault(tables map[string]string) string {
	table := p.Table
	if table == "" {
		table = tables[p.Index]
	}
	if !slices.Contains(large, table) {
		return ""
	}
	switch p.Node {
	case "Seq Scan":
		return "reads a large table from end to end"
	case "Index Scan", "Index Only Scan", "Bitmap Index Scan":
		columns := map[string]bool{}
		for _, m := range comparison.FindAllStringSubmatch(p.IndexCond, -1) {
			columns[m[1]] = true
		}
		if len(columns) < 2 {
			return "reads all that an org has in a large table"
		}
	}
	return ""
}

// tablesOfIndexes says which table each index is of: a bitmap scan names the
// index alone.
func tablesOfIndexes(t *testing.T, db *pgxpool.Pool) map[string]string {
	t.Helper()

	rows, err := db.Query(t.Context(), `SELECT indexname, tablename FROM pg_indexes WHERE schemaname = 'public'`)
	require.NoError(t, err)
	tables := map[string]string{}
	var index, table string
	_, err = pgx.ForEachRow(rows, []any{&index, &table}, func() error {
		tables[index] = table
		return nil
	})
	require.NoError(t, err)
	return tables
}
