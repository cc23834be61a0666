package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"roadbook/backup"
	"roadbook/config"
	"roadbook/errs"
	"roadbook/localpg"
	"roadbook/modules/people"
	"roadbook/store/pg"
	"roadbook/sync"
)

// rehearsal is a server that only this program knows: on an address of this
// machine that nobody was told, on a database that it is given.
type rehearsal struct {
	url    string
	dsn    string
	pool   *people.Pool // beside the server
	engine *sync.Engine // the same, as a second server
	end    context.CancelFunc
	over   chan error
	fault  func(error)
}

// servesWithin is what a server on a restored database gets to start.
const servesWithin = 5 * time.Minute

// rehearse serves what is in a folder. No archive is kept of it, and nothing is
// sent anywhere.
func (c *console) rehearse(ctx context.Context, cfg config.Config, folder string) (r *rehearsal, err error) {
	cfg.Data, cfg.BackupDir, cfg.StopDelay, cfg.TraceEndpoint = folder, "", 0, ""
	cfg.DatabaseURL, cfg.StandbyURL, cfg.Secret, cfg.Demo = config.Secret{}, config.Secret{}, config.Secret{}, false
	cfg.TrustedProxies, cfg.MetricsToken = nil, config.Secret{}
	cfg.LogLevel = max(cfg.LogLevel, slog.LevelWarn) // its requests would bury what the drill says
	s := &server{console: &console{environ: c.environ, out: io.Discard, errOut: c.errOut}, cfg: cfg, bare: true}
	if s.observers, err = s.observe(ctx, cfg); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r = &rehearsal{url: "http://" + listener.Addr().String(), over: make(chan error, 1), fault: s.fault}
	var running context.Context
	running, r.end = context.WithCancel(ctx)
	go func() { r.over <- s.runOn(running, listener) }()
	if err := r.await(ctx, s); err != nil {
		r.stop()
		return nil, err
	}
	var ok bool
	if r.dsn, _, ok = localpg.RunningAt(folder, ownDatabase); !ok {
		r.stop()
		return nil, errs.New("roadbook.drill", errs.Internal, "the database of the drill does not run in %s", folder)
	}
	if r.pool, err = pg.Open(ctx, r.dsn, pg.MaxConns(4)); err != nil {
		r.stop()
		return nil, err
	}
	key, err := readKey(filepath.Join(folder, keyFile))
	if err != nil {
		r.stop()
		return nil, err
	}
	r.engine = newEngine(r.pool, key, observers{log: s.log}, nil)
	return r, nil
}

// await waits until it can serve.
func (r *rehearsal) await(ctx context.Context, s *server) error {
	ctx, cancel := context.WithTimeout(ctx, servesWithin)
	defer cancel()
	for s.gate.Ready(ctx) != nil {
		select {
		case err := <-r.over:
			r.over <- err
			return err
		default:
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// stop ends it, and the database with it.
func (r *rehearsal) stop() {
	if r.engine != nil {
		r.engine.Close()
	}
	if r.pool != nil {
		r.pool.Close()
	}
	r.end()
	if err := <-r.over; err != nil {
		r.fault(err)
	}
}

// source is its database as what is to be backed up.
func (r *rehearsal) source(ctx context.Context, cfg config.Config) (backup.Source, error) {
	return sourceOf(ctx, cfg, r.pool, r.dsn)
}
