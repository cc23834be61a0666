package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"roadbook/api"
	"roadbook/config"
	"roadbook/demo"
	"roadbook/errs"
	"roadbook/modules/approvals"
	"roadbook/modules/people"
	"roadbook/push"
	"roadbook/push/socket"
	"roadbook/store"
	"roadbook/store/durable"
	"roadbook/store/pg"
	"roadbook/sync"
	"roadbook/sync/feed"
)

// drainWithin is what requests in hand get to be answered when the server
// stops; each of them is bounded by as much (api.requestTimeout). A transaction
// that is under way gets as much again (sync.gatherWithin), so that a server
// that stops is gone after a minute at the latest, and a PostgreSQL of its own
// stopWithin later.
const drainWithin = 30 * time.Second

// hangUpWithin is what a device that listens gets to hear goodbye.
const hangUpWithin = 2 * time.Second

const serveHelp = `
Without any configuration it starts a PostgreSQL in ./data, makes a demo org
there once, and listens on this machine only. With ROADBOOK_DATABASE_URL it
starts nothing and uses that database, PostgreSQL 15 or later.

Ctrl-C or SIGTERM finishes what is being answered and stops everything that was
started; a second one quits at once. Nothing that was committed is lost either
way, nor by kill -9.`

// server is one run of “roadbook serve”.
type server struct {
	*console
	cfg  config.Config
	size demo.Options // of the demo org
	bare bool         // there is to be none, whatever the database is
	observers

	gate    gate
	lives   *pg.Gate // which life of the database is served
	http    *http.Server
	address net.Addr
	in      *installation
	engine  *sync.Engine
	feed    *feed.Feed
	sockets *socket.Hub
	behind  *errgroup.Group // what runs behind the requests
	copies  copies
	durable *durable.Tracker // how much of the logs is on a second machine
}

