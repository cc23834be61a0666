package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"roadbook/backup"
	"roadbook/localpg"
	"roadbook/modules/people"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync"
)

// restoreNewest restores the operator's backup, as “roadbook restore” does.
func (d *rehearsing) restoreNewest(ctx context.Context, folder string) (done backup.Restored, err error) {
	with, err := backup.ReadIdentities(d.identity)
	if err != nil {
		return done, err
	}
	if d.key, err = keptKey(d.cfg, d.cfg.Data); err != nil {
		return done, err
	}
	start := now()
	done, err = backup.Restore(ctx, backup.RestoreOptions{
		Folder: d.copier.folder, ID: d.id, With: with, Data: folder, Bin: d.cfg.PGBin, Tell: silent,
		Key:   func(string) ([]byte, error) { return d.key, nil },
		Begin: func(ctx context.Context, dsn string) error { return d.begin(ctx, dsn, false) },
	})
	if err != nil {
		return done, err
	}
	d.down = now().Sub(start)
	d.say("restored  the backup %s, taken %s, with what the archive has: %d MB in %s",
		done.Manifest.ID, done.Manifest.Ended.Format(time.RFC3339), done.Manifest.Bytes()>>20, seconds(d.down))
	return done, d.bringOwnKey(folder)
}

// bringOwnKey sees to it that the servers of the drill have the key: devices
// prove with it what was acknowledged.
func (d *rehearsing) bringOwnKey(folder string) (err error) {
	path := filepath.Join(folder, keyFile)
	if d.key == nil { // it was in the backup
		d.key, err = readKey(path)
		return err
	}
	return keepKey(path, d.key)
}

// restoreOwn restores the drill's own backup, from before the devices' work.
func (d *rehearsing) restoreOwn(ctx context.Context, kept backup.Folder, folder string) error {
	_, err := backup.Restore(ctx, backup.RestoreOptions{
		Folder: kept, Data: folder, Bin: d.cfg.PGBin, Tell: silent, Fast: true, // nobody waits for it but the drill
		Key:   func(string) ([]byte, error) { return d.key, nil },
		Begin: func(ctx context.Context, dsn string) error { return d.begin(ctx, dsn, false) },
	})
	if err != nil {
		return err
	}
	return d.bringOwnKey(folder)
}

// serveTimed serves it, which is what people would have waited for.
func (d *rehearsing) serveTimed(ctx context.Context, folder string) (*rehearsal, error) {
	start := now()
	r, err := d.rehearse(ctx, d.cfg, folder)
	d.down += now().Sub(start)
	return r, err
}

// lookBack says how far each org came back, and holds its log to that of the
// server that runs, if one does.
func (d *rehearsing) lookBack(ctx context.Context, one *rehearsal, ends []store.LogEnd) error {
	running, err := d.running(ctx)
	if err != nil {
		d.say("note      the server does not answer, so nobody knows how far it has come since: %s", explain(err))
	}
	if running != nil {
		defer running.Close()
	}
	for _, e := range ends {
		at, err := store.LookAt(ctx, one.pool, e.Org, e.Seq)
		if err != nil {
			return err
		}
		d.say("          org %d up to seq %d of the epoch %s, written %s", e.Org, e.Seq, e.Epoch, at.At.UTC().Format(time.RFC3339))
		if running != nil {
			if err := d.lookAside(ctx, running, e, at.Chain); err != nil {
				return err
			}
		}
	}
	return nil
}

// running is the server's own database. It is only read.
func (d *rehearsing) running(ctx context.Context) (*people.Pool, error) {
	dsn := d.cfg.DatabaseURL.Reveal()
	if d.cfg.DatabaseURL.IsZero() {
		var ok bool
		if dsn, _, ok = localpg.RunningAt(d.cfg.Data, ownDatabase); !ok {
			return nil, fmt.Errorf("no database runs in %s", d.cfg.Data)
		}
	}
	return pg.Open(ctx, dsn, pg.MaxConns(2))
}

// lookAside compares logs: each row's hash covers all rows before it.
func (d *rehearsing) lookAside(ctx context.Context, running *people.Pool, e store.LogEnd, chain []byte) error {
	is, err := store.LookAt(ctx, running, e.Org, e.Seq)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(is.Chain, chain):
		d.differ("org %d: up to seq %d the log is another than that of the server that runs", e.Org, e.Seq)
	case is.Next.IsZero():
		d.say("          that is all that the server has, hash by hash")
	default:
		d.say("          up to there its log is that of the server, hash by hash, which is at %d now: it has what came after %s more",
			is.Head, is.Next.UTC().Format(time.RFC3339))
	}
	return nil
}

// lookDeep looks at a database as “roadbook doctor --deep” does.
func (d *rehearsing) lookDeep(ctx context.Context, r *rehearsal, what string) error {
	orgs, err := store.LogEnds(ctx, r.pool)
	if err != nil {
		return err
	}
	var rows, records, wrong int
	for _, o := range orgs {
		done, err := r.engine.Inspect(ctx, o.Org, false, func(f sync.Finding) {
			if wrong++; wrong <= mostTold {
				d.differ("%s: %s: %s", what, f.What, f.Text)
			}
		})
		if err != nil {
			return err
		}
		rows, records = rows+done.Rows, records+done.Records
	}
	d.say("inspected the %s server: %s rows of the logs, %s records: %s", what, thousands(rows), thousands(records), none(wrong, "wrong"))
	return nil
}

// none is “none differ”, or “3 differ”.
func none(n int, what string) string {
	if n == 0 {
		return "none " + what
	}
	return thousands(n) + " " + what
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
