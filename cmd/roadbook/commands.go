package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"roadbook/migrations"
)

// command is one thing that roadbook can be told to do.
type command struct {
	name  string
	brief string
	run   func(ctx context.Context, c *console, args []string) error
}

// commands are all of them, in the order in which a newcomer meets them.
func commands() []command {
	return []command{
		{"serve", "run the server; without any configuration, with a database of its own and a demo org", runServe},
		{"demo", "a readable day of a sales team against a running server, with a table of what must come out", runDemo},
		{"seed", "fill an org with as many records as wanted, for measuring", runSeed},
		{"bench", "measure this program on this machine, each figure beside what bounds it", runBench},
		{"migrate", "bring the database to this program's schema, and do nothing else", runMigrate},
		{"backup", "take a backup of the database, list those there are, or verify one", runBackup},
		{"restore", "make the database what a backup holds, at its end, at a moment or at a row of an org's log", runRestore},
		{"drill", "rehearse the loss of the server with its newest backup, beside it, and compare what comes of it", runDrill},
		{"standby", "keep a second database that follows another and can take its place", runStandby},
		{"promote", "let a standby take the place of the database that it follows", runPromote},
		{"doctor", "check each part and say what mends it", runDoctor},
	}
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // the command line itself was wrong
)

// errUsage says that the command line was wrong and has been explained.
var errUsage = errors.New("usage")

// realMain is main with everything it touches handed in.
func realMain(ctx context.Context, args, environ []string, out, errOut io.Writer) int {
	c := &console{environ: environ, out: out, errOut: errOut}
	switch err := dispatch(ctx, c, args); {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		c.complain(errors.New("stopped before it was done"))
		return exitFailed
	default:
		c.complain(err)
		return exitFailed
	}
}

func dispatch(ctx context.Context, c *console, args []string) error {
	if len(args) == 0 {
		writeHelp(c.errOut)
		return errUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		return help(ctx, c, rest)
	case "version", "-version", "--version":
		c.say("%s", version())
		return nil
	}
	if cmd, ok := find(name); ok {
		return cmd.run(ctx, c, rest)
	}
	c.warn("roadbook: there is no command %q", name)
	writeHelp(c.errOut)
	return errUsage
}

func find(name string) (command, bool) {
	for _, cmd := range commands() {
		if cmd.name == name {
			return cmd, true
		}
	}
	return command{}, false
}

// help explains one command, or lists all.
func help(ctx context.Context, c *console, args []string) error {
	if len(args) > 0 {
		return dispatch(ctx, c, []string{args[0], "--help"})
	}
	writeHelp(c.out)
	return nil
}

func writeHelp(w io.Writer) {
	write(w, "Roadbook is the backend of a field sales team: phones work offline and sync when they can.\n\n")
	write(w, "Usage: roadbook COMMAND [flags]\n\n")
	for _, cmd := range commands() {
		write(w, "  %-9s %s\n", cmd.name, cmd.brief)
	}
	write(w, "\n“roadbook COMMAND --help” tells more of one. To begin: roadbook serve\n")
}

// version says what exactly is running.
func version() string {
	return fmt.Sprintf("roadbook %s, schema step %d, %s %s/%s",
		revision(), migrations.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// built is the revision where the build does not see the repository, as in the
// Dockerfile: -ldflags "-X main.built=…".
var built string

// revision is that of the source.
func revision() string {
	if built != "" {
		return built[:min(12, len(built))]
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return "of unknown revision"
}
