package roadbook_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goFile is a source file, on whichever system it is built.
type goFile struct {
	path, pkg, text string
	isTest          bool
}

// goFiles are all source files of the module.
func goFiles(t *testing.T) []goFile {
	t.Helper()

	var files []goFile
	root := os.DirFS(".")
	require.NoError(t, fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains(notOurs, d.Name())):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go"):
			return nil
		}
		text, err := fs.ReadFile(root, p)
		files = append(files, goFile{p, path.Dir(p), string(text), strings.HasSuffix(p, "_test.go")})
		return err
	}))
	return files
}

// notOurs are folders without source of this module.
var notOurs = []string{"testdata", "node_modules", "data"}

func (f goFile) parse(t *testing.T) *ast.File {
	t.Helper()

	parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.SkipObjectResolution)
	require.NoError(t, err)
	return parsed
}

func (f goFile) imports(t *testing.T) []string {
	t.Helper()

	parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.ImportsOnly)
	require.NoError(t, err)
	paths := make([]string, len(parsed.Imports))
	for i, spec := range parsed.Imports {
		paths[i], err = strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
	}
	return paths
}

// selectors are the names that a file uses of other packages, as the import
// path, a space and the name: "time Now".
func (f goFile) selectors(t *testing.T) map[string]bool {
	t.Helper()

	parsed := f.parse(t)
	paths := map[string]string{}
	for _, spec := range parsed.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		name := path.Base(strings.TrimSuffix(p, "/v2"))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		paths[name] = p
	}
	used := map[string]bool{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && paths[x.Name] != "" {
				used[paths[x.Name]+" "+s.Sel.Name] = true
			}
		}
		return true
	})
	return used
}

// literals are the texts that stand in a file.
func (f goFile) literals(t *testing.T) []string {
	t.Helper()

	var texts []string
	ast.Inspect(f.parse(t), func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			texts = append(texts, text)
		}
		return true
	})
	return texts
}

// functions are the names of a file's functions that stand on their own.
func (f goFile) functions(t *testing.T) []string {
	t.Helper()

	var names []string
	for _, d := range f.parse(t).Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
			names = append(names, fn.Name.Name)
		}
	}
	return names
}

var (
	inTicks = regexp.MustCompile("`([^`]+)`")
	arrow   = regexp.MustCompile("`([^`]+)` → `([^`]+)`")
	only    = regexp.MustCompile("`([^`]+)` only 0–([0-9])")
)

// ticked lists what stands between backticks.
func ticked(text string) []string {
	found := inTicks.FindAllStringSubmatch(text, -1)
	names := make([]string, len(found))
	for i, m := range found {
		names[i] = m[1]
	}
	return names
}

// table is the first table of a document whose first column has this heading.
func table(t *testing.T, file, heading string) (rows [][]string) {
	t.Helper()

	inside := false
	for line := range strings.SplitSeq(read(t, file), "\n") {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|") && inside:
			return rows
		case strings.HasPrefix(line, "|") && cells[0] == heading:
			inside = true
		case inside && strings.Trim(cells[0], "-: ") != "":
			rows = append(rows, cells)
		}
	}
	require.NotEmpty(t, rows, "%s has no table of %s", file, heading)
	return rows
}

func read(t *testing.T, file string) string {
	t.Helper()

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}
