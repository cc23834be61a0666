package main

import (
	"iter"

	"roadbook/demo"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/sync"
	"roadbook/sync/wire"
)

// atOnce is how many mutations share a transaction: as many as the engine takes.
const atOnce = 256

// inBatches cuts the items up. What founds an org is the server's own doing,
// for nobody who could have done it is there yet.
func inBatches(items iter.Seq[demo.Item]) iter.Seq[[]sync.Proposal] {
	return func(yield func([]sync.Proposal) bool) {
		batch := make([]sync.Proposal, 0, atOnce)
		for item := range items {
			batch = append(batch, proposal(item))
			if len(batch) < atOnce {
				continue
			}
			if !yield(batch) {
				return
			}
			batch = make([]sync.Proposal, 0, atOnce)
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

func proposal(item demo.Item) sync.Proposal {
	p := sync.Proposal{Person: item.Person, Mutation: item.Mutation}
	if kind := p.Mutation.Edits[0].Kind; kind == "unit" || kind == "user" {
		p.Person = record.NoID
	}
	p.Mutation.Schema = shipped.Schema().Version
	p.Mutation.Hash = wire.Hash(&p.Mutation) // here, and not while a transaction is open
	return p
}
