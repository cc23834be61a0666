package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"roadbook/clients/go/localstore"
	"roadbook/demo/day"
	"roadbook/errs"
)

const demoHelp = `
Two reps without a network, an office that works on the same customers, and in
the evening a bad network: over real HTTP against a server that runs already,
as often as you like. What must come out of it is checked; a failed check makes
the exit code 1.`

// typing makes “roadbook demo” the app that the day kills. It is for the day
// itself, not for people.
const typing = "typing"

func runDemo(ctx context.Context, c *console, args []string) error {
	if len(args) > 0 && args[0] == typing {
		return day.Type(ctx, day.TypeConfig{Now: now, NewID: newID, Sleep: sleep, In: os.Stdin, Out: c.out}, args[1:])
	}
	set := c.demoFlags()
	addr := set.String("addr", "http://127.0.0.1:8080", "where the server is")
	seed := set.Uint64("seed", 1, "of the bad network: the same seed brings the same trouble")
	lang := set.String("lang", "", "zh or en; as LANG says if it is not given")
	fast := set.Bool("fast", false, "a network as bad as that, but fifty times quicker")
	keep := set.Bool("keep", false, "keep the stores of the phones, and say where they are")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if *lang != "" && *lang != string(day.Chinese) && *lang != string(day.English) {
		return errors.New("--lang must be zh or en")
	}
	url := serverURL(*addr)
	if err := reachable(ctx, url); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "roadbook-demo-")
	if err != nil {
		return err
	}
	if !*keep {
		defer func() { _ = os.RemoveAll(folder) }()
	}
	alone, leave := takeTurn(url)
	defer leave()
	failed, err := day.Run(ctx, day.Config{
		BaseURL: url, Out: c.out, Now: now, NewID: newID, Sleep: sleep, Typist: typist, Dir: folder, Seed: *seed,
		Lang: c.language(*lang), Colour: c.colours(), Fast: *fast, Copies: !alone,
	})
	if *keep {
		c.say("the stores of the phones are in %s", folder)
	}
	return verdict(url, failed, err)
}

// demoFlags begins the flags. Their help leaves the environment out, because a
// client has nothing to do with the server's.
func (c *console) demoFlags() *flag.FlagSet {
	set := c.flags("demo", demoHelp)
	set.Usage = func() {
		w := set.Output()
		cmd, _ := find("demo")
		write(w, "Usage: roadbook demo [flags]\n\ndemo: %s.\n\n%s\n\nFlags:\n", cmd.brief, strings.TrimSpace(demoHelp))
		set.PrintDefaults()
	}
	return set
}

// verdict makes the exit code of what came of the day.
func verdict(url string, failed int, err error) error {
	switch {
	case errs.CodeOf(err) == day.NoDemo:
		return errs.New("roadbook.demo", errs.Missing, "the server at %s has no demo org: one that has is started "+
			"with: roadbook serve (over a PostgreSQL of yours with ROADBOOK_DEMO=true)", url)
	case err == nil && failed > 0:
		return errors.New("not everything came out as it must: see the lines with ✗")
	}
	return err
}

// typist starts this program again, as the app that types.
func typist(ctx context.Context, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	args = append([]string{"demo", typing}, args...)
	return exec.CommandContext(ctx, self, args...) //nolint:gosec // it is this program
}

// serverURL completes an address that lacks its scheme.
func serverURL(addr string) string {
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	return strings.TrimRight(addr, "/")
}

// reachable says what to do if there is no server, or not yet.
func reachable(ctx context.Context, url string) error {
	const op = "roadbook.demo"

	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return errs.New(op, errs.Invalid, "%s is no address: give one like http://127.0.0.1:8080", url)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return errs.New(op, errs.Busy, "no Roadbook answers at %s: start it with: roadbook serve", url).Because(err)
	}
	defer func() { _ = answer.Body.Close() }()
	switch answer.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusServiceUnavailable:
		return errs.New(op, errs.Busy, "the server at %s is still starting: try again when it says that it is ready",
			url)
	}
	return errs.New(op, errs.Invalid, "what answers at %s (%s) is not a Roadbook: start one with: roadbook serve",
		url, answer.Status)
}

// takeTurn reports whether no other demo of this machine is at work on the
// same server. One that is leaves the other the customer and the opportunity
// of the story, and works on copies.
func takeTurn(url string) (alone bool, leave func()) {
	name := "roadbook-demo-turn-" + strings.NewReplacer("/", "_", ":", "_").Replace(url)
	folder := filepath.Join(os.TempDir(), name)
	turn, err := localstore.Open(folder) // a store opens once
	if err != nil {
		return false, func() {}
	}
	return true, func() {
		_ = turn.Close()
		_ = os.RemoveAll(folder)
	}
}

// sleep waits, unless ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// language is what was asked for, or else what the environment says.
func (c *console) language(asked string) day.Lang {
	locale := cmp.Or(asked, c.env("LC_ALL"), c.env("LC_MESSAGES"), c.env("LANG"))
	if strings.HasPrefix(locale, string(day.Chinese)) {
		return day.Chinese
	}
	return day.English
}

// colours reports whether the output is a terminal that wants them.
func (c *console) colours() bool {
	file, is := c.out.(*os.File)
	if !is || c.env("NO_COLOR") != "" || c.env("TERM") == "dumb" {
		return false
	}
	state, err := file.Stat()
	return err == nil && state.Mode()&os.ModeCharDevice != 0
}

// env is a variable of the environment, "" without it.
func (c *console) env(name string) string {
	for _, pair := range c.environ {
		if value, is := strings.CutPrefix(pair, name+"="); is {
			return value
		}
	}
	return ""
}