func runServe(ctx context.Context, c *console, args []string) error {
	set := c.flags("serve", serveHelp)
	records := set.Int("demo-records", 0, "how many records the demo org gets when it is made; 0 is its own 42,000")
	if err := c.parse(set, args); err != nil {
		return err
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	s := &server{console: c, cfg: cfg}
	if s.observers, err = c.observe(ctx, cfg); err != nil {
		return err
	}
	defer s.flush(ctx)
	if *records > 0 {
		s.size = demo.Scale(*records)
	}
	return s.run(ctx)
}

// run serves until told ends, which is no error, or something that it cannot do
// without does.
func (s *server) run(told context.Context) error {
	listener, err := listen(told, s.cfg.Addr)
	if err != nil {
		return err
	}
	return s.runOn(told, listener)
}

func (s *server) runOn(told context.Context, listener net.Listener) error {
	ctx, end := context.WithCancel(context.WithoutCancel(told))
	s.behind, ctx = errgroup.WithContext(ctx) // what fails there ends ctx, and is its cause
	s.serve(ctx, listener)
	context.AfterFunc(told, func() {
		s.leave(ctx)
		end()
	})
	defer func() {
		end()
		s.stop(ctx)
	}()

	if err := s.start(ctx); err != nil && ctx.Err() == nil {
		return s.why(err)
	}
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// goneWithin is how long it may take to be told that a PostgreSQL of our own has
// ended, after it has let go of its connections.
const goneWithin = time.Second

// why is the reason that a start has failed: if its PostgreSQL has ended, that.
func (s *server) why(err error) error {
	if s.in == nil || s.in.local == nil || errs.KindOf(err) != errs.Busy {
		return err
	}
	select {
	case <-s.in.gone():
		return s.in.local.Err()
	case <-time.After(goneWithin):
		return err
	}
}

// leave tells whoever sends requests here to send them elsewhere, and gives
// him the time to notice. Connections that are kept open are closed after
// their next answer.
func (s *server) leave(ctx context.Context) {
	s.say("stopping; once more quits at once")
	s.http.SetKeepAlivesEnabled(false)
	if !s.gate.leave() {
		return // nobody has been sent here yet
	}
	notice, cancel := context.WithTimeout(ctx, s.cfg.StopDelay)
	defer cancel()
	<-notice.Done()
}

// serve answers from now on, at first only that it is starting.
func (s *server) serve(ctx context.Context, listener net.Listener) {
	s.feed = feed.New(s.fault)
	s.sockets = socket.New(socket.Config{
		Line: &s.gate, Devices: &s.gate, Feed: s.feed, Now: now, Log: s.log, Metrics: s.metrics,
		Most: s.cfg.Sockets, PerPerson: s.cfg.SocketsPerPerson,
	})
	handler := api.New(api.Config{
		Line:           &s.gate,
		SignIn:         &s.gate,
		Online:         s.gate.Online,
		Ways:           s.gate.Ways,
		Deliveries:     s.gate.Deliveries,
		Consents:       s.gate.Consents,
		Approvals:      s.gate.Approvals,
		News:           s.feed,
		Sockets:        s.sockets,
		Ready:          s.gate.Ready,
		Log:            s.log,
		Now:            now,
		NewID:          func() string { return newID().String() },
		TrustedProxies: s.cfg.TrustedProxies,
		Metrics:        s.metrics,
		MetricsToken:   s.cfg.MetricsToken.Reveal(),
	}).Handler()
	s.http = api.NewHTTPServer(handler)
	s.http.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelInfo)
	s.address = listener.Addr()
	s.say("roadbook listens on %s", s.url())
	s.behind.Go(func() error {
		if err := s.http.Serve(listener); ctx.Err() == nil {
			return fmt.Errorf("the server no longer listens: %w", err)
		}
		return nil
	})
}

// start makes everything that requests need, and opens the gate.
func (s *server) start(ctx context.Context) (err error) {
	s.lives = pg.NewGate()
	if s.in, err = s.open(ctx, s.cfg, pg.Traced(s.tracer), s.lives.Through()); err != nil {
		return err
	}
	s.watchPool(s.in.pool)
	s.watchReady(ctx, s.gate.Ready)
	s.behind.Go(func() error { return s.watch(ctx) })
	if err := ours(ctx, s.in.pool); err != nil {
		return err
	}
	if err := s.in.migrate(ctx); err != nil {
		return err
	}
	key, err := installationKey(s.cfg, s.in.folder)
	if err != nil {
		return err
	}
	service := newPeople(s.in.pool, key)
	s.engine = newEngine(s.in.pool, key, s.observers, s.feed.Moved)
	s.engine.Heard = s.feed.Head
	s.metrics.WatchQueue(s.engine.Queue)
	if err := s.renew(ctx); err != nil {
		return err
	}
	if err := s.keep(ctx, key); err != nil {
		return err
	}
	if err := s.readAside(ctx); err != nil {
		return err
	}
	s.engine.Durable = s.durable.Durable
	if err := s.makeDemo(ctx, service); err != nil {
		return err
	}
	registry, courier, err := s.tell(ctx, service)
	if err != nil {
		return err
	}
	s.behind.Go(func() error { return s.follow(ctx) })
	s.behind.Go(func() error { return s.sweep(ctx) })
	s.behind.Go(func() error { return s.outlive(ctx) })
	s.behind.Go(func() error { return s.wake(ctx) })
	records := newOnline(s.engine, key)
	s.gate.open(&parts{
		line: s.engine, filling: s.engine.Filling, live: s.engine, signIn: service, people: service,
		online: records, approve: &approvals.Service{Engine: s.engine, Records: records, Now: now},
		ways: registry, deliver: courier, consent: s.consents(), ping: s.in.pool.Ping,
	})
	s.banner()
	s.behind.Go(func() error { return s.resume(ctx) })
	s.behind.Go(func() error { return s.tidy(ctx, courier) })
	return nil
}

// watch ends the server with its database.
func (s *server) watch(ctx context.Context) error {
	select {
	case <-s.in.gone():
		return s.in.local.Err()
	case <-ctx.Done():
		return nil
	}
}

// hasDemo reports whether there is to be a demo org. Its password is known to
// everybody, so a database that is not ours gets it only when asked for.
func (s *server) hasDemo() bool { return !s.bare && (s.in.local != nil || s.cfg.Demo) }

// makeDemo makes the demo org, once.
func (s *server) makeDemo(ctx context.Context, service *people.Service) error {
	if !s.hasDemo() {
		return nil
	}
	f := &founder{pool: s.in.pool, people: service, engine: s.engine, tell: s.progress(4)}
	_, err := f.found(ctx, demo.Name, s.size)
	return err
}

// resume finishes what a server that was stopped has left half done. To fail
// at it is no reason to end: the next start tries again.
func (s *server) resume(ctx context.Context) error {
	if err := s.engine.Resume(ctx); err != nil && ctx.Err() == nil {
		s.fault(err)
	}
	return nil
}

// tidyEvery is how often the pins of idle devices are looked for: they end after
// a month, so an hour is exact.
const tidyEvery = time.Hour

// tidy ends now and then what nobody uses any more, and gives back room. To fail at it is no reason
// to end: the next time tries again.
func (s *server) tidy(ctx context.Context, courier *push.Courier) error {
	ticks := time.NewTicker(tidyEvery)
	defer ticks.Stop()
	for {
		if _, err := s.engine.EndIdlePins(ctx); err != nil && ctx.Err() == nil {
			s.fault(err)
		}
		if err := s.engine.Housekeep(ctx, s.cfg.Horizon); err != nil && ctx.Err() == nil {
			s.fault(err)
		}
		if err := courier.Purge(ctx); err != nil && ctx.Err() == nil {
			s.fault(err)
		}
		if _, err := s.engine.Store.Compact(ctx); err != nil && ctx.Err() == nil {
			s.fault(err)
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
		// Servers of the release before, which an upgrade lets run on for some minutes,
		// have ended by now.
		if err := s.engine.RenewSchemas(ctx, true); err != nil && ctx.Err() == nil {
			s.fault(err)
		}
	}
}

// follow keeps up with what is committed here and by other servers. It ends
// first of all, and with it the pulls that wait.
func (s *server) follow(ctx context.Context) error {
	ticks := time.NewTicker(feed.Every)
	defer ticks.Stop()
	s.feed.Run(ctx, store.NewTail(s.in.pool), ticks.C)
	return nil
}

// sweep ends sockets whose sign-in has ended.
func (s *server) sweep(ctx context.Context) error {
	ticks := time.NewTicker(socket.Every)
	defer ticks.Stop()
	s.sockets.Run(ctx, ticks.C)
	return nil
}

// hangUp sends the devices that listen elsewhere: Shutdown does not know them.
func (s *server) hangUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, hangUpWithin)
	defer cancel()
	s.sockets.Stop(ctx)
}

// stop ends everything in the order in which it leans on one another.
func (s *server) stop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
	defer cancel()
	s.hangUp(ctx)
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // whoever is still there has had his time
	}
	if s.engine != nil {
		s.engine.Close()
	}
	_ = s.behind.Wait() // run has it as the cause
	if s.in != nil {
		s.copies.close(func() { s.in.close(ctx) })
	}
}
