package main

import (
	"context"
	"path/filepath"
	"time"

	"roadbook/backup"
	"roadbook/config"
	"roadbook/errs"
	"roadbook/localpg"
	"roadbook/store/pg"
)

const backupHelp = `
“roadbook backup list” shows the backups and up to when each can be restored,
“roadbook backup --verify” looks whether the newest can be, without taking one.

A backup can be taken while the server runs, and while it does not. Of a
database of yours (ROADBOOK_DATABASE_URL) the user must be allowed to replicate.

The installation's key is not in it, unless you say --with-key: keep a copy of
secret.key, or of ROADBOOK_SECRET, in another place. Without that key nobody
stays signed in, and devices cannot prove what the server had acknowledged.`

// copier is a command on backups.
type copier struct {
	*console
	cfg    config.Config
	folder backup.Folder
}

func (c *console) copier(dir string) (*copier, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	if dir == "" {
		dir = cfg.BackupDir
	}
	if dir == "" {
		return nil, errs.New("roadbook.backup", errs.Invalid, "name the folder of the backups, in ROADBOOK_BACKUP_DIR or as a flag")
	}
	dir, err = filepath.Abs(dir)
	return &copier{c, cfg, backup.At(dir)}, err
}

func runBackup(ctx context.Context, c *console, args []string) error {
	set := c.flags("backup", backupHelp)
	to := set.String("to", "", "the backup folder, in place of ROADBOOK_BACKUP_DIR")
	verify := set.Bool("verify", false, "look whether a backup can be restored, in place of taking one")
	id := set.String("backup", "", "which one to verify; the newest unless said")
	identity := set.String("identity", "", "the file with the age identity that opens encrypted backups")
	withKey := set.Bool("with-key", false, "put the installation's key into the backup")
	list := len(args) > 0 && args[0] == "list"
	if list {
		args = args[1:]
	}
	if err := c.parse(set, args); err != nil {
		return err
	}
	o, err := c.copier(*to)
	switch {
	case err != nil:
		return err
	case list:
		return o.list()
	case *verify:
		return o.verify(ctx, *id, *identity)
	}
	return o.take(ctx, *withKey)
}

func (c *copier) list() error {
	all, err := c.folder.List()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		c.say("there are no backups yet")
		return nil
	}
	c.say("%-18s %-22s %-22s %9s  %s", "backup", "finished", "can be restored up to", "MB", "orgs, each with the seq of its head")
	for _, l := range all {
		if l.Fault != nil {
			c.say("%-18s %s", l.ID, explain(l.Fault))
			continue
		}
		c.say("%-18s %-22s %-22s %9d  %s", l.ID, l.Ended.Format(time.RFC3339), c.folder.Reach(l.Manifest).UTC().Format(time.RFC3339),
			l.Bytes()>>20, l.HeadsText())
	}
	return nil
}

func (c *copier) verify(ctx context.Context, id, identity string) error {
	m, err := c.folder.Find(id)
	if err != nil {
		return err
	}
	with, err := backup.ReadIdentities(identity)
	if err != nil {
		return err
	}
	tools, err := localpg.FindTools(ctx, c.cfg.PGBin, m.PostgreSQL.Major)
	if err != nil {
		return err
	}
	found, err := c.folder.Verify(ctx, tools, m, with)
	if err != nil {
		return err
	}
	c.say("the backup %s is whole, and so is the archive behind it: %d files of the WAL, up to %s", m.ID, found.Files, found.UpTo)
	return nil
}

func (c *copier) take(ctx context.Context, withKey bool) error {
	from, folder, done, err := c.source(ctx)
	if err != nil {
		return err
	}
	defer done()
	from.Blobs = copied{blobsAt(folder)}
	key, err := keptKey(c.cfg, folder)
	if err == nil && key == nil {
		err = errs.New("roadbook.backup", errs.Missing, "the installation's key is not in %s: start the server once, or give "+
			"it in ROADBOOK_SECRET", folder)
	}
	if err != nil {
		return err
	}
	to, err := backup.ParseRecipients(c.cfg.BackupTo)
	if err != nil {
		return err
	}
	m, err := backup.Take(ctx, from, backup.Options{
		Folder: c.folder, To: to, Key: key, WithKey: withKey, Program: version(), Now: now, Tell: c.say,
	})
	if err != nil {
		return err
	}
	c.say("the backup %s is whole: %d MB, %s", m.ID, m.Bytes()>>20, m.HeadsText())
	if n := len(m.Blobs); n > 0 {
		c.say("with %s photos and other files, which all backups share", thousands(n))
	}
	if withKey && !m.Encrypted {
		c.warn("roadbook: the key lies in it as it is; whoever reads the backup can sign in as anybody")
	}
	gone, err := c.folder.Keep(int(c.cfg.BackupKeep))
	for _, id := range gone {
		c.say("removed the old backup %s", id)
	}
	return err
}

// source is the database: of a server that runs, of one that is started for
// this, or the operator's own.
func (c *copier) source(ctx context.Context) (from backup.Source, folder string, done func(), err error) {
	if dsn, where, ok := localpg.RunningAt(c.cfg.Data, ownDatabase); ok && c.cfg.DatabaseURL.IsZero() {
		pool, err := pg.Open(ctx, dsn)
		if err != nil {
			return from, "", nil, err
		}
		from, err = sourceOf(ctx, c.cfg, pool, dsn)
		return from, where, pool.Close, err
	}
	in, err := c.open(ctx, c.cfg)
	if err != nil {
		return from, "", nil, err
	}
	from, err = in.source(ctx, c.cfg)
	if err != nil {
		in.close(ctx)
	}
	return from, in.folder, func() { in.close(ctx) }, err
}

// source is the installation's database as what is to be backed up.
func (in *installation) source(ctx context.Context, cfg config.Config) (backup.Source, error) {
	if in.local != nil {
		return backup.Source{Pool: in.pool, DSN: in.local.DSN(ownDatabase), Tools: in.local.Tools()}, nil
	}
	from, err := sourceOf(ctx, cfg, in.pool, cfg.DatabaseURL.Reveal())
	from.Theirs = true
	return from, err
}

func sourceOf(ctx context.Context, cfg config.Config, pool *pg.Pool, dsn string) (backup.Source, error) {
	cluster, err := pg.ClusterOf(ctx, pool)
	if err != nil {
		return backup.Source{}, err
	}
	tools, err := localpg.FindTools(ctx, cfg.PGBin, cluster.Major)
	return backup.Source{Pool: pool, DSN: dsn, Tools: tools}, err
}
