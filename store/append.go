package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
)

// Commit is everything that one transaction writes.
type Commit struct {
	Head     Head // as it will be, but for the chain
	Entries  []Entry
	Records  []Dirty
	Writers  []Writer
	Orphans  map[record.ID]record.Seq
	People   []Person
	Regrants []Regrant
	Rescopes []Rescope
	Schema   *record.Schema // a new one, at Head.Schema
	Shown    []Shown
}

// Append writes a commit with a constant number of statements in one round
// trip. It returns the index rows that have died of it.
func (tx Tx) Append(ctx context.Context, c Commit) ([]Dead, error) {
	b := &pgx.Batch{}
	queueWriters(b, tx.Org, c.Writers)
	queueRecords(b, tx.Org, c.Records)
	dead := queueIndex(b, tx.Org, c.Records)
	c.Head.Chain = queueLog(b, tx.Org, c.Head.Chain, c.Entries)
	c.queueSeldom(b, tx.Org)
	for _, s := range c.Shown {
		if err := s.queue(b, tx.Org); err != nil {
			return nil, err
		}
	}
	if c.Schema != nil {
		body, err := c.Schema.Stored()
		if err != nil {
			return nil, err
		}
		b.Queue(schemaWrite, tx.Org, c.Head.Schema, string(body))
	}
	c.Head.advance(b, tx.Org)
	b.Queue(wake, fmt.Sprintf("%d %d", tx.Org, c.Head.Seq))
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("append %d changes: %w", len(c.Entries), err)
	}
	return dead, nil
}

// queueSeldom is what most commits do not have.
func (c Commit) queueSeldom(b *pgx.Batch, org record.OrgID) {
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
	if len(c.Rescopes) > 0 {
		recs, seqs := make([][16]byte, len(c.Rescopes)), make([]int64, len(c.Rescopes))
		for i, r := range c.Rescopes {
			recs[i], seqs[i] = r.Rec, int64(r.Seq)
		}
		b.Queue(rescopesInsert, org, recs, seqs)
	}
}
