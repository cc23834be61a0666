package roadbook_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module       = "roadbook"
	architecture = "ARCHITECTURE.md"
	maxFileLines = 400 // more than anybody reads in one go
)

// TestArchitecture holds the code to ARCHITECTURE.md: the floors, the doors of
// outside libraries and the exceptions are read from its tables, so what a
// newcomer reads there is what is true.
func TestArchitecture(t *testing.T) {
	t.Parallel()

	all := readTree(t)
	rules := map[string]func(*testing.T, tree) []string{
		"floors":           floorFaults,
		"doors":            doorFaults,
		"pure packages":    pureFaults,
		"clock and chance": chanceFaults,
		"two syncs":        syncFaults,
		"names":            nameFaults,
		"comments":         commentFaults,
		"sizes":            sizeFaults,
		"examples":         exampleFaults,
		"one write path":   writeFaults,
	}
	for name, faults := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Empty(t, strings.Join(faults(t, all), "\n"))
		})
	}
}

// listed is a package as "go list" knows it: its imports are those of the
// program, without its tests'.
type listed struct {
	ImportPath string
	Name       string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// tree is everything that the rules look at.
type tree struct {
	packages map[string]listed // by path below the module: "store/pg"
	files    []goFile
}

func readTree(t *testing.T) tree {
	t.Helper()

	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Doc,GoFiles,Imports", "./...").Output()
	require.NoError(t, err)
	all := tree{packages: map[string]listed{}, files: goFiles(t)}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		if len(p.GoFiles) > 0 { // the root has nothing but tests
			all.packages[strings.TrimPrefix(p.ImportPath, module+"/")] = p
		}
	}
}

// ours are a package's imports of this module.
func (p listed) ours() []string {
	var paths []string
	for _, i := range p.Imports {
		if below, ok := strings.CutPrefix(i, module+"/"); ok {
			paths = append(paths, below)
		}
	}
	return paths
}

// floors is the table of ARCHITECTURE.md.
type floors struct {
	of       map[string]int     // package, or modules/*
	sideways map[[2]string]bool // A → B on one floor
	highest  map[string]int     // "A only 0–2"
}

// readFloors reads the rows "| 3 | `a`, `b` | `a` → `b`; `a` only 0–2 | why |".
func readFloors(t *testing.T) floors {
	t.Helper()

	f := floors{map[string]int{}, map[[2]string]bool{}, map[string]int{}}
	for _, row := range table(t, architecture, "Floor") {
		floor, err := strconv.Atoi(row[0])
		require.NoError(t, err, "the floor of a row")
		for _, name := range ticked(row[1]) {
			require.NotContains(t, f.of, name, "it stands on two floors")
			f.of[name] = floor
		}
		for _, m := range arrow.FindAllStringSubmatch(row[2], -1) {
			f.sideways[[2]string{m[1], m[2]}] = true
		}
		for _, m := range only.FindAllStringSubmatch(row[2], -1) {
			f.highest[m[1]], err = strconv.Atoi(m[2])
			require.NoError(t, err)
		}
	}
	return f
}

// key is under which name the table knows a package, "" if it does not.
func (f floors) key(pkg string) string {
	if _, ok := f.of[pkg]; ok {
		return pkg
	}
	for pattern := range f.of {
		if ok, _ := path.Match(pattern, pkg); ok {
			return pattern
		}
	}
	return ""
}

func floorFaults(t *testing.T, all tree) (faults []string) {
	t.Helper()

	f := readFloors(t)
	met := map[string]bool{}
	for _, pkg := range slices.Sorted(maps.Keys(all.packages)) {
		key := f.key(pkg)
		met[key] = true
		if key == "" {
			faults = append(faults, pkg+" has no floor: give it one in ARCHITECTURE.md")
			continue
		}
		for _, other := range all.packages[pkg].ours() {
			if fault := f.fault(key, f.key(other)); fault != "" {
				faults = append(faults, pkg+" imports "+other+"; "+fault)
			}
		}
	}
	for name := range f.of {
		if !met[name] {
			faults = append(faults, name+" has a floor and does not exist")
		}
	}
	return faults
}

// fault says why one package may not import another, "" if it may.
func (f floors) fault(from, to string) string {
	a, b := f.of[from], f.of[to]
	limit, limited := f.highest[from]
	switch {
	case f.sideways[[2]string{from, to}]:
		return ""
	case limited && b > limit:
		return from + " may import the floors up to " + strconv.Itoa(limit) + " only"
	case a == b && a < topFloor:
		return "both are on floor " + strconv.Itoa(a) + ", and the table does not say that they may"
	case b > a:
		return "floor " + strconv.Itoa(a) + " may not import floor " + strconv.Itoa(b)
	}
	return ""
}

// topFloor is that of the programs, which may import one another.
const topFloor = 7

// door is where an outside library comes in.
type door struct {
	library string
	places  []string // packages, patterns of packages, or of files
}

