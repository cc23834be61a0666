package sim

import (
	"maps"
	"slices"
	"time"

	"roadbook/record"
)

// saved is a server as a backup has it.
type saved struct {
	rows    *dump
	schema  *record.Schema
	devices map[string]record.ID
	head    record.Seq
	log     lineage
}

// maxSaved is how many backups are kept: two lives may be lost at once.
const maxSaved = 3

// restoring takes a while.
const restoring = time.Minute

// lineage says in which life of the server each part of a log was written: the
// rows after from are of that life, up to where the next one begins.
type lineage []stretch

type stretch struct {
	life int
	from record.Seq
}

// branches is the log of a new life, which begins at the end of a backup.
func (l lineage) branches(life int, head record.Seq) lineage {
	return append(slices.Clone(l), stretch{life, head})
}

// common is up to where two logs have the same rows.
func (l lineage) common(other lineage, head, otherHead record.Seq) record.Seq {
	for i := range max(len(l), len(other)) {
		if i < len(l) && i < len(other) && l[i] == other[i] {
			continue
		}
		if i < len(l) {
			head = l[i].from
		}
		if i < len(other) {
			otherHead = other[i].from
		}
		break
	}
	return min(head, otherHead)
}

func (w *World) saves() error {
	rows, err := take(w.ctx, w.pool, w.org)
	if err != nil {
		return err
	}
	head, err := w.headSeq()
	if err != nil {
		return err
	}
	w.saved = append(w.saved, saved{rows, w.schema, maps.Clone(w.devices), head, w.log})
	w.saved = w.saved[max(0, len(w.saved)-maxSaved):]
	return nil
}

// safe is up to where no restore can lose anything: every backup that is kept
// has it, also one of a life that was given up. Only in some histories servers
// say so; in the others there is no second machine, and nothing is ever safe.
func (w *World) safe() record.Seq {
	if !w.backed || len(w.saved) == 0 {
		return 0
	}
	safe := w.saved[0].head
	for _, b := range w.saved {
		safe = min(safe, w.log.common(b.log, safe, b.head))
	}
	return safe
}

func (w *World) headSeq() (seq record.Seq, err error) {
	err = w.pool.QueryRow(w.ctx, `SELECT seq FROM heads WHERE org = $1`, w.org).Scan(&seq)
	return seq, err
}
