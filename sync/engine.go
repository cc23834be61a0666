// Package sync is the engine: Commit is the only way anything is written, Pull
// the only way a device receives. It knows records, rights and merge policies
// and nothing of the business: that sits in rules before a commit and in
// whatever reads the log after it.
package sync

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"log/slog"
	"sync"
	"time"

	"roadbook/record"
	"roadbook/store"
	"roadbook/telemetry"
)

// Config is what an engine is made of.
type Config struct {
	Store *store.Store
	Rules []Rule
	Key   []byte           // of cursors and receipts; it lives outside the database
	Now   func() time.Time // the wall clock
	Draw  func() int32     // numbers for fresh replicas, above zero
	Fault func(error)      // told of what goes wrong behind nobody's request

	// Moved is told at once how far an org's log goes after each commit of this
	// engine. The NOTIFY says the same to everybody, some microseconds later and
	// only while there is a connection for it. It may be nil, and must not wait.
	Moved func(record.OrgID, record.Seq)

	// A simulation says itself when subtrees move (RescopeChunk) and when dead
	// index rows are swept (Sweep), so that one seed gives one history.
	Still  bool
	Memory int // bytes of records that a committer remembers; 0 is the usual number
	AtOnce int // records of a subtree that move in one transaction; 0 is the usual number

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
	lookAtMost    int  // records that one page looks at to fill
	still         bool // somebody else moves subtrees
	remember      int  // bytes of records that each org's committer remembers

	macs   sync.Pool // of hash.Hash, to sign receipts with
	quills sync.Pool // of *quill, to seal cursors with
	sights sights

	writers sync.Pool // of *wire.PageWriter

	mu         sync.Mutex
	committers map[record.OrgID]*committer
	schemas    map[schemaKey]*record.Schema
	pinned     map[record.OrgID]pinnedAt
}

type schemaKey struct {
	org record.OrgID
	seq record.Seq
}

// New is an engine over a migrated database.
func New(c Config) *Engine {
	ctx, stop := context.WithCancel(context.Background())
	return &Engine{
		reindexAtOnce: reindexAtOnce, lookAtMost: lookAtMost,
		Config: c, ctx: ctx, stop: stop, rescopeAtOnce: cmp.Or(c.AtOnce, rescopeAtOnce), still: c.Still, remember: cmp.Or(c.Memory, maxRemembered),
		committers: map[record.OrgID]*committer{},
		schemas:    map[schemaKey]*record.Schema{},
		pinned:     map[record.OrgID]pinnedAt{},
		macs:       sync.Pool{New: func() any { return hmac.New(sha256.New, c.Key) }},
	}
}

func (e *Engine) moved(org record.OrgID, head record.Seq) {
	if e.Moved != nil {
		e.Moved(org, head)
	}
}

// Close ends the committers after what they have in hand.
func (e *Engine) Close() {
	e.stop()
	e.work.Wait()
}

// schemas is where schemas are read.
type schemas interface {
	Schema(ctx context.Context, seq record.Seq) (*record.Schema, error)
}

// schema reads the schema of a place in the log; it is read once.
func (e *Engine) schema(ctx context.Context, org record.OrgID, tx schemas, seq record.Seq) (*record.Schema, error) {
	key := schemaKey{org, seq}
	e.mu.Lock()
	known := e.schemas[key]
	e.mu.Unlock()
	if known != nil {
		return known, nil
	}
	if seq == 0 {
		return &record.Schema{}, nil
	}
	read, err := tx.Schema(ctx, seq)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.schemas[key] == nil {
		e.schemas[key] = read // and no other ever: records know their kind by it
	}
	return e.schemas[key], nil
}
