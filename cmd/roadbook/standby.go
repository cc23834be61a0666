package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"roadbook/backup"
	"roadbook/config"
	"roadbook/errs"
	"roadbook/localpg"
)

const standbyHelp = `
It copies the database that --of names into ROADBOOK_DATA, which must be another
folder, and follows it until Ctrl-C. Stopped, it goes on where it was: the other
keeps for it what it has not received, up to 8 GB.

While it is stopped, devices keep in their journals what it lacks; if it is not
to come back, say --forget.

It serves nobody. When the other is gone for good, “roadbook promote” with the
same ROADBOOK_DATA makes it take over; then run “roadbook serve” on it.`

const promoteHelp = `
Stop the other database for good first: two that take changes part for ever.
Begins a new epoch for every org: devices notice, and send again what had not
reached the standby. Promote the one that was following, not one that had been
away.`

func runStandby(ctx context.Context, c *console, args []string) error {
	set := c.flags("standby", standbyHelp)
	of := set.String("of", "", "what it follows: the data folder of a server on this machine, or postgres://user:password@host:5432/name")
	name := set.String("name", "one", "what it is called there, if there are several")
	forget := set.Bool("forget", false, "end it for good: the other keeps nothing for it any more")
	if err := c.parse(set, args); err != nil {
		return err
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	s := backup.Standby{Data: cfg.Data, Bin: cfg.PGBin, Name: *name, Tell: c.say}
	if s.Primary, err = primary(*of); err != nil {
		return err
	}
	if *forget {
		return s.Forget(ctx)
	}
	server, err := s.Follow(ctx)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		_ = server.Stop(ctx)
	}()
	if err := c.bringKey(cfg, *of, server.Dir()); err != nil {
		return err
	}
	c.say("a standby is in %s; Ctrl-C stops it", server.Dir())
	promoted, err := backup.Watch(ctx, server, c.say)
	if promoted {
		c.say("it was promoted: stop this one and run “roadbook serve” on the same folder")
		select {
		case <-ctx.Done():
		case <-server.Done():
			err = server.Err()
		}
	}
	return err
}

// primary is the address of what is to be followed.
func primary(of string) (string, error) {
	switch {
	case of == "":
		return "", errs.New("roadbook.standby", errs.Invalid, "say what it follows, with --of")
	case strings.HasPrefix(of, "postgres://") || strings.HasPrefix(of, "postgresql://"):
		return of, nil
	}
	dsn, _, ok := localpg.RunningAt(of, ownDatabase)
	if !ok {
		return "", errs.New("roadbook.standby", errs.Busy, "no server runs on the folder %s: start it first", of)
	}
	return dsn, nil
}

// bringKey sees to it that the standby can take over: without the key nobody
// stays signed in.
func (c *console) bringKey(cfg config.Config, of, folder string) error {
	if key, err := keptKey(cfg, folder); err != nil || key != nil {
		return err
	}
	if _, where, ok := localpg.RunningAt(of, ownDatabase); ok {
		key, err := readKey(filepath.Join(where, keyFile))
		if err == nil {
			return keepKey(filepath.Join(folder, keyFile), key)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	c.warn("roadbook: the installation's key is not in %s: put secret.key there, or set ROADBOOK_SECRET, before this one has "+
		"to take over", folder)
	return nil
}

func runPromote(ctx context.Context, c *console, args []string) error {
	set := c.flags("promote", promoteHelp)
	force := set.Bool("force", false, "although the other still answers: nobody can reach it any more")
	newKey := set.Bool("new-key", false, "go on without the installation's key: everybody signs in again")
	if err := c.parse(set, args); err != nil {
		return err
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	dsn, folder, done, err := c.standbyAt(ctx, cfg)
	if err != nil {
		return err
	}
	defer done()
	if key, err := keptKey(cfg, folder); err != nil || key == nil && !*newKey {
		return errors.Join(err, errs.New("roadbook.promote", errs.Missing, "the installation's key is not in %s: put the kept "+
			"secret.key there, or give it in ROADBOOK_SECRET; --new-key goes on without, and everybody signs in again", folder))
	}
	if err := backup.Promote(ctx, dsn, *force); err != nil {
		return err
	}
	p := &copier{console: c, cfg: cfg}
	if err := p.begin(ctx, dsn, false); err != nil {
		return err
	}
	c.say("promoted, with a new epoch for every org; stop “roadbook standby” if it runs, and start “roadbook serve” on %s", folder)
	return nil
}

// standbyAt is the standby in the data folder, started if it does not run.
func (c *console) standbyAt(ctx context.Context, cfg config.Config) (dsn, folder string, done func(), err error) {
	if dsn, where, ok := localpg.RunningAt(cfg.Data, ownDatabase); ok {
		return dsn, where, func() {}, nil
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, "pg", "standby.signal")); err != nil {
		return "", "", nil, errs.New("roadbook.promote", errs.Missing, "there is no standby in %s: name its folder in ROADBOOK_DATA", cfg.Data)
	}
	server, err := localpg.Open(ctx, localpg.Config{Dir: cfg.Data, Bin: cfg.PGBin, Logf: c.say})
	if err != nil {
		return "", "", nil, err
	}
	return server.DSN(ownDatabase), server.Dir(), func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		_ = server.Stop(ctx)
	}, nil
}
