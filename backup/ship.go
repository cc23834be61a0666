package backup

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"roadbook/store/pg"
)

const (
	// shipEvery is how often finished files of the WAL are looked for.
	shipEvery = time.Second

	// switchEvery is how old a file may become before it is finished early: an
	// encrypted archive is that far behind at most.
	switchEvery = 30 * time.Second
)

// ship encrypts files of the WAL into the archive as they are finished. The
// one that is being received stays behind: something encrypted cannot grow.
type ship struct {
	from, to string
	readers  Recipients
	size     uint64
	pool     *pg.Pool
	archived *atomic.Uint64
	ended    pg.LSN // of the last file that was finished early
}

// run ships until whoever receives has ended, and then what he has left.
func (s *ship) run(ctx context.Context, ended <-chan error, end func()) error {
	look, early := time.NewTicker(shipEvery), time.NewTicker(switchEvery)
	defer look.Stop()
	defer early.Stop()
	for {
		var err error
		select {
		case said := <-ended:
			return errors.Join(said, s.ship())
		case <-look.C:
			err = s.ship()
		case <-early.C:
			err = s.finishEarly(ctx)
		}
		if err != nil {
			end()
			return errors.Join(err, <-ended)
		}
	}
}

// finishEarly ends the current file if there is anything new in it.
func (s *ship) finishEarly(ctx context.Context) error {
	at, err := pg.WALEnd(ctx, s.pool)
	if err != nil || at <= s.ended || uint64(at)%s.size == 0 {
		return err
	}
	if _, err = pg.SwitchWAL(ctx, s.pool); err == nil {
		s.ended = pg.LSN((uint64(at)/s.size + 1) * s.size)
	}
	return err
}

// ship puts away what is finished.
func (s *ship) ship() error {
	entries, err := os.ReadDir(s.from) // sorted by name, and so by place
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), partialSuffix) {
			continue
		}
		if err := s.one(e.Name()); err != nil {
			return err
		}
		if seg, ok := parseSegment(e.Name(), s.size); ok {
			s.archived.Store((seg.no + 1) * s.size)
		}
	}
	return nil
}

func (s *ship) one(name string) error {
	path := filepath.Join(s.to, name+sealedSuffix)
	half := path + halfSuffix
	_ = os.Remove(half)
	in, err := os.Open(filepath.Join(s.from, name))
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := createSealed(half, s.readers)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		_ = os.Remove(half)
		return err
	}
	if err := os.Rename(half, path); err != nil {
		return err
	}
	if err := syncDir(s.to); err != nil {
		return err
	}
	return os.Remove(in.Name())
}
