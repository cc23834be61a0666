package backup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"roadbook/errs"
	"roadbook/store/pg"
)

// The names under which PostgreSQL knows the archive. What the second one has
// received is on the same disk until it is encrypted, so it proves nothing.
const (
	archiveSlot = "roadbook_archive"
	spoolSlot   = pg.Spool
)

// retryEvery is how long the archive waits before it tries again.
const retryEvery = 5 * time.Second

// tellEvery is after how many tries the same fault is told again: each minute.
const tellEvery = 12

// Archive receives the WAL as it is written and keeps it in a backup folder:
// with it a backup can be brought to any moment after it was taken, up to the
// last second.
type Archive struct {
	Source Source
	Folder Folder
	To     Recipients
	Spool  string      // where the WAL waits to be encrypted; of the database's own machine
	Fault  func(error) // told what keeps the archive from going on
	Gap    func()      // told that something is missing, and that a backup is due

	ending   atomic.Bool
	archived atomic.Uint64
}

// Archived is the place up to which an encrypted archive holds the WAL. Of one
// that is not encrypted, PostgreSQL knows (pg.Confirmed).
func (a *Archive) Archived() pg.LSN { return pg.LSN(a.archived.Load()) }

// Ending says that the database is about to stop, which then ends the archive
// with its last byte.
func (a *Archive) Ending() { a.ending.Store(true) }

// Forget lets PostgreSQL throw away WAL that no archive takes any more: where
// none is wanted, or one of the other kind.
func Forget(ctx context.Context, pool *pg.Pool) error {
	if err := pg.DropSlot(ctx, pool, archiveSlot); err != nil {
		return err
	}
	return pg.DropSlot(ctx, pool, spoolSlot)
}

// Run archives until ctx ends, or the database after Ending. What goes wrong on
// the way is told and tried again: phones must not notice that a disk is full.
func (a *Archive) Run(ctx context.Context) {
	said, tries := "", 0
	for ctx.Err() == nil && !a.ending.Load() {
		err := a.session(ctx)
		if err == nil || ctx.Err() != nil || a.ending.Load() {
			continue
		}
		if text := err.Error(); text != said || tries%tellEvery == 0 {
			said, tries = text, 0
			a.Fault(fmt.Errorf("the archive does not go on, and is tried again: %w", err))
		}
		tries++
		wait(ctx, retryEvery)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// session receives for as long as nothing comes in between.
func (a *Archive) session(ctx context.Context) error {
	cluster, err := pg.ClusterOf(ctx, a.Source.Pool)
	if err != nil {
		return err
	}
	if err := a.Folder.claim(cluster.System); err != nil {
		return err
	}
	lost, err := a.slot(ctx)
	if err != nil {
		return err
	}
	keep, err := a.Folder.room(cluster.Timeline, lost)
	if err != nil {
		return err
	}
	receive := keep
	if len(a.To) > 0 {
		receive = filepath.Join(a.Spool, filepath.Base(keep))
		if err := os.MkdirAll(receive, 0o700); err != nil {
			return errs.New("backup.Archive", errs.Invalid, "%s cannot be made", receive).Because(err)
		}
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	ended, err := a.Source.Tools.Start(ctx, nil, a.Source.DSN, "pg_receivewal",
		"--directory="+receive, "--slot="+a.slotName(), "--synchronous", "--no-loop")
	if err != nil {
		return err
	}
	if len(a.To) == 0 {
		return <-ended
	}
	s := ship{from: receive, to: keep, readers: a.To, size: cluster.Segment, pool: a.Source.Pool, archived: &a.archived}
	return s.run(ctx, ended, end)
}

func (a *Archive) slotName() string {
	if len(a.To) > 0 {
		return spoolSlot
	}
	return archiveSlot
}

func (a *Archive) otherSlot() string {
	if len(a.To) > 0 {
		return archiveSlot
	}
	return spoolSlot
}

// slot makes PostgreSQL keep what the archive has not received. If it had to
// give that up, because it was too much, the archive has a gap.
func (a *Archive) slot(ctx context.Context) (lost bool, err error) {
	slot, found, err := pg.SlotOf(ctx, a.Source.Pool, a.slotName())
	if err != nil {
		return false, err
	}
	if found && slot.Lost {
		if err := pg.DropSlot(ctx, a.Source.Pool, a.slotName()); err != nil {
			return false, err
		}
	}
	lost = found && slot.Lost
	if err := pg.DropSlot(ctx, a.Source.Pool, a.otherSlot()); err != nil { // it was encrypted before, or not
		return lost, err
	}
	if err := pg.MakeSlot(ctx, a.Source.Pool, a.slotName()); err != nil {
		return lost, err
	}
	if lost || !found {
		a.Gap()
	}
	return lost || !found, nil
}

// room is the folder into which a timeline is received: the last that was used,
// or a new one. Behind a gap it must be new, because whoever receives goes on
// behind what he finds there.
func (f Folder) room(timeline string, fresh bool) (string, error) {
	last := 0
	entries, _ := os.ReadDir(f.wal())
	for _, e := range entries {
		of, number, _ := strings.Cut(e.Name(), ".")
		if n, err := strconv.Atoi(number); err == nil && of == timeline {
			last = max(last, n)
		}
	}
	if fresh || last == 0 {
		last++
	}
	dir := filepath.Join(f.wal(), timeline+"."+strconv.Itoa(last))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", errs.New("backup.Archive", errs.Invalid, "%s cannot be made: make room, or name another folder", dir).
			Because(err)
	}
	return dir, nil
}
