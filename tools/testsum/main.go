// Command testsum reads what “go test -json” prints and tells it in short:
// failures in full, the slowest tests, those over the budget of a test, and as
// its last line how many passed and failed. It ends with 1 if anything failed,
// with -strict also if a test was over the budget.
//
//	go test -json ./... | go run ./tools/testsum
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// slowest is how many tests are named.
const slowest = 10

// budget is how many seconds a test may take on a quiet machine: what takes
// longer is asked for by a variable of the environment. A busy machine, or the
// race detector, makes all tests slow, so it counts only with -strict.
const budget = 5.0

// event is one line of “go test -json”; see “go doc test2json”.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of a build
	Test        string
	Elapsed     float64 // seconds
	Output      string
	FailedBuild string
}

// name is a test, or a package where Test is empty.
type name struct{ pkg, test string }

func (n name) String() string {
	if n.test == "" {
		return n.pkg
	}
	return n.pkg + " " + n.test
}

type timed struct {
	name
	seconds float64
}

// summary is what has been read so far.
type summary struct {
	out     io.Writer
	said    map[name][]string // output of what has not ended yet
	failing map[string]bool   // packages in which a test has failed
	builds  map[string][]string
	shown   map[string]bool // builds
	times   []timed

	packages, passed, failed, skipped int
}

func main() {
	strict := flag.Bool("strict", false, "a test over the budget is a failure")
	flag.Parse()
	s := newSummary(os.Stdout)
	err := s.read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
	}
	s.end()
	if err != nil || s.failed > 0 || *strict && len(s.over()) > 0 {
		os.Exit(1)
	}
}

func newSummary(out io.Writer) *summary {
	return &summary{
		out: out, said: map[name][]string{}, failing: map[string]bool{},
		builds: map[string][]string{}, shown: map[string]bool{},
	}
}

// read takes everything in. What is not JSON, such as a complaint of the go
// command, is passed on.
func (s *summary) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if text := strings.TrimRight(line, "\n"); text != "" {
			var e event
			if json.Unmarshal([]byte(text), &e) == nil && e.Action != "" {
				s.take(e)
			} else {
				s.print("%s\n", text)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) take(e event) {
	n := name{e.Package, e.Test}
	switch e.Action {
	case "output":
		s.said[n] = append(s.said[n], e.Output)
	case "build-output":
		s.builds[e.ImportPath] = append(s.builds[e.ImportPath], e.Output)
	case "pass", "fail", "skip":
		s.ended(n, e)
		delete(s.said, n)
	}
}

func (s *summary) ended(n name, e event) {
	if n.test == "" {
		s.endedPackage(n, e)
		return
	}
	switch e.Action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped++
	case "fail":
		s.failed++
		s.failing[n.pkg] = true
		s.print("FAIL %s (%.2f s)\n%s\n", n, e.Elapsed, strings.Join(s.said[n], ""))
	}
	if !strings.Contains(n.test, "/") {
		s.times = append(s.times, timed{n, e.Elapsed})
	}
}

// endedPackage counts a package as one failure if it failed without any of its
// tests: it did not build, it ran out of time, or it ended itself.
func (s *summary) endedPackage(n name, e event) {
	s.packages++
	if e.Action != "fail" || s.failing[n.pkg] {
		return
	}
	s.failed++
	if build := e.FailedBuild; build != "" && !s.shown[build] {
		s.shown[build] = true
		s.print("%s\n", strings.Join(s.builds[build], ""))
	}
	s.print("FAIL %s (%.2f s)\n%s", n, e.Elapsed, strings.Join(s.said[n], ""))
	s.printUnended(n.pkg)
}

// printUnended shows the tests that had not ended when their package did: one
// of them is to blame.
func (s *summary) printUnended(pkg string) {
	var names []name
	for n := range s.said {
		if n.pkg == pkg && n.test != "" {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, func(a, b name) int { return cmp.Compare(a.test, b.test) })
	for _, n := range names {
		s.print("not ended: %s\n%s", n, strings.Join(s.said[n], ""))
		delete(s.said, n)
	}
}

// end prints the figures. The last line stands alone.
func (s *summary) end() {
	slices.SortStableFunc(s.times, func(a, b timed) int { return cmp.Compare(b.seconds, a.seconds) })
	s.print("\nthe slowest tests:\n")
	for _, t := range s.times[:min(slowest, len(s.times))] {
		s.print("  %6.2f s  %s\n", t.seconds, t.name)
	}
	if over := s.over(); len(over) > 0 {
		s.print("%d over the budget of %.0f s\n", len(over), budget)
	}
	s.print("%d packages, %d skipped\n\n%d passed, %d failed\n", s.packages, s.skipped, s.passed, s.failed)
}

// over are the tests that took longer than one may.
func (s *summary) over() (names []name) {
	for _, t := range s.times {
		if t.seconds > budget {
			names = append(names, t.name)
		}
	}
	return names
}

func (s *summary) print(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }
