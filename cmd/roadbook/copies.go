package main

import (
	"context"
	"path/filepath"
	"time"

	"roadbook/backup"
	"roadbook/errs"
	"roadbook/store/durable"
)

const (
	// lookEvery is how often it is asked whether a backup is due.
	lookEvery = time.Minute

	// archiveWithin is what the archive gets to put down what it has in hand
	// after the database has ended.
	archiveWithin = 15 * time.Second
)

// copies keeps the database elsewhere while the server runs: an archive, and
// a backup now and then.
type copies struct {
	archive *backup.Archive
	due     chan struct{}
	end     context.CancelFunc
	ended   chan struct{}
}

// keep begins them, if there is a folder for them, and in any case follows what
// is elsewhere already.
func (s *server) keep(ctx context.Context, key []byte) error {
	if err := s.startArchive(ctx, key); err != nil {
		return err
	}
	source := durable.Database{Pool: s.in.pool}
	if a := s.copies.archive; a != nil && len(a.To) > 0 {
		source.Archived = a.Archived
	}
	s.durable = durable.New(source)
	s.behind.Go(func() error {
		ticks := time.NewTicker(durable.Every)
		defer ticks.Stop()
		s.durable.Run(ctx, ticks.C, s.fault)
		return nil
	})
	return nil
}

func (s *server) startArchive(ctx context.Context, key []byte) error {
	if s.cfg.BackupDir == "" {
		if s.in.local == nil {
			return nil // whose archive it is, nobody here knows
		}
		return backup.Forget(ctx, s.in.pool)
	}
	to, err := backup.ParseRecipients(s.cfg.BackupTo)
	if err != nil {
		return err
	}
	from, err := s.in.source(ctx, s.cfg)
	if err != nil {
		return err
	}
	from.Blobs = copied{blobsAt(s.in.folder)}
	dir, err := filepath.Abs(s.cfg.BackupDir)
	if err != nil {
		return err
	}
	s.copies.due = make(chan struct{}, 1)
	s.copies.archive = &backup.Archive{
		Source: from, Folder: backup.At(dir), To: to, Spool: filepath.Join(s.in.folder, "spool"), Fault: s.fault,
		Gap: func() {
			select {
			case s.copies.due <- struct{}{}:
			default:
			}
		},
	}
	var running context.Context
	running, s.copies.end = context.WithCancel(context.WithoutCancel(ctx))
	s.copies.ended = make(chan struct{})
	go func() {
		defer close(s.copies.ended)
		s.copies.archive.Run(running)
	}()
	options := backup.Options{Folder: backup.At(dir), To: to, Key: key, Program: version(), Now: now, Tell: s.say}
	s.behind.Go(func() error { return s.backups(ctx, from, options) })
	return nil
}

// backups takes one whenever it is time, or when the archive has begun anew. To
// fail at it is no reason to end: the next minute tries again.
func (s *server) backups(ctx context.Context, from backup.Source, o backup.Options) error {
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for asked := false; ; {
		if err := s.backupIfDue(ctx, from, o, asked); err != nil && ctx.Err() == nil {
			s.fault(err)
		} else {
			asked = false
		}
		select {
		case <-ticks.C:
		case <-s.copies.due:
			asked = true
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *server) backupIfDue(ctx context.Context, from backup.Source, o backup.Options, asked bool) error {
	last, err := o.Folder.Newest()
	if err != nil || !asked && now().Sub(last) < s.cfg.BackupEvery {
		return err
	}
	m, err := backup.Take(ctx, from, o)
	if errs.KindOf(err) == errs.Busy {
		return nil // somebody takes one by hand
	}
	if err != nil {
		return err
	}
	s.say("the backup %s is whole", m.ID)
	_, err = o.Folder.Keep(int(s.cfg.BackupKeep))
	return err
}

// close ends the archive behind the database, so that it gets the last byte.
func (c *copies) close(database func()) {
	if c.archive == nil {
		database()
		return
	}
	c.archive.Ending()
	database()
	if c.archive.Source.Theirs {
		c.end() // their database goes on
	}
	timer := time.NewTimer(archiveWithin)
	defer timer.Stop()
	select {
	case <-c.ended:
	case <-timer.C:
	}
	c.end()
	<-c.ended
}
