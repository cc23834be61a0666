package device

import (
	"cmp"
	"slices"
	"strconv"

	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// A phone that was restored from a backup, or cloned, has a twin: two devices
// that write as one replica. The server finds it at the first n that has
// another id here than there, and gives the later one a fresh name. From that n
// on everything goes out under the new name, with the ids and stamps it has.

// fork takes the server's word that somebody else wrote under our name.
func (d *Device) fork(p *wire.Problem, r *Report, b *batch) error {
	if p.Replica == "" || p.Replica == d.id.Replica {
		return internal("device.fork", "the server found a fork and gave no fresh replica")
	}
	d.settleAll(p.Outcomes, cmp.Or(p.Epoch, d.sight.Epoch), r, b)
	from := d.differs(d.id.Replica, p)
	if len(d.outbox) > 0 {
		from = min(from, d.outbox[0].Mutation.N)
	}
	list := append(d.takeBack(d.id.Replica, from, b), d.outbox...)
	slices.SortFunc(list, byN)
	d.rename(p.Replica, p.NextN, record.NoID, list, b)
	d.hear(p.Epoch, wire.Durable{}, version.Stamp{}, b)
	r.Relabelled += max(len(list), 1)
	return nil
}

// epoch is the log's epoch as a problem names it, or as it was known.
func (p *problem) epoch(d *Device) string { return cmp.Or(p.Epoch, d.sight.Epoch) }

// differs is the first n of a replica under which the server has another
// mutation than we do. The one that the server stumbled over need not be the
// first: those before it may have been judged by a log that was lost.
func (d *Device) differs(replica version.Replica, p *wire.Problem) uint64 {
	from := p.FromN
	look := d.journalOf(replica, func(*entry) bool { return true })
	if replica == d.id.Replica {
		look = append(look, d.outbox...)
	}
	for _, en := range look {
		n := en.Mutation.N
		id, known := p.IDs[strconv.FormatUint(n, 10)]
		if known && id != en.Mutation.ID.String() && (n < from || from == 0) {
			from = n
		}
	}
	return max(from, 1)
}

// rename makes the device another replica, and list its outbox.
func (d *Device) rename(replica version.Replica, next uint64, prev record.ID, list []*entry, b *batch) {
	if d.id.Replica != "" {
		last := d.count.N
		if len(list) > 0 {
			last = list[0].Mutation.N - 1
		}
		d.id.Lineage = append(d.id.Lineage, ancestor{d.id.Replica, last})
	}
	d.id.Replica = replica
	d.count.N, d.count.Last = max(next, 1)-1, prev
	d.outbox = nil
	for _, en := range slices.Clone(list) {
		en.Mutation.N, en.Prev = d.count.N+1, d.count.Last
		d.count.N, d.count.Last = en.Mutation.N, en.Mutation.ID
		d.outbox = append(d.outbox, en)
		d.saveEntry(b, en)
	}
	d.saveIdentity(b)
	d.saveCounter(b)
}
