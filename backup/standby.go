package backup

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"roadbook/errs"
	"roadbook/localpg"
	"roadbook/store/pg"
)

const (
	standbyPrefix = "roadbook_standby_"
	standbySignal = "standby.signal"
	autoConf      = "postgresql.auto.conf"
	standbyRoom   = "standby-new"
	askEvery      = time.Second
	maxSlotName   = 63
)

// Standby is a second PostgreSQL that follows another and can take its place.
type Standby struct {
	Data, Bin string
	Name      string // of its slot, behind a prefix; letters, digits and _
	Primary   string // the address of the database that it follows
	Fast      bool   // for tests
	Tell      func(format string, args ...any)
}

// Follow makes the standby if its data folder is empty, starts it, and returns
// it once it can be asked. One that was stopped goes on where it was.
func (s Standby) Follow(ctx context.Context) (*localpg.Server, error) {
	site, err := localpg.Hold(ctx, localpg.Config{Dir: s.Data, Bin: s.Bin, Fast: s.Fast, Logf: s.Tell})
	if err != nil {
		return nil, err
	}
	dir := site.Dir()
	if site.Occupied() {
		err = isStandby(dir)
	} else {
		err = s.make(ctx, site)
	}
	site.Release()
	if err != nil {
		return nil, err
	}
	return localpg.Open(ctx, localpg.Config{Dir: dir, Bin: s.Bin, Fast: s.Fast, Logf: s.Tell})
}

// Forget has the primary keep nothing for the standby any more. It must have
// been stopped.
func (s Standby) Forget(ctx context.Context) error {
	slot, err := s.slot()
	if err != nil {
		return err
	}
	pool, err := pg.Open(ctx, s.Primary, pg.MaxConns(1))
	if err != nil {
		return err
	}
	defer pool.Close()
	switch known, found, err := pg.SlotOf(ctx, pool, slot); {
	case err != nil:
		return err
	case found && known.Active:
		return errs.New("backup.Standby", errs.Clash, "the standby %s is following: stop it first", s.Name)
	}
	return pg.DropSlot(ctx, pool, slot)
}

func isStandby(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "pg", standbySignal)); err != nil {
		return errs.New("backup.Standby", errs.Clash, "there is a database in %s that is no standby: name another folder in "+
			"ROADBOOK_DATA", dir)
	}
	return nil
}

// make copies the primary, which from here on keeps for the standby what it has
// not received.
func (s Standby) make(ctx context.Context, site *localpg.Site) error {
	slot, err := s.slot()
	if err != nil {
		return err
	}
	pool, err := pg.Open(ctx, s.Primary, pg.MaxConns(2))
	if err != nil {
		return errs.New("backup.Standby", errs.Busy, "the primary does not answer: start it first").Because(err)
	}
	defer pool.Close()
	cluster, err := pg.ClusterOf(ctx, pool)
	if err == nil {
		err = pg.MakeSlot(ctx, pool, slot)
	}
	if err != nil {
		return err
	}
	room, data, err := site.Room(standbyRoom)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(room) }()
	s.Tell("copying the primary: %d MB", cluster.Bytes>>20)
	if err := s.copy(ctx, site, cluster, data); err != nil {
		return err
	}
	if err := s.connect(data, slot); err != nil {
		return unwritable(data, err)
	}
	if err := site.Give(data); err != nil {
		return err
	}
	return site.Adopt(room, "")
}

func (s Standby) copy(ctx context.Context, site *localpg.Site, cluster pg.Cluster, data string) error {
	r, pipe := io.Pipe()
	unpacked := make(chan error, 1)
	go func() {
		err := unpack(ctx, r, data)
		_ = r.CloseWithError(err)
		unpacked <- err
	}()
	progress := &progress{tell: s.Tell, all: cluster.Bytes}
	err := site.Tools().Run(ctx, io.MultiWriter(pipe, progress), s.Primary, "pg_basebackup",
		"--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--label=roadbook standby")
	_ = pipe.Close()
	if err = errors.Join(err, <-unpacked); err != nil && ctx.Err() == nil {
		return errs.New("backup.Standby", errs.Internal, "the primary could not be copied: mend what it says and try again. A "+
			"PostgreSQL of yours must let the user replicate").Because(err)
	}
	return errors.Join(err, ctx.Err())
}

// connect tells a copy whom it follows. The address stands in a file that only
// PostgreSQL's user reads, for it may hold a password.
func (s Standby) connect(data, slot string) error {
	address, err := withName(s.Primary, slot)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(data, autoConf), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\nprimary_conninfo = " + quote(address) + "\nprimary_slot_name = " + quote(slot) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return writeFile(filepath.Join(data, standbySignal), nil)
}

// withName makes whoever connects known as the owner of a slot.
func withName(address, slot string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", errors.New("the primary's address cannot be read")
	}
	q := u.Query()
	q.Set("application_name", slot)
	for name := range q {
		if strings.HasPrefix(name, "pool_") { // ours, and unknown to PostgreSQL
			q.Del(name)
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// quote writes a value of PostgreSQL's configuration.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// slot is the name under which the primary knows the standby.
func (s Standby) slot() (string, error) {
	ok := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' }
	name := standbyPrefix + s.Name
	if s.Name == "" || len(name) > maxSlotName || strings.ContainsFunc(s.Name, func(r rune) bool { return !ok(r) }) {
		return "", errs.New("backup.Standby", errs.Invalid, "%q is no name for a standby: it has 1 to %d small letters, digits "+
			"and _", s.Name, maxSlotName-len(standbyPrefix))
	}
	return name, nil
}

// Watch tells how far the standby is behind until ctx ends, the standby goes,
// or it was promoted; promoted says which.
func Watch(ctx context.Context, server *localpg.Server, tell func(format string, args ...any)) (promoted bool, err error) {
	pool, err := pg.Open(ctx, server.DSN("postgres"), pg.MaxConns(1))
	if err != nil {
		return false, err
	}
	defer pool.Close()
	ticks := time.NewTicker(askEvery)
	defer ticks.Stop()
	for streaming := false; ; {
		select {
		case <-ctx.Done():
			return false, nil
		case <-server.Done():
			return false, server.Err()
		case <-ticks.C:
		}
		state, err := pg.FollowerOf(ctx, pool)
		switch {
		case err != nil:
		case !state.Standby:
			return true, nil
		case state.Streaming != streaming:
			streaming = state.Streaming
			if streaming {
				tell("it follows the primary")
			} else {
				tell("the primary has gone away: it is waited for; “roadbook promote” takes its place")
			}
		}
	}
}

// Promote makes a standby take changes. Whoever calls it begins new epochs
// before anybody is served.
func Promote(ctx context.Context, dsn string, force bool) error {
	const op = "backup.Promote"

	pool, err := pg.Open(ctx, dsn, pg.MaxConns(2))
	if err != nil {
		return err
	}
	defer pool.Close()
	state, err := pg.FollowerOf(ctx, pool)
	switch {
	case err != nil:
		return err
	case !state.Standby:
		return nil // somebody was quicker, or it was interrupted behind this
	case state.Streaming && !force:
		return errs.New(op, errs.Clash, "the primary still answers, and two would take changes: stop it for good first, or say "+
			"--force if nobody can reach it any more")
	}
	return pg.Promote(ctx, pool)
}
