package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"roadbook/bench"
	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/push/socket/swarm"
	"roadbook/sync"
)

// swarming makes “roadbook bench” the devices that listen. It is for the bench
// itself, not for people.
const swarming = "swarm"

const benchHelp = `
It starts a PostgreSQL and a server of its own, fills an org of 110,000 records
and measures over HTTP, each figure beside a limit taken in the same run: what
a bare upsert, a plain SELECT, COPY or the disk do on this machine at that
moment. The figures are for comparing, not for judging a machine that others
use. Everything it has made is removed again.`

func runBench(ctx context.Context, c *console, args []string) error {
	if len(args) > 0 && args[0] == swarming {
		return swarm.Serve(ctx, os.Stdin, c.out, now)
	}
	set := c.flags("bench", benchHelp)
	asJSON := set.Bool("json", false, "print the report as JSON")
	runs := set.Int("runs", 5, "how often each measure is taken; the median counts")
	only := set.String("only", "", "only the measures whose name has this in it: start, first sync, delta, live, sockets, push, single, revoke, comparison, soak, duplicates, purge")
	soak := set.Duration("soak", 0, "keep a team at work for so long and watch what grows, for example 1h; 0 leaves it out")
	dir := set.String("dir", "", "the folder of the database, on the disk to be measured; a new one among temporary files if it is not given")
	quick := set.Bool("quick", false, "a small org and a light load: to see that it works, not for figures")
	if err := c.parse(set, args); err != nil {
		return err
	}
	size := bench.Full
	if *quick {
		size = bench.Quick
	}
	if *runs < 1 {
		return errors.New("--runs must be at least 1")
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	folder, err := benchFolder(*dir)
	if err != nil {
		return err
	}
	seen := observers{log: c.logger(cfg)}
	report, err := bench.Run(ctx, bench.Config{
		Now: now, NewID: newID, Sleep: sleep, Say: c.warn, Size: size, Dir: folder, PGBin: cfg.PGBin, Runs: *runs, Only: *only, Soak: *soak,
		Serve: benchServer(c.environ),
		Swarm: benchSwarm,
		Line: func(pool *people.Pool, key []byte) (*sync.Engine, *people.Service) {
			return newEngine(pool, key, seen, nil), newPeople(pool, key)
		},
	})
	if report != nil {
		c.warn("")
		if werr := printReport(c, report, *asJSON); werr != nil {
			return werr
		}
	}
	return err
}

func printReport(c *console, r *bench.Report, asJSON bool) error {
	if !asJSON {
		return r.Write(c.out)
	}
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// benchFolder never is one that has something in it: it will be removed.
func benchFolder(asked string) (string, error) {
	if asked == "" {
		asked = os.TempDir()
	}
	if err := os.MkdirAll(asked, 0o755); err != nil { //nolint:gosec // PostgreSQL's own user must be able to enter
		return "", errs.New("roadbook.bench", errs.Invalid, "the folder %s cannot be made", asked).Because(err)
	}
	folder, err := os.MkdirTemp(asked, "roadbook-bench-")
	if err != nil {
		return "", err
	}
	return filepath.Clean(folder), os.Chmod(folder, 0o755) //nolint:gosec // as above
}

// benchSwarm starts this program again, as the devices that listen.
func benchSwarm(ctx context.Context) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return exec.CommandContext(ctx, self, "bench", swarming) //nolint:gosec // it is this program
}

// benchServer starts this program again, as the server that is measured.
func benchServer(environ []string) func(context.Context, []string) *exec.Cmd {
	return func(ctx context.Context, env []string) *exec.Cmd {
		self, err := os.Executable()
		if err != nil {
			self = os.Args[0]
		}
		cmd := exec.CommandContext(ctx, self, "serve") //nolint:gosec // it is this program
		cmd.Env = append(append([]string(nil), environ...), env...)
		return cmd
	}
}
