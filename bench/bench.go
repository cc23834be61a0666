// Package bench measures Roadbook as its users meet it: a server in a process
// of its own over a PostgreSQL on a real disk, asked over HTTP. Each figure
// stands beside a limit that was taken in the same run, because machines
// differ and the one it runs on may be shared.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"roadbook/localpg"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/sync"
)

// Config is what a run is made of.
type Config struct {
	Now   func() time.Time
	NewID func() record.ID
	Sleep func(context.Context, time.Duration) error
	Say   func(format string, args ...any)

	Size  Size
	Dir   string // of the database; it is removed afterwards
	PGBin string
	Runs  int           // of each measure; the median is printed
	Only  string        // a part of the names of measures; "" runs all
	Soak  time.Duration // how long the load goes on whose memory is watched; 0 leaves it out

	// Serve is the server as a command that ends with ctx.
	Serve func(ctx context.Context, env []string) *exec.Cmd
	// Swarm is a process of very many devices that listen.
	Swarm func(ctx context.Context) *exec.Cmd
	// Line is the engine and the sign-in over a migrated database, for filling it.
	Line func(pool *people.Pool, key []byte) (*sync.Engine, *people.Service)
}

// measure is one part of a run. It says itself how often it repeats.
type measure struct {
	name string
	take func(context.Context, *world) ([]Row, error)
}

// measures are all of them, in the order in which they are taken: what only
// reads first, so that every figure has the same data below it.
func measures() []measure {
	return []measure{
		{"start", takeStart},
		{"first sync", takeFirstSync},
		{"delta", takeDelta},
		{"live", takeLive},
		{"sockets", takeSockets},
		{"push", takePush},
		{"single", takeSingle},
		{"revoke", takeRevoke},
		{"comparison", takeCompare},
		{"soak", takeSoak},
		{"duplicates", takeDuplicates},
		{"purge", takePurge},
	}
}

// Run fills an org, starts a server over it and takes every measure.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	w := &world{Config: cfg}
	defer func() { _ = os.RemoveAll(cfg.Dir) }()

	cfg.Say("a PostgreSQL of its own starts in %s", cfg.Dir)
	local, err := localpg.Open(ctx, localpg.Config{Dir: filepath.Join(cfg.Dir, "postgres"), Bin: cfg.PGBin})
	if err != nil {
		return nil, err
	}
	w.local = local
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_ = local.Stop(stop)
	}()
	if err := w.fill(ctx); err != nil {
		return nil, err
	}
	defer w.pool.Close()
	report := &Report{At: cfg.Now().UTC(), Machine: machine(ctx, w)}
	if err := w.serve(ctx); err != nil {
		return nil, err
	}
	defer func() { w.halt() }()
	for _, m := range measures() {
		if !cfg.wants(m.name) {
			continue
		}
		cfg.Say("measuring %s", m.name)
		rows, err := m.take(ctx, w)
		report.Rows = append(report.Rows, rows...)
		if errors.Is(err, errLeftOut) {
			continue
		}
		if err != nil {
			return report, fmt.Errorf("measuring %s: %w", m.name, err)
		}
	}
	return report, nil
}

var errLeftOut = errors.New("left out")
