package sync

import (
	"cmp"
	"context"
	"encoding/base64"
	"math"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
	"roadbook/telemetry"
)

// Still keeps an engine from moving subtrees by itself, so that a test can do
// so between any two steps, so many records at once.
func (e *Engine) Still(atOnce int) {
	e.still, e.rescopeAtOnce = true, atOnce
}

// Remember has an engine remember about so many bytes of records of each org.
func (e *Engine) Remember(bytes int) { e.remember = bytes }

// Recent is a memory of numbers, which weigh what they are.
type Recent struct{ r recent[string, int] }

// NewRecent remembers up to a limit.
func NewRecent(limit int) *Recent {
	return &Recent{recent[string, int]{limit: limit, weigh: func(n int) int { return n }}}
}

// Put adds something, Turn makes room, Get says what there is.
func (r *Recent) Put(name string, n int) { r.r.put(name, n) }

// Turn makes room.
func (r *Recent) Turn() { r.r.turn() }

// Get is 0 for what is forgotten.
func (r *Recent) Get(name string) int {
	n, _ := r.r.get(name)
	return n
}

// MaxRemembered is the limit of an engine.
const MaxRemembered = maxRemembered

// LookAtMost has a page look at so many records to fill.
func (e *Engine) LookAtMost(n int) { e.lookAtMost = n }

// MoveAtOnce has subtrees move so many records at once.
func (e *Engine) MoveAtOnce(n int) { e.rescopeAtOnce = n }

// Place is what a cursor says.
type Place struct{ c cursor }

// PlaceOf reads a cursor.
func (e *Engine) PlaceOf(who access.Caller, text string) (Place, error) {
	c, err := e.readCursor(who, text)
	return Place{c}, err
}

// CursorOf writes the cursor that was read.
func (e *Engine) CursorOf(who access.Caller, p Place) string { return e.writeCursor(who, p.c) }

// SignCursor makes a genuine cursor of any bytes.
func (e *Engine) SignCursor(who access.Caller, body []byte) string {
	q := e.quill()
	bound := len(q.begin(who))
	return base64.RawURLEncoding.EncodeToString(q.seal(append(q.begin(who), body...))[bound:])
}

// SomeCursors are the bytes of cursors as devices have them, without their
// signatures: at the beginning, in the middle of a fill and far along a log.
func SomeCursors() (all [][]byte) {
	e := New(Config{})
	defer e.Close()
	for _, c := range []cursor{
		{epoch: "e1", fill: fill{after: 812, key: lastKey}, base: 812, pos: 812, head: 812},
		{epoch: "e1", base: 1, pos: 5, mid: record.ID{9}, head: 7},
		{
			epoch: "0123456789ab", base: 1 << 41, pos: 1 << 41, head: 1 << 41, mid: record.ID{1},
			fill: fill{after: 1 << 41, batch: 1 << 41, since: 1 << 41, rank: 110, scope: 1 << 30, key: record.ID{7}},
		},
	} {
		b, _ := base64.RawURLEncoding.DecodeString(e.writeCursor(access.Caller{}, c))
		all = append(all, b[:len(b)-cursorMAC])
	}
	return all
}

// Base is the seq up to which the device has applied everything.
func (p Place) Base() record.Seq { return p.c.base }

// Pos is how far the pages have come.
func (p Place) Pos() record.Seq { return p.c.pos }

// Reached reports whether the fill has come past a record in a scope, where it
// is to be held since a place in the log.
func (p Place) Reached(since record.Seq, scope record.ScopeID, rank int16, id record.ID) bool {
	return p.c.fill.behind(place{rank, since, scope}, id)
}

// LongestCursor is a cursor in which everything is as long as it gets.
func (e *Engine) LongestCursor(who access.Caller, epoch string, seq record.Seq) string {
	const away = 1 << 28 // rows that came since the device last had everything
	key := record.MustID("ffffffff-ffff-7fff-bfff-fffffffffff0")
	return e.writeCursor(who, cursor{
		epoch: epoch, chain: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, base: seq, pos: seq + away, mid: key, head: seq + away,
		fill: fill{after: seq, batch: seq, rank: math.MaxInt16, since: seq, scope: math.MaxInt32, key: key},
	})
}

// Together is one of several things that reach the committer in one gather: a
// push, or a schema.
type Together struct {
	Ctx    context.Context // may be nil
	Who    access.Caller
	Frame  *wire.Push
	Schema *record.Schema
	Answer *wire.PushAnswer
	Err    error
}

// PushTogether commits them in one transaction, in the order given, and does
// not try again what fails.
func (e *Engine) PushTogether(_ context.Context, org record.OrgID, all []Together) {
	e.together(org, all, func(c *committer, jobs []*job) error { return c.transaction(jobs, true) })
}

// Gather commits them as one gather, which runs again job by job if it fails.
func (e *Engine) Gather(org record.OrgID, all []Together) {
	e.together(org, all, func(c *committer, jobs []*job) error {
		if err := c.transaction(jobs, false); err != nil {
			c.again(jobs, err)
		}
		return nil
	})
}

func (e *Engine) together(org record.OrgID, all []Together, commit func(*committer, []*job) error) {
	jobs := make([]*job, len(all))
	for i, t := range all {
		jobs[i] = &job{who: t.Who, schema: t.Schema, done: make(chan struct{})}
		if t.Ctx != nil {
			jobs[i].span = telemetry.SpanOf(t.Ctx)
		}
		if t.Frame != nil {
			replica, _ := store.ReplicaNo(t.Frame.Replica)
			jobs[i].replica, jobs[i].prev, jobs[i].muts = replica, t.Frame.Prev, t.Frame.Mutations
		}
	}
	failed := commit(e.newCommitter(org), jobs)
	for i, j := range jobs {
		if all[i].Err = cmp.Or(failed, j.err); all[i].Err == nil {
			all[i].Answer = &wire.PushAnswer{Outcomes: j.outcomes}
			e.finish(all[i].Answer, j)
		}
	}
}
