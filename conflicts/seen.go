// Package conflicts decides what a field becomes when two people changed it.
// It is pure: no clock, no database, no logging. Same inputs, same answer.
package conflicts

import (
	"encoding/json"

	"roadbook/record"
)

// Ancestor is a replica that the author's own was relabelled from, and the
// last number that is his: what the twin wrote later is not.
type Ancestor struct {
	Replica record.ReplicaID
	UpTo    uint64
}

// Seen is what an author had read when he wrote: the log up to a position,
// what else he had met, and his own earlier writes.
type Seen struct {
	Log   record.Seq
	Dots  map[record.ReplicaID]uint64 // writers met outside the log
	Line  []Ancestor
	Twins []record.Writer // mutations of his that were judged under another name
	// Apart is up to where he wrote to another record than this one, if what he
	// typed is led on from there: what he wrote here himself was not on his screen.
	Apart record.Seq
}

// Write is a mutation on its way into a record.
type Write struct {
	By     record.Writer // its dot, its effective stamp, its seq
	Seen   Seen
	Server bool     // the server itself writes
	Roles  []string // of its author
	// Awaited is what the author had seen that the log has lost and not got back
	// yet: of a mutation that comes back after a restore.
	Awaited map[record.ReplicaID]uint64
	// Floor is up to where records have forgotten who wrote to them.
	Floor  record.Seq
	Former record.Writer // what it was called then, if it comes back under another name
	// At is a field's value as the author had it on his screen: as it stood at
	// a place in the log, from history, with what he himself wrote since on top.
	At func(field string, at record.Seq) (json.RawMessage, error)
	// Stood is a field's value by all that the author had read of the log: as At,
	// without what he himself wrote since.
	Stood func(field string) (json.RawMessage, error)
	Again bool // it was judged before, by a log that has lost it: what was allowed then is allowed
}

// undone reports whether somebody who had seen this write has undone it before
// it came back.
func (w *Write) undone(r *record.Record, field string, elem json.RawMessage) bool {
	return r.Undone(field, elem, w.By) || !w.Former.IsZero() && r.Undone(field, elem, w.Former)
}

// Covers reports whether the author had read the write o or made it himself.
// His own writes count if they came before: a restored phone may meet numbers
// of its own that it has not reached yet.
func (w *Write) Covers(o record.Writer) bool {
	if o.IsZero() || o.Seq <= w.Seen.Log {
		return true
	}
	own := o.Seq > w.Seen.Apart
	if own && o.Replica == w.By.Replica {
		return o.N <= w.By.N
	}
	if w.Seen.Dots[o.Replica] >= o.N {
		return true
	}
	for _, a := range w.Seen.Line {
		if own && a.Replica == o.Replica && o.N <= a.UpTo {
			return true
		}
	}
	for _, t := range w.Seen.Twins {
		if t.Same(o) {
			return true
		}
	}
	return false
}

// Read reports whether the author had read the write o: it was on his screen,
// and not only typed on it.
func (w *Write) Read(o record.Writer) bool {
	return o.Seq <= w.Seen.Log || w.Seen.Dots[o.Replica] >= o.N
}
