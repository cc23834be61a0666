package device

import (
	"slices"

	"roadbook/record"
	"roadbook/version"
)

// entry is a mutation and what is known of its fate. Without a verdict it is
// in the outbox; with one it stays as long as it is drawn on top of the base,
// or as the server might lose it, or as it is parked there.
type entry struct {
	Order    uint64          `json:"order"`             // of typing
	Replica  version.Replica `json:"replica,omitempty"` // whose n it has, once judged
	Prev     record.ID       `json:"prev"`              // the id of the mutation before it
	Bytes    int             `json:"bytes"`
	Mutation record.Mutation `json:"mutation"`
	Verdict  *verdict        `json:"verdict,omitempty"`
	Apart    bool            `json:"apart,omitempty"` // typed on a log that the server's never was
}

// verdict is what the server said of a mutation, and what proves that it did.
type verdict struct {
	Result  record.Result                `json:"result"`
	Seq     record.Seq                   `json:"seq"`
	Epoch   string                       `json:"epoch"`
	Stamp   version.Stamp                `json:"stamp"`
	Over    map[record.ID]version.Vector `json:"over,omitempty"`
	Receipt string                       `json:"receipt,omitempty"`
	Showing bool                         `json:"showing,omitempty"` // no complete pull has passed it
	Kept    bool                         `json:"kept,omitempty"`    // the server may still lose it
	Placed  bool                         `json:"placed,omitempty"`  // it came after a place in the log that a pull went on from
	Doubted bool                         `json:"doubted,omitempty"` // that pull has passed it and did not tell of it

	told bool   // a pull has
	tick uint64 // when it came, among the verdicts since the device was opened
}

// spent reports whether nothing needs the entry any more.
func (v *verdict) spent() bool {
	return !v.Showing && !v.Kept && v.Result != record.Parked
}

// again proves what the server may have lost, and says what was typed apart.
func (en *entry) again() *record.Again {
	a := en.proof()
	if !en.Apart {
		return a
	}
	marked := record.Again{Apart: true}
	if a != nil {
		marked = *a
		marked.Apart = true
	}
	return &marked
}

// proof proves what the server may have lost. Without a receipt there is no
// proof, and the mutation is sent as if it were new.
func (en *entry) proof() *record.Again {
	v := en.Verdict
	if v == nil || v.Receipt == "" {
		return en.Mutation.Again
	}
	if v.Result == record.Refused {
		return &record.Again{Stamp: v.Stamp, Seq: v.Seq, Epoch: v.Epoch, Receipt: v.Receipt, Result: v.Result}
	}
	return &record.Again{Stamp: v.Stamp, Over: v.Over, Seq: v.Seq, Epoch: v.Epoch, Receipt: v.Receipt}
}

// back reports whether what was pulled, a record's own seq in a log's epoch,
// has the entry's effect in it already.
func (en *entry) back(seq record.Seq, epoch string) bool {
	if v := en.Verdict; v != nil {
		return v.Epoch == epoch && v.Seq <= seq
	}
	if a := en.Mutation.Again; a != nil {
		return a.Epoch == epoch && a.Seq <= seq
	}
	return false
}

// touch notes which records en is drawn on.
func (d *Device) touch(en *entry) {
	for i := range en.Mutation.Edits {
		id := en.Mutation.Edits[i].ID
		list := d.touches[id]
		if slices.Contains(list, en) {
			continue
		}
		at := len(list)
		for at > 0 && list[at-1].Order > en.Order {
			at--
		}
		d.touches[id] = slices.Insert(list, at, en)
	}
}

// untouch rolls en back.
func (d *Device) untouch(en *entry) {
	for i := range en.Mutation.Edits {
		id := en.Mutation.Edits[i].ID
		list := slices.DeleteFunc(d.touches[id], func(o *entry) bool { return o == en })
		if len(list) == 0 {
			delete(d.touches, id)
		} else {
			d.touches[id] = list
		}
	}
}

// onTop calls see for each own edit of a record that no pull has brought back
// yet, in the order of typing.
func (d *Device) onTop(id record.ID, see func(en *entry, e *record.Edit)) {
	seq, list := d.base.seq(id), d.touches[id]
	var judged uint64 // the present replica's n up to which what was pulled has everything
	for _, en := range list {
		if seq > 0 && en.Replica == d.id.Replica && en.back(seq, d.base.epoch) {
			judged = max(judged, en.Mutation.N)
		}
	}
	for _, en := range list {
		if seq > 0 && (en.back(seq, d.base.epoch) || en.Verdict == nil && en.Mutation.N < judged) {
			continue
		}
		for i := range en.Mutation.Edits {
			if en.Mutation.Edits[i].ID == id {
				see(en, &en.Mutation.Edits[i])
			}
		}
	}
}

// overtaken reports whether an earlier own edit of one of en's records has no
// verdict yet, because the answer was lost. Until it has one, en stays on top
// of it.
func (d *Device) overtaken(en *entry) bool {
	for i := range en.Mutation.Edits {
		for _, o := range d.touches[en.Mutation.Edits[i].ID] {
			if o.Verdict == nil && o.Order < en.Order {
				return true
			}
		}
	}
	return false
}
