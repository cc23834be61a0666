package main

import (
	"context"
	"strconv"
	"time"

	"roadbook/backup"
	"roadbook/config"
	"roadbook/errs"
	"roadbook/migrations"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
)

const restoreHelp = `
It works beside what is in ROADBOOK_DATA and only at the end takes its place;
what was there is kept aside. The server must not run.

--to is a moment (2026-11-22T09:30:00+08:00) or a row of an org's log (a seq):
that is exact, and takes twice as long. All orgs come to the same moment.

A new epoch begins for every org: devices notice, and send what the server has
lost again. The installation's key must be that of then: see “roadbook backup
--help”.`

// checkRows is how much of each log --verify works out anew.
const checkRows record.Seq = 10_000

func runRestore(ctx context.Context, c *console, args []string) error {
	set := c.flags("restore", restoreHelp)
	from := set.String("from", "", "the backup folder, in place of ROADBOOK_BACKUP_DIR")
	id := set.String("backup", "", "which backup; the last one before the point unless said")
	to := set.String("to", "", "a moment, or a seq; everything there is unless said")
	org := set.Int("org", 0, "the number of the org whose seq it is, as “roadbook backup list” shows it")
	identity := set.String("identity", "", "the file with the age identity that opens encrypted backups")
	verify := set.Bool("verify", false, "verify the backup before, and the logs after")
	replace := set.Bool("replace", false, "put the database that is there aside")
	newKey := set.Bool("new-key", false, "go on with another key, or none: everybody signs in again")
	if err := c.parse(set, args); err != nil {
		return err
	}
	r, err := c.copier(*from)
	if err != nil {
		return err
	}
	o := backup.RestoreOptions{
		Folder: r.folder, ID: *id, Data: r.cfg.Data, Bin: r.cfg.PGBin, Replace: *replace, NewKey: *newKey, Tell: c.say,
		Org: record.OrgID(*org), Until: *to,
		Key:   func(folder string) ([]byte, error) { return keptKey(r.cfg, folder) },
		Blobs: func(folder string) backup.Blobs { return copied{blobsAt(folder)} },
		Begin: func(ctx context.Context, dsn string) error { return r.begin(ctx, dsn, *verify) },
	}
	if !r.cfg.DatabaseURL.IsZero() {
		return errs.New("roadbook.restore", errs.Invalid, "a PostgreSQL of yours is restored by hand, as docs/operations.md "+
			"says; leave ROADBOOK_DATABASE_URL empty to restore into ROADBOOK_DATA")
	}
	if o.With, err = backup.ReadIdentities(*identity); err != nil {
		return err
	}
	if o.At, o.Seq, err = point(*to); err != nil {
		return err
	}
	if err := r.oneOrg(&o); err != nil {
		return err
	}
	if *verify {
		if err := r.verify(ctx, *id, *identity); err != nil {
			return err
		}
	}
	done, err := backup.Restore(ctx, o)
	if err != nil {
		return err
	}
	return r.tell(done)
}

// point reads what --to says.
func point(text string) (at time.Time, seq record.Seq, err error) {
	if text == "" {
		return at, 0, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		return at, record.Seq(n), nil
	}
	if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
		return at, 0, errs.New("roadbook.restore", errs.Invalid, "--to is %q, which is neither a moment such as "+
			"2026-11-22T09:30:00+08:00 nor a seq", text)
	}
	return at, 0, nil
}

// oneOrg finds whose seq it is, where that is plain.
func (c *copier) oneOrg(o *backup.RestoreOptions) error {
	if o.Seq == 0 || o.Org != 0 {
		return nil
	}
	m, err := c.folder.Find("")
	if err != nil {
		return err
	}
	if len(m.Heads) != 1 {
		return errs.New("roadbook.restore", errs.Invalid, "say whose seq it is, with --org: there are %d orgs", len(m.Heads))
	}
	o.Org = m.Heads[0].Org
	return nil
}

// begin brings a restored database to this program's schema and begins new
// epochs.
func (c *copier) begin(ctx context.Context, dsn string, verify bool) error {
	pool, err := pg.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := migrations.Up(ctx, pool); err != nil {
		return err
	}
	engine := newEngine(pool, make([]byte, config.KeyBytes), observers{log: c.logger(c.cfg)}, nil) // it signs nothing
	defer engine.Close()
	if verify {
		ends, err := store.LogEnds(ctx, pool)
		if err != nil {
			return err
		}
		for _, e := range ends {
			rows, err := engine.Store.CheckLog(ctx, e.Org, checkRows)
			if err != nil {
				return err
			}
			c.say("the last %d rows of the log of org %d are as they were written", rows, e.Org)
		}
	}
	_, err = engine.Reborn(ctx, "the database was restored from a backup")
	return err
}

func (c *copier) tell(done backup.Restored) error {
	for _, e := range done.Ends {
		c.say("org %d is as it was at seq %d of the epoch %s", e.Org, e.Seq, e.Epoch)
	}
	if done.Aside != "" {
		c.say("what was there before is in %s, in %s: remove it when you are sure", done.Aside, done.Dir)
	}
	if done.Blobs > 0 {
		c.say("%s photos and other files that were not there were put back", thousands(done.Blobs))
	}
	if done.Key != "" {
		c.say("the installation's key came from the backup, and is in %s", done.Key)
	}
	c.say("restored to %s; now: roadbook serve", done.Dir)
	return nil
}

// A PostgreSQL that somebody restored by hand can be read before it has come to
// the end of its archive. How long that is waited for, and how often it is asked.
const (
	recoversWithin = 10 * time.Second
	recoveryPolled = 200 * time.Millisecond
)

// ours refuses a database that only follows another.
func ours(ctx context.Context, pool *pg.Pool) error {
	for begun := now(); ; {
		f, err := pg.FollowerOf(ctx, pool)
		if err != nil || !f.Standby {
			return err
		}
		if f.Streaming || now().Sub(begun) > recoversWithin {
			return errs.New("roadbook.open", errs.Invalid, "this database is a standby and takes no changes: “roadbook standby” has it "+
				"follow, “roadbook promote” has it take the place of the other; one that is still being restored is served once it is through")
		}
		if err := sleep(ctx, recoveryPolled); err != nil {
			return err
		}
	}
}