// doorFaults finds outside libraries that come in elsewhere than by their
// door. Tests may use what they like.
func doorFaults(t *testing.T, all tree) (faults []string) {
	t.Helper()

	var doors []door
	for _, row := range table(t, architecture, "Library") {
		for _, library := range ticked(row[0]) {
			doors = append(doors, door{library, ticked(row[1])})
		}
	}
	used := map[string]bool{}
	for _, f := range all.files {
		if f.isTest {
			continue
		}
		for _, i := range f.imports(t) {
			d, is := doorOf(doors, i)
			switch {
			case !is && outside(i):
				faults = append(faults, f.path+" imports "+i+", which has no door in ARCHITECTURE.md")
			case is && !d.admits(f):
				faults = append(faults, f.path+" imports "+i+"; only "+strings.Join(d.places, ", ")+" may")
			}
			used[d.library] = true
		}
	}
	for _, d := range doors {
		if !used[d.library] {
			faults = append(faults, d.library+" has a door and nobody uses it")
		}
	}
	return faults
}

// outside reports whether an import is neither ours nor the standard library's.
func outside(i string) bool {
	first, _, _ := strings.Cut(i, "/")
	return strings.Contains(first, ".")
}

func doorOf(doors []door, i string) (door, bool) {
	for _, d := range doors {
		if i == d.library || strings.HasPrefix(i, d.library+"/") {
			return d, true
		}
	}
	return door{}, false
}

func (d door) admits(f goFile) bool {
	return slices.ContainsFunc(d.places, func(place string) bool {
		pkg, _ := path.Match(place, f.pkg)
		file, _ := path.Match(place, f.path)
		return pkg || file
	})
}

// pure are the packages whose answers follow from their arguments alone.
var pure = []string{"errs", "version", "record", "record/field", "access", "conflicts", "rules", "sync/wire"}

// outward are packages through which something else could come in or go out.
// A package stands for those below it.
var outward = []string{
	"database", "github.com/jackc", "net/http", "os", "log", "math/rand", "crypto/rand", module + "/store", module + "/config",
}

func pureFaults(t *testing.T, all tree) (faults []string) {
	t.Helper()

	for _, pkg := range pure {
		for _, i := range all.packages[pkg].Imports {
			for _, o := range outward {
				if i == o || strings.HasPrefix(i, o+"/") {
					faults = append(faults, pkg+" is pure and imports "+i)
				}
			}
		}
	}
	return faults
}

// bothSyncs are the files that need both packages called sync, and why.
var bothSyncs = map[string]string{
	"sync/online/world_test.go": "many write and read at once, and ask one clock and one chance",
	"sync/world_test.go":        "several engines and phones, each in a goroutine, ask one clock and one chance",
}

// syncFaults finds files that use both packages called sync. Where it must be,
// the standard one is called stdsync; the packages that hold locks are mostly
// not those that hold the engine, so it need not be.
func syncFaults(t *testing.T, all tree) (faults []string) {
	t.Helper()

	must := maps.Clone(bothSyncs)
	for _, f := range all.files {
		imports := f.imports(t)
		if !slices.Contains(imports, "sync") || !slices.Contains(imports, module+"/sync") {
			continue
		}
		if must[f.path] == "" {
			faults = append(faults, f.path+" imports both the standard sync and ours: say why it must, or part them")
		}
		delete(must, f.path)
	}
	for file := range must {
		faults = append(faults, file+" need not import both packages called sync any more: take it off the list")
	}
	return faults
}

// nameless are names that say nothing about what is inside.
var nameless = []string{
	"util", "utils", "common", "helper", "helpers", "type", "types", "model", "models", "misc", "internal", "pkg",
}

func isNameless(part string) bool { return slices.Contains(nameless, part) }

func nameFaults(_ *testing.T, all tree) (faults []string) {
	for pkg, p := range all.packages {
		if slices.ContainsFunc(append(strings.Split(pkg, "/"), p.Name), isNameless) {
			faults = append(faults, pkg+": a package of that name holds anything; name what it is for")
		}
	}
	for _, f := range all.files {
		switch path.Base(f.path) {
		case "types.go", "utils.go", "util.go", "helpers.go", "interfaces.go", "models.go", "common.go":
			faults = append(faults, f.path+": a file is named for what it holds, or for what it does")
		}
	}
	return faults
}

func commentFaults(_ *testing.T, all tree) (faults []string) {
	for pkg, p := range all.packages {
		if p.Doc == "" {
			faults = append(faults, pkg+" has no package comment")
		}
	}
	return faults
}

func sizeFaults(_ *testing.T, all tree) (faults []string) {
	for _, f := range all.files {
		if n := strings.Count(f.text, "\n"); n > maxFileLines {
			faults = append(faults, f.path+" has "+strconv.Itoa(n)+" lines; the most is "+strconv.Itoa(maxFileLines))
		}
	}
	return faults
}
