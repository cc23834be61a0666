package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"roadbook/config"
	"roadbook/errs"
	"roadbook/telemetry"
)

// console is where a command was typed: what it can read and where it speaks.
// What people are to read goes to out; logs and complaints go to errOut.
type console struct {
	environ     []string
	out, errOut io.Writer
}

// say prints one line for the person who gave the command.
func (c *console) say(format string, args ...any) { write(c.out, format+"\n", args...) }

// warn prints one line that is not what was asked for.
func (c *console) warn(format string, args ...any) { write(c.errOut, format+"\n", args...) }

// write ignores that a terminal has gone away: there is nobody left to tell.
func write(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// complain says what went wrong and, below it, what was behind that.
func (c *console) complain(err error) {
	c.warn("roadbook: %s", explain(err))
}

// explain puts the sentence for people first and the cause below it.
func explain(err error) string {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return err.Error()
	}
	text := e.Msg
	for _, f := range e.Fields {
		text += "\n  " + f.Field + " " + f.Detail
	}
	if e.Cause != nil {
		cause := strings.TrimSpace(e.Cause.Error())
		text += "\n  because: " + strings.ReplaceAll(cause, "\n", "\n  ")
	}
	return text
}

// config reads the environment. A variable that looks like one of ours and is
// not is pointed out: it is most likely a slip of the pen.
func (c *console) config() (config.Config, error) {
	cfg, err := config.Read(c.environ)
	if err != nil {
		return cfg, fmt.Errorf("the configuration is not right:\n  %s",
			strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	for _, name := range unknown(c.environ) {
		c.warn("roadbook: %s is no variable of Roadbook, and has no effect", name)
	}
	return cfg, nil
}

// unknown leaves out what only our tests read.
func unknown(environ []string) []string {
	var names []string
	for _, name := range config.Unknown(environ) {
		if !strings.HasPrefix(name, "ROADBOOK_TEST_") {
			names = append(names, name)
		}
	}
	return names
}

func (c *console) logger(cfg config.Config) *slog.Logger {
	return telemetry.New(c.errOut, telemetry.Options{Format: string(cfg.Log), Level: cfg.LogLevel})
}

// flags begins the flags of a command. detail is the rest of its help, below
// the brief line of the table.
func (c *console) flags(name, detail string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard) // parse prints what there is to print
	set.Usage = func() {
		w := set.Output()
		cmd, _ := find(name)
		write(w, "Usage: roadbook %s [flags]\n\n%s: %s.\n", name, name, cmd.brief)
		if detail != "" {
			write(w, "\n%s\n", strings.TrimSpace(detail))
		}
		flagged := false
		set.VisitAll(func(*flag.Flag) { flagged = true })
		if flagged {
			write(w, "\nFlags:\n")
			set.PrintDefaults()
		}
		write(w, "\nEnvironment (name, default, meaning):\n")
		_ = config.WriteTable(w)
	}
	return set
}

// parse reads the flags. Help goes to out; what is wrong goes to errOut, with
// the help below it.
func (c *console) parse(set *flag.FlagSet, args []string) error {
	err := set.Parse(args)
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("%q is not a flag", set.Arg(0))
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, flag.ErrHelp):
		set.SetOutput(c.out)
		set.Usage()
		return err
	}
	c.warn("roadbook %s: %s\n", set.Name(), err)
	set.SetOutput(c.errOut)
	set.Usage()
	return errUsage
}
