package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/localpg"
	"roadbook/migrations"
	"roadbook/modules/approvals"
	"roadbook/modules/people"
	"roadbook/sim"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync"
)

// shm keeps files in memory, where there is one.
const shm = "/dev/shm"

// connsPerRunner is enough for one thing at a time, and one more.
const connsPerRunner = 4

// base is the PostgreSQL that histories are played on.
type base struct {
	server *localpg.Server // our own, or nil
	dir    string
	dsn    string
	prefix string
	made   int
}

func openBase(ctx context.Context, dsn string) (*base, error) {
	random := make([]byte, 4)
	_, _ = rand.Read(random)
	b := &base{dsn: dsn, prefix: "roadsim_" + hex.EncodeToString(random) + "_"}
	if dsn != "" {
		return b, nil
	}
	above := shm
	if _, err := os.Stat(above); err != nil {
		above = ""
	}
	var err error
	if b.dir, err = os.MkdirTemp(above, "roadsim-"); err != nil {
		return nil, err
	}
	if b.server, err = localpg.Open(ctx, localpg.Config{Dir: b.dir, Fast: true}); err != nil {
		_ = os.RemoveAll(b.dir) // the first error is the one to tell
		return nil, err
	}
	b.dsn = b.server.DSN("postgres")
	return b, nil
}

func (b *base) close(ctx context.Context) {
	if b.server != nil {
		_ = b.server.Stop(ctx) // the data goes with it
		_ = os.RemoveAll(b.dir)
	}
}

// runner gives somebody a database of his own, and a way to drop it.
func (b *base) runner(ctx context.Context, tries int) (r *sim.Runner, done func(), err error) {
	b.made++
	name := fmt.Sprintf("%s%d", b.prefix, b.made)
	if err := b.exec(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, nil, err
	}
	u, err := url.Parse(b.dsn)
	if err != nil {
		return nil, nil, err
	}
	u.Path = "/" + name
	pool, err := pg.Open(ctx, u.String(), pg.MaxConns(connsPerRunner), pg.Setting("synchronous_commit", "off"))
	if err == nil {
		err = migrations.Up(ctx, pool)
	}
	if err != nil {
		return nil, nil, err
	}
	done = func() {
		pool.Close()
		_ = b.exec(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)") // one that is left takes room, no more
	}
	return &sim.Runner{Tries: tries, Config: sim.Config{Pool: pool, Org: "sim", Engine: engines(pool)}}, done, nil
}

// forgetful is what the second server's committers remember: a few records.
const forgetful = 20_000

func engines(pool *pgxpool.Pool) func(server int, now func() time.Time, draw func() int32) *sync.Engine {
	return func(server int, now func() time.Time, draw func() int32) *sync.Engine {
		return sync.New(sync.Config{
			Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Processes: []sync.Process{approvals.NewProcess()}, Key: []byte("histories have nothing to hide.."),
			Now: now, Draw: draw, Still: true, AtOnce: 2, Memory: server * forgetful,
		})
	}
}

func (b *base) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, b.dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // what was to be done is done
	_, err = conn.Exec(ctx, sql)
	return err
}
