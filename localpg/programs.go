package localpg

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"roadbook/errs"
)

// oldest is the first PostgreSQL with everything the store relies on.
const oldest = 15

// programs are the server programs of one installation.
type programs struct {
	dir   string // holds postgres and initdb
	major int
}

// finder knows where installations are found on this machine.
type finder struct {
	named string // the only place to look, if not ""
	look  func(name string) (string, error)
	globs []string
}

func newFinder(named string) finder {
	return finder{named: named, look: exec.LookPath, globs: []string{
		"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                   // Red Hat, from postgresql.org
		"/usr/libexec/postgresql*",                           // Alpine
		"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew on Apple silicon
		"/usr/local/opt/postgresql@*/bin",                    // Homebrew on Intel
		"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
		`C:\Program Files\PostgreSQL\*\bin`,                  // Windows
	}}
}

// find returns the first usable installation; if there is data of a major
// version already, the first of that version. A version that cannot read the
// data is better than none here: whoever opens the data explains it best.
func (f finder) find(ctx context.Context, major int) (programs, error) {
	var usable, old []programs
	for _, dir := range f.folders() {
		p, ok := inspect(ctx, dir)
		if ctx.Err() != nil {
			return programs{}, ctx.Err() // and not that there are none
		}
		switch {
		case !ok:
		case p.major < oldest:
			old = append(old, p)
		case major == 0 || p.major == major:
			return p, nil
		default:
			usable = append(usable, p)
		}
	}
	if len(usable) > 0 {
		return usable[0], nil
	}
	return programs{}, f.notFound(old)
}

func (f finder) folders() []string {
	if f.named != "" {
		return []string{f.named}
	}
	var dirs []string
	if path, err := f.look("postgres"); err == nil {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(resolved))
		}
	}
	for _, glob := range f.globs {
		found, _ := filepath.Glob(glob)
		slices.SortFunc(found, func(a, b string) int { return cmp.Compare(number(b), number(a)) })
		dirs = append(dirs, found...)
	}
	return dirs
}

func (f finder) notFound(old []programs) error {
	const op = "localpg.Open"

	advice := "Install it with “" + installCommand() + "”, name the folder of postgres and initdb in " +
		"ROADBOOK_PG_BIN, or give the address of a running server in ROADBOOK_DATABASE_URL."
	switch {
	case len(old) > 0:
		return errs.New(op, errs.Missing, "PostgreSQL %d in %s is too old, %d or later is needed. %s",
			old[0].major, old[0].dir, oldest, advice)
	case f.named != "":
		return errs.New(op, errs.Missing, "ROADBOOK_PG_BIN is %s, where the programs postgres and initdb "+
			"do not both run. Name the folder that holds them, or leave it empty to have them looked for.", f.named)
	}
	return errs.New(op, errs.Missing, "PostgreSQL %d or later was not found, neither in PATH nor in %s. %s",
		oldest, strings.Join(f.globs, ", "), advice)
}

var anyNumber = regexp.MustCompile(`\d+`)

// number is the first number in s, or 0.
func number(s string) int {
	n, _ := strconv.Atoi(anyNumber.FindString(s))
	return n
}

// inspect tells whether dir holds a server. Debian's client packages bring a
// pg_config and a psql without one, so only the programs themselves count.
func inspect(ctx context.Context, dir string) (programs, bool) {
	if _, err := os.Stat(filepath.Join(dir, program("initdb"))); err != nil {
		return programs{}, false
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, program("postgres")), "--version").Output()
	if err != nil {
		return programs{}, false
	}
	return programs{dir: dir, major: number(string(out))}, true
}

func program(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

func installCommand() string {
	switch runtime.GOOS {
	case "darwin":
		return "brew install postgresql@17"
	case "windows":
		return "winget install PostgreSQL.PostgreSQL.17"
	}
	for _, c := range [][2]string{
		{"apt-get", "apt-get install -y postgresql"},
		{"dnf", "dnf install -y postgresql-server"},
		{"apk", "apk add postgresql"},
	} {
		if _, err := exec.LookPath(c[0]); err == nil {
			return c[1]
		}
	}
	return "your system's package manager"
}
