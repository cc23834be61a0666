// Package sync is the engine: Commit is the only way anything is written, Pull
// the only way a device receives. It knows records, rights and merge policies
// and nothing of the business: that sits in rules before a commit and in
// whatever reads the log after it.
package sync

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/sync/pages"
	"roadbook/telemetry"
)

// Config is what an engine is made of.
type Config struct {
	Store     *store.Store
	Rules     []Rule
	Processes []Process
	Key       []byte           // of cursors and receipts; it lives outside the database
	Now       func() time.Time // the wall clock
	Draw      func() int32     // numbers for fresh replicas, above zero
	Fault     func(error)      // told of what goes wrong behind nobody's request

	// Durable is up to where an org's log is known to be on a second machine; nil
	// is nowhere.
	Durable func(org record.OrgID) record.Seq

	// Moved is told at once how far an org's log goes after each commit of this
	// engine. The NOTIFY says the same to everybody, some microseconds later and
	// only while there is a connection for it. It may be nil, and must not wait.
	Moved func(record.OrgID, record.Seq)

	// Heard is how far an org's log is known to go by others than this engine,
	// which knows its own commits; nil is not at all.
	Heard func(record.OrgID) record.Seq

	// Rest waits; long work that nobody waits for rests between its steps. Nil is
	// not to.
	Rest func(ctx context.Context, d time.Duration) error

	// A simulation says itself when subtrees move (RescopeChunk) and when dead
	// index rows are swept (Sweep), so that one seed gives one history.
	Still  bool
	Memory int // bytes of records that a committer remembers; 0 is the usual number
	AtOnce int // records that are moved, looked up or inspected at once; 0 is the usual number

	// For the operator; each may be nil.
	Log     *slog.Logger
	Metrics *telemetry.Metrics
	Tracer  *telemetry.Tracer
}

// Engine commits and pulls, for any number of orgs. Its only state is one
// committer for each org that has had something to commit.
type Engine struct {
	Config

	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	reindexAtOnce int  // records that get their look-up rows in one transaction
	rescopeAtOnce int  // records of a subtree that move in one transaction
	still         bool // somebody else moves subtrees
	remember      int  // bytes of records that each org's committer remembers

	pages   *pages.Maker
	teller  *history.Teller
	schemas pages.Schemas

	mu         sync.Mutex
	committers map[record.OrgID]*committer
	pinned     map[record.OrgID]pinnedAt
	heads      map[record.OrgID]record.Seq // after the last own commit
}

// New is an engine over a migrated database.
func New(c Config) *Engine {
	ctx, stop := context.WithCancel(context.Background())
	e := &Engine{
		reindexAtOnce: reindexAtOnce, teller: history.NewTeller(c.Key),
		Config: c, ctx: ctx, stop: stop, rescopeAtOnce: cmp.Or(c.AtOnce, rescopeAtOnce), still: c.Still, remember: cmp.Or(c.Memory, maxRemembered),
		committers: map[record.OrgID]*committer{},
		pinned:     map[record.OrgID]pinnedAt{}, heads: map[record.OrgID]record.Seq{},
	}
	e.pages = pages.New(pages.Config{
		Store: c.Store, Key: c.Key, Now: c.Now, Schemas: &e.schemas, Teller: e.teller, Settle: e.settleView, Lost: e.seenLost, Durable: e.durable, Fault: e.fault,
		Go: e.behind, Metrics: c.Metrics, Tracer: c.Tracer, Heard: e.heard,
	})
	return e
}

// behind runs what no request waits for; a simulation has one thing happen at a
// time.
func (e *Engine) behind(run func(context.Context)) {
	if e.Config.Still {
		run(e.ctx)
		return
	}
	e.work.Go(func() { run(e.ctx) })
}

// ReadAside lets pages of pulls be made from a standby. It is called before
// anybody is served.
func (e *Engine) ReadAside(s pages.Standby) { e.pages.Standby = s }

// heard is how far an org's log is known to go.
func (e *Engine) heard(org record.OrgID) record.Seq {
	e.mu.Lock()
	own := e.heads[org]
	e.mu.Unlock()
	if e.Heard == nil {
		return own
	}
	return max(own, e.Heard(org))
}

func (e *Engine) moved(org record.OrgID, head record.Seq) {
	e.mu.Lock()
	e.heads[org] = max(e.heads[org], head)
	e.mu.Unlock()
	if e.Moved != nil {
		e.Moved(org, head)
	}
}

// Close ends the committers after what they have in hand.
func (e *Engine) Close() {
	e.stop()
	e.work.Wait()
}

// schema reads the schema of a place in the log; it is read once.
func (e *Engine) schema(ctx context.Context, org record.OrgID, tx store.Tx, seq record.Seq) (*record.Schema, error) {
	return e.schemas.At(ctx, org, tx, seq)
}

// Schema is an org's schema as a transaction finds it.
func (e *Engine) Schema(ctx context.Context, tx store.Tx, head store.Head) (*record.Schema, error) {
	return e.schema(ctx, tx.Org, tx, head.Schema)
}
