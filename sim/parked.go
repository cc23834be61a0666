package sim

import (
	"time"

	"roadbook/record"
	"roadbook/version"
)

// patience is how long what was accepted once waits on a restored server, before
// it is refused.
const patience = 30 * 24 * time.Hour

// parking is a mutation that waits since a row of the log.
type parking struct {
	id  record.ID
	seq record.Seq
}

// waits makes sure that nothing which was accepted once is given up too early.
// Each step is followed by the clock of then; what a restore brings back again has
// waited since it was met first.
func (r *replay) waits(row *logRow) {
	if row.parked && row.twin == 0 {
		if p := (parking{row.id, row.seq}); r.w.waiting[p].IsZero() {
			r.w.waiting[p] = r.w.clock
		}
	}
	if row.as == nil || row.result != refusedNo {
		return
	}
	since, known := r.w.waiting[parking{row.as.ID, row.as.Parked}]
	if waited := r.w.clock.Sub(since); !known || waited < patience {
		r.w.finds("%s is given up at %d after %s", r.w.typed[row.as.ID], row.seq, waited)
	}
}

// settles has a row stand for the mutation that it settles, which was parked.
func (r *replay) settles(row *logRow) {
	if row.as == nil {
		return
	}
	r.last[row.replica] = version.Later(r.last[row.replica], row.stamp)
	row.replica, row.n, row.id = row.as.Replica, row.as.N, row.as.ID
	if r.settled[row.id]++; r.settled[row.id] > 1 {
		r.w.finds("%s was parked, and is settled twice", r.w.typed[row.id])
	}
}
