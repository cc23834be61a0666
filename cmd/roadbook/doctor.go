package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"roadbook/attachments"
	"roadbook/config"
	"roadbook/errs"
	"roadbook/localpg"
	"roadbook/store/pg"
)

const doctorHelp = `
It begins as serve would: a database of Roadbook's own is found, started, and
made if there is none yet; afterwards it is stopped again. Records, schema and
key are only looked at.

--deep compares all that the server has worked out (where pulls find what is new,
who may see what, by what lists go) with the records and logs that it follows
from, from the first row on, also while the server runs. --repair puts right what
is not so; devices get it with their next pull. Records and logs are never
touched: what is wrong of those, only a backup mends.`

// errSick says that something has to be mended, and that it has been said what.
var errSick = errors.New("some of it has to be mended")

// doctor checks one part after another and prints what it finds.
type doctor struct {
	*console
	cfg          config.Config
	deep, repair bool
	sick         bool
}

func runDoctor(ctx context.Context, c *console, args []string) error {
	set := c.flags("doctor", doctorHelp)
	d := &doctor{console: c}
	set.BoolVar(&d.deep, "deep", false, "compare all that is derived with what it follows from")
	set.BoolVar(&d.repair, "repair", false, "with --deep: put right what can be worked out")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if d.repair && !d.deep {
		return errors.New("--repair goes with --deep")
	}
	cfg, err := c.config()
	if err != nil {
		d.fail("settings", err)
		return errSick
	}
	d.cfg = cfg
	d.settings()
	d.checkAddress(ctx)
	d.checkDatabase(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case d.sick:
		return errSick
	}
	c.say("\nall is well")
	return nil
}

// settings prints what is in force. Secrets stay what they are.
func (d *doctor) settings() {
	for _, s := range d.cfg.Settings() {
		value := s.Value
		if value == "" {
			value = "-"
		}
		d.say("      %-25s %s", s.Name, value)
	}
	d.say("")
}

func (d *doctor) ok(what, format string, args ...any) {
	d.say("ok    %-10s "+format, append([]any{what}, args...)...)
}

// fail prints what is wrong, which ends in what mends it.
func (d *doctor) fail(what string, err error) {
	d.sick = true
	d.say("FAIL  %-10s %s", what, strings.ReplaceAll(explain(err), "\n", "\n"+strings.Repeat(" ", 17)))
}

// checkAddress tries what serve would do first.
func (d *doctor) checkAddress(ctx context.Context) {
	addr := d.cfg.Addr
	switch {
	case answers(ctx, addr, "/readyz"):
		d.ok("address", "a Roadbook serves on %s", urlOf(addr))
		return
	case answers(ctx, addr, "/healthz"):
		d.fail("address", errs.New("roadbook.doctor", errs.Busy, "the Roadbook on %s cannot serve yet: wait until it has "+
			"started; if that takes long, look at what it says", urlOf(addr)))
		return
	}
	listener, err := listen(ctx, addr)
	if err != nil {
		d.fail("address", err)
		return
	}
	_ = listener.Close()
	d.ok("address", "%s is free", addr)
}

func (d *doctor) checkDatabase(ctx context.Context) {
	in, err := d.open(ctx, d.cfg)
	switch {
	case err == nil:
		defer in.close(ctx)
		d.ok("database", "%s%s", in.database(d.cfg), forThisLook(in))
		d.checkKey(in)
		d.checkSchema(ctx, in.pool, in.local != nil)
		d.checkBlobs(ctx, in.folder)
	case d.deep && d.cfg.DatabaseURL.IsZero() && errs.KindOf(err) == errs.Busy:
		d.checkBeside(ctx, err)
	case d.inUse(ctx, err):
		d.ok("database", "in use by the Roadbook on %s, which finds it in order; stop that one to have more checked", urlOf(d.cfg.Addr))
	default:
		d.fail("database", err)
	}
}

// checkBeside looks at our database while a server is at work on it, whatever
// its address is.
func (d *doctor) checkBeside(ctx context.Context, busy error) {
	dsn, where, ok := localpg.RunningAt(d.cfg.Data, ownDatabase)
	if !ok {
		d.fail("database", busy)
		return
	}
	pool, err := pg.Open(ctx, dsn)
	if err != nil {
		d.fail("database", err)
		return
	}
	defer pool.Close()
	d.ok("database", "%s, in use by a server, beside which it is looked at", where)
	d.checkSchema(ctx, pool, true)
	d.checkBlobs(ctx, where)
}

// checkBlobs reads all photos and other files: what is damaged comes back from a
// backup, or from the phone that took it.
func (d *doctor) checkBlobs(ctx context.Context, folder string) {
	if !d.deep {
		return
	}
	damaged := 0
	all, bytes, err := checkBlobs(ctx, blobsAt(folder), func(h attachments.Hash) {
		if damaged++; damaged <= mostTold {
			d.say("wrong %-10s %s is not what its name says", "files", h)
		}
	})
	switch {
	case err != nil:
		d.fail("files", err)
	case damaged > 0:
		d.fail("files", errs.New("roadbook.doctor", errs.Invalid, "%s of %s photos and other files are damaged in %s: put those "+
			"of the backups' folder blobs in their place, or remove them, and the phones that took them send them again", thousands(damaged), thousands(all),
			filepath.Join(folder, blobsFolder)))
	default:
		d.ok("files", "%s photos and other files, %s MB, each is what it was", thousands(all), thousands(int(bytes>>20)))
	}
}

// forThisLook is said of a PostgreSQL that runs only because of the doctor.
func forThisLook(in *installation) string {
	if in.local == nil {
		return ""
	}
	return "; it is stopped again after this look"
}

// inUse reports whether our data is busy because our server serves it.
func (d *doctor) inUse(ctx context.Context, err error) bool {
	return d.cfg.DatabaseURL.IsZero() && errs.KindOf(err) == errs.Busy && answers(ctx, d.cfg.Addr, "/readyz")
}

func (d *doctor) checkKey(in *installation) {
	path := filepath.Join(in.folder, keyFile)
	switch _, err := readKey(path); {
	case d.cfg.Key() != nil:
		d.ok("key", "the one in ROADBOOK_SECRET")
	case err == nil:
		d.ok("key", "%s", path)
	case errs.KindOf(err) == errs.Invalid:
		d.fail("key", err)
	default:
		d.ok("key", "the first start makes %s", path)
	}
}
