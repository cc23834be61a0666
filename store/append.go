package store

import (
	"fmt"

	"roadbook/record"
)

// Commit is everything that one transaction writes.
type Commit struct {
	Head     Head // as it will be, but for the chain
	Entries  []Entry
	Records  []Dirty
	Writers  []Writer
	Forks    []Writer // new replicas: that others are to be relabelled to, or the server's
	Orphans  map[record.ID]record.Seq
	People   []Person
	Regrants []Regrant
	Reindex  []int16 // kinds of which a new schema has other look-up fields
	Rescopes []Rescope
	Followed []Rescope      // those that have come further
	Rescoped []Rescope      // those that are done
	Schema   *record.Schema // a new one, at Head.Schema
	Shown    []Shown
	Repins   []Repin
	Parked   []Parked
	Settled  []Settled
	Purged   []record.ID // tombstones
	Mended   []Mended
	Epoch    *Epoch // a new one; the server's replica is then Head.Server
}

// Sealed is a commit as it will be sent.
type Sealed struct {
	Head  Head   // as it will be
	Dead  []Dead // index rows that will have died of it
	from  Head
	batch batch
	size  int
}

// Seal writes a commit that begins where the log ends at from, as a constant
// number of statements.
func (c Commit) Seal(org record.OrgID, from Head) (*Sealed, error) {
	s := &Sealed{Head: c.Head, from: from, size: len(c.Entries)}
	s.Head.Chain = link(from.Chain, c.Entries)
	b := &s.batch
	from.move(b, org, s.Head)
	queuePurged(b, org, c.Purged) // before one of them is made again
	queueForks(b, org, c.Forks)   // they may have written already
	queueWriters(b, org, c.Writers)
	queueRecords(b, org, c.Records)
	s.Dead = queueIndex(b, org, c.Records)
	queueLookups(b, org, c.Records)
	queueMended(b, org, c.Mended)
	queueLog(b, org, c.Entries)
	c.queueSeldom(b, org)
	for _, s := range c.Shown {
		if err := s.queue(b, org); err != nil {
			return nil, err
		}
	}
	if c.Schema != nil {
		body, err := c.Schema.Stored()
		if err != nil {
			return nil, err
		}
		b.Queue(schemaWrite, org, c.Head.Schema, string(body))
		queueReindex(b, org, c.Reindex)
	}
	b.Queue(wake, fmt.Sprintf("%d %d", org, c.Head.Seq))
	return s, nil
}

// queueSeldom is what most commits do not have.
func (c Commit) queueSeldom(b *batch, org record.OrgID) {
	if c.Epoch != nil {
		c.Epoch.queue(b, org, c.Head.Server)
	}
	if len(c.Orphans) > 0 {
		recs, seqs := make([][16]byte, 0, len(c.Orphans)), make([]int64, 0, len(c.Orphans))
		for rec, seq := range c.Orphans {
			recs, seqs = append(recs, rec), append(seqs, int64(seq))
		}
		b.Queue(orphansInsert, org, recs, seqs)
	}
	for _, p := range c.People {
		p.queue(b, org)
	}
	for _, r := range c.Regrants {
		r.queue(b, org)
	}
	queueFollowed(b, org, c.Followed, c.Rescoped)
	queueRescopes(b, org, c.Rescopes) // behind them: one may be asked for anew
	for _, r := range c.Repins {
		r.queue(b, org)
	}
	for _, p := range c.Parked {
		p.queue(b, org)
	}
	for _, s := range c.Settled {
		s.queue(b, org)
	}
}
