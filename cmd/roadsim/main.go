// Command roadsim plays histories of many phones, bad networks and wrong
// clocks against the real engine on a real PostgreSQL, until it has played the
// seeds that it was given, until its time is over, or until something is wrong.
//
//	roadsim -seeds 1:1000 -steps 300 -for 2h -parallel 2
//	roadsim -alike -seeds 1: -for 2h
//	roadsim -script sim/testdata/twin.script
//
// What goes wrong is printed as a script, cut down to the few steps that it
// takes, and what came of each.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"roadbook/sim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(realMain(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are what the command line says.
type options struct {
	seeds    string
	first    uint64
	last     uint64 // 0 never ends
	steps    int
	within   time.Duration
	parallel int
	script   string
	tries    int
	goOn     bool
	alike    bool
	dsn      string
	every    time.Duration
}

func readOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("roadsim", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.seeds, "seeds", "1:", "`from:to`, or from: for as long as there is time")
	f.IntVar(&o.steps, "steps", 300, "of each history")
	f.DurationVar(&o.within, "for", 0, "stop after this `time`; 0 does not")
	f.IntVar(&o.parallel, "parallel", max(1, runtime.NumCPU()/2), "histories at once")
	f.StringVar(&o.script, "script", "", "play this `file` and nothing else")
	f.IntVar(&o.tries, "shrink", 2000, "at most so many tries to cut a failure down")
	f.BoolVar(&o.goOn, "go-on", false, "do not stop at the first failure")
	f.BoolVar(&o.alike, "alike", false, "histories in which many people make the same customers")
	f.StringVar(&o.dsn, "dsn", "", "a PostgreSQL whose user may create databases; without it roadsim starts its own in memory")
	f.DurationVar(&o.every, "every", 15*time.Second, "how often to say how far it has come")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	from, to, ranged := strings.Cut(o.seeds, ":")
	var err error
	if o.first, err = strconv.ParseUint(from, 10, 64); err != nil {
		return o, fmt.Errorf("-seeds is from:to: %w", err)
	}
	switch {
	case !ranged:
		o.last = o.first
	case to != "":
		if o.last, err = strconv.ParseUint(to, 10, 64); err != nil {
			return o, fmt.Errorf("-seeds is from:to: %w", err)
		}
	}
	return o, nil
}

func realMain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := readOptions(args, stderr)
	if err == nil {
		var bad int
		if bad, err = run(ctx, o, stdout); err == nil && bad == 0 {
			return 0
		}
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "roadsim:", err) // there is nobody else to tell
	}
	return 1
}

func run(ctx context.Context, o options, stdout io.Writer) (bad int, err error) {
	base, err := openBase(ctx, o.dsn)
	if err != nil {
		return 0, err
	}
	defer base.close(context.WithoutCancel(ctx))
	if o.script != "" {
		return playScript(ctx, o, base, stdout)
	}
	if o.within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.within)
		defer cancel()
	}
	return newSoak(o, base, stdout).run(ctx)
}

func playScript(ctx context.Context, o options, base *base, stdout io.Writer) (bad int, err error) {
	text, err := os.ReadFile(o.script)
	if err != nil {
		return 0, err
	}
	s, err := sim.Parse(string(text))
	if err != nil {
		return 0, err
	}
	r, done, err := base.runner(ctx, o.tries)
	if err != nil {
		return 0, err
	}
	defer done()
	if f := r.Play(ctx, s); f != nil {
		_, err = fmt.Fprintln(stdout, f)
		return 1, err
	}
	_, err = fmt.Fprintf(stdout, "%d steps, all is well\n", len(s.Steps))
	return 0, err
}
