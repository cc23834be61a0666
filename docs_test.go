package roadbook_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/api"
	"roadbook/api/words"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/field"
	"roadbook/record/shipped"
	"roadbook/sync/wire"
)

const protocol = "docs/protocol.md"

// documents are the pages that these tests read.
func documents(t *testing.T) []string {
	t.Helper()

	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "*/DESIGN.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		all = append(all, found...)
	}
	return all
}

// Every golden frame is an example of the protocol, so the protocol names it.
func TestProtocol_frames(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("sync/wire/testdata/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	there, named := map[string]bool{}, map[string]bool{}
	for _, f := range files {
		there[filepath.Base(f)] = true
	}
	for _, m := range regexp.MustCompile("`([a-z_]+\\.json)`").FindAllStringSubmatch(read(t, protocol), -1) {
		named[m[1]] = true
	}
	require.Equal(t, there, named, "the golden files, and those that docs/protocol.md names")
}

// What can be asked, answered and refused is all in the protocol.
func TestProtocol_isComplete(t *testing.T) {
	t.Parallel()

	routes := firstColumn(t, "Route")
	for _, r := range api.New(api.Config{}).Routes() {
		require.Contains(t, routes, r.Method+" "+r.Path)
	}
	codes := firstColumn(t, "Code")
	for _, code := range messageCodes() {
		require.Contains(t, codes, code, "the table of codes, and api/words")
	}
	requireRows(t, "Kind of failure", errs.Kinds())
	requireRows(t, "Policy", record.Policies())
	requireRows(t, "Type", field.Names())
}

// requireRows makes sure that a table of the protocol has a row for each name
// and for nothing else.
func requireRows[S ~string](t *testing.T, heading string, names []S) {
	t.Helper()

	listed := firstColumn(t, heading)
	require.Len(t, listed, len(names), "the table of %q", heading)
	for _, n := range names {
		require.Contains(t, listed, string(n), "the table of %q", heading)
	}
}

// firstColumn are the names that stand first in the rows of a table of the
// protocol.
func firstColumn(t *testing.T, heading string) []string {
	t.Helper()

	rows := table(t, protocol, heading)
	names := make([]string, 0, len(rows))
	for _, row := range rows {
		names = append(names, ticked(row[0])...)
	}
	return names
}

// messageCodes are those that the server has sentences for, without the kinds.
func messageCodes() []string {
	return slices.DeleteFunc(words.Codes(), func(code string) bool { return slices.Contains(errs.Kinds(), errs.Kind(code)) })
}

// The numbers in the table of limits are those of the constants that it names,
// and no limit of the wire is left out.
func TestProtocol_limits(t *testing.T) {
	t.Parallel()

	listed := map[string]bool{}
	for _, row := range table(t, protocol, "Limit") {
		for _, name := range ticked(row[0]) {
			listed[name] = true
			pkg, constant, _ := strings.Cut(name, ".")
			require.Equal(t, constants(t, packageDirs[pkg])[constant], strings.ReplaceAll(row[1], ",", ""), name)
		}
	}
	for name := range constants(t, "sync/wire") {
		if ast.IsExported(name) && (strings.HasPrefix(name, "Max") || strings.HasPrefix(name, "Default")) {
			require.True(t, listed["wire."+name], "wire.%s is in no table of limits", name)
		}
	}
}

var packageDirs = map[string]string{
	"api": "api", "conflicts": "conflicts", "field": "record/field", "people": "modules/people", "record": "record",
	"push": "push", "query": "query", "reminder": "record/reminder", "reminders": "modules/reminders", "rules": "rules", "online": "sync/online",
	"pages": "sync/pages", "socket": "push/socket", "store": "store", "sync": "sync", "version": "version", "wire": "sync/wire",
}

// constants are the whole numbers that a package declares. What it takes from
// other packages is not looked at.
func constants(t *testing.T, dir string) map[string]string {
	t.Helper()

	files, err := filepath.Glob(dir + "/*.go")
	require.NoError(t, err)
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, f := range files {
		if !strings.HasSuffix(f, "_test.go") {
			file, err := parser.ParseFile(fset, f, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			parsed = append(parsed, file)
		}
	}
	conf := types.Config{Importer: nowhere{}, Error: func(error) {}, IgnoreFuncBodies: true}
	pkg, _ := conf.Check(dir, fset, parsed, nil) // its errors are about imports
	values := map[string]string{}
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok && c.Val().Kind() == constant.Int {
			values[name] = c.Val().ExactString()
		}
	}
	return values
}

// nowhere imports nothing.
type nowhere struct{}

func (nowhere) Import(string) (*types.Package, error) { return nil, os.ErrNotExist }

const (
	kindsBegin = "<!-- kinds: written by go test -run TestProtocol_kinds -update . -->\n"
	kindsEnd   = "<!-- end of kinds -->\n"
)

// The shipped kinds are listed as they are shipped.
func TestProtocol_kinds(t *testing.T) {
	t.Parallel()

	text := read(t, protocol)
	before, rest, found := strings.Cut(text, kindsBegin)
	require.True(t, found)
	got, after, found := strings.Cut(rest, kindsEnd)
	require.True(t, found)
	var want strings.Builder
	for _, k := range shipped.Schema().Kinds {
		want.WriteString("\n" + describe(k))
	}
	want.WriteString("\n")
	if *update {
		require.NoError(t, os.WriteFile(protocol, []byte(before+kindsBegin+want.String()+kindsEnd+after), 0o600))
		return
	}
	require.Equal(t, want.String(), got)
}

// everyKind are the fields that the protocol names once for all kinds.
var everyKind = []string{"created_at", "created_by", "received_at"}

func describe(k *record.Kind) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**`%s`**, rank %d", k.Name, k.Rank)
	for _, part := range []struct{ word, value string }{{"below", k.Parent}, {"dated by", k.Month}, {"in scope", k.Scope}} {
		if part.value != "" {
			fmt.Fprintf(&b, ", %s `%s`", part.word, part.value)
		}
	}
	b.WriteString(":\n")
	first := true
	for _, f := range k.Fields {
		if slices.Contains(everyKind, f.Name) {
			continue
		}
		if !first {
			b.WriteString(";\n")
		}
		first = false
		fmt.Fprintf(&b, "`%s` %s %s", f.Name, f.Type, f.Policy)
		if f.Share > 0 {
			fmt.Fprintf(&b, ", %d of it to a reserve", f.Share)
		}
		if f.By != "" {
			b.WriteString(" by " + f.By)
		}
		if f.To != "" {
			b.WriteString(" to " + f.To)
		}
		if f.Required {
			b.WriteString(", required")
		}
		if f.Floor != nil {
			fmt.Fprintf(&b, ", never below %d", *f.Floor)
		}
		if f.Group != "" {
			b.WriteString(", one with its group " + f.Group)
		}
		if len(f.Choices) > 0 {
			b.WriteString(" (" + strings.Join(f.Choices, ", ") + ")")
		}
	}
	b.WriteString(".\n")
	return b.String()
}

// The examples of a digest in the protocol are what the code answers.
func TestProtocol_digests(t *testing.T) {
	t.Parallel()

	for _, row := range table(t, protocol, "Digest of") {
		seq, err := strconv.ParseInt(row[2], 10, 64)
		require.NoError(t, err)
		key, err := strconv.ParseUint(strings.Trim(row[3], "`"), 16, 64)
		require.NoError(t, err)
		require.Equal(t, scopeKey(strings.Trim(row[0], "`")), key, row[0])
		sum := wire.Sum(record.MustID(strings.Trim(row[1], "`")), record.Seq(seq), key)
		require.Equal(t, fmt.Sprintf("`%016x`", sum), row[4])
	}
}

// scopeKey is what the protocol says of it: FNV-1a of 64 bits over the name.
func scopeKey(scope string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(scope) {
		h = (h ^ uint64(scope[i])) * 0x100000001b3
	}
	return h
}
