package roadbook_test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// chanceFaults finds code that asks the clock, chance or the environment for
// itself. Programs ask and hand the answers down, so that a simulation can hand
// down its own. Tests are free to ask.
func chanceFaults(t *testing.T, all tree) (faults []string) {
	t.Helper()

	allowed := map[string]bool{} // by package and name
	for _, row := range table(t, architecture, "Exception") {
		for _, pkg := range ticked(row[0]) {
			for _, name := range ticked(row[1]) {
				allowed[pkg+" "+name] = false
			}
		}
	}
	for _, f := range all.files {
		if f.isTest || all.packages[f.pkg].Name == "main" {
			continue
		}
		for used := range f.selectors(t) {
			i, name, _ := strings.Cut(used, " ")
			if !fromOutside(i, name) {
				continue
			}
			short := path.Base(strings.TrimSuffix(i, "/v2")) + "." + name
			if _, ok := allowed[f.pkg+" "+short]; !ok {
				faults = append(faults, f.path+" uses "+short+": let a program hand it down")
			}
			allowed[f.pkg+" "+short] = true
		}
	}
	for exception, used := range allowed {
		if !used {
			faults = append(faults, exception+" is an exception that nobody needs")
		}
	}
	return faults
}

// seeded is what of math/rand follows from a seed, and so from an argument.
var seeded = []string{"New", "NewPCG", "NewChaCha8", "NewSource", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}

// fromOutside reports whether a function's answer differs from call to call.
func fromOutside(i, name string) bool {
	switch i {
	case "time":
		return slices.Contains([]string{"Now", "Since", "Until"}, name)
	case "os":
		return slices.Contains([]string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, name)
	case "math/rand", "math/rand/v2":
		return !slices.Contains(seeded, name)
	case "crypto/rand":
		return true
	case "github.com/google/uuid":
		return slices.Contains([]string{"New", "NewString", "NewRandom", "NewUUID", "NewV6", "NewV7"}, name)
	}
	return false
}

// tutorials are the packages of the words and of the line: an Example is where
// their reader begins.
var tutorials = []string{
	"errs", "version", "record", "record/field", "access", "conflicts", "sync", "sync/wire", "store", "api",
}

// withoutExample have none, and why.
var withoutExample = map[string]string{
	"sync":  "needs a database, which an Example has no test to ask for; TestLine tells its story",
	"store": "needs a database too, and only sync uses it",
	"api":   "speaks HTTP; openapi.yaml and docs/protocol.md are its tutorial",
}

func exampleFaults(t *testing.T, all tree) (faults []string) {
	t.Helper()

	has := map[string]bool{}
	for _, f := range all.files {
		if f.isTest && slices.ContainsFunc(f.functions(t), func(n string) bool { return strings.HasPrefix(n, "Example") }) {
			has[f.pkg] = true
		}
	}
	for _, pkg := range tutorials {
		switch why := withoutExample[pkg]; {
		case !has[pkg] && why == "":
			faults = append(faults, pkg+" has no Example function")
		case has[pkg] && why != "":
			faults = append(faults, pkg+" has an Example function and need not be excused any more")
		}
	}
	return faults
}

// engineOnly are the names of store that change what devices see, or lead to
// it. Only the engine uses them; New is for whoever makes the engine.
var engineOnly = []string{"New", "Store", "Tx", "Commit", "Dirty", "Entry", "Writer", "Regrant", "Rescope"}

// lookers read the line, for devices and for people who are online. They borrow
// the engine's transaction, in which nothing can be written.
var lookers = map[string][]string{
	"query": {"Tx"}, "sync/online": {"Tx", "Entry"}, "sync/reactions": {"Tx", "Entry"}, "sync/pages": {"Tx", "Entry", "Writer"}, "sync/history": {"Entry"},
}

// ownDatabase buries a million records in a database that the bench has made for
// itself and removes again; by the door that devices use it would take an hour.
const ownDatabase = "bench/purge.go"

// writeFaults finds ways past sync.Commit (I1): SQL outside store that writes
// to a table of the line, or somebody who borrows the engine's tools.
func writeFaults(t *testing.T, all tree) (faults []string) {
	t.Helper()

	writes := writesTo(lineTables(t))
	for _, f := range all.files {
		if f.isTest || f.pkg == "store" || f.pkg == "sync" || f.path == ownDatabase {
			continue
		}
		for _, text := range f.literals(t) {
			if m := writes.FindString(text); m != "" {
				faults = append(faults, fmt.Sprintf("%s writes to the line by itself: %q", f.path, m))
			}
		}
		used := f.selectors(t)
		for _, name := range engineOnly {
			made := name == "New" && (strings.HasPrefix(f.pkg, "cmd/") || f.pkg == "tools/snapshot")
			if used[module+"/store "+name] && !made && !slices.Contains(lookers[f.pkg], name) {
				faults = append(faults, f.path+" uses store."+name+", which is the engine's")
			}
		}
	}
	return faults
}

// lineTables are the tables of the line's migration.
func lineTables(t *testing.T) []string {
	t.Helper()

	created := regexp.MustCompile(`CREATE TABLE (\w+)`).FindAllStringSubmatch(read(t, "migrations/00001_line.sql"), -1)
	names := make([]string, len(created))
	for i, m := range created {
		names[i] = m[1]
	}
	return names
}

func writesTo(tables []string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(insert\s+into|update|delete\s+from|truncate(\s+table)?|merge\s+into)\s+(` +
		strings.Join(tables, "|") + `)\b`)
}
