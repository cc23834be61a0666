package sync

import (
	"errors"
	"slices"

	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/pages"
)

// What an author has seen is told in numbers of the log. They are worth nothing
// if his device has seen another log than this one: then he counts as having
// seen nothing but what his receipts name, and rather learns of a clash too many
// than overwrites what he has not seen.

// errSeenLost is that a device has seen what the log does not have, and proves it.
var errSeenLost = errors.New("a device has seen what the log has lost")

// checkPast looks at what log a push was typed on. A cursor proves what its
// device has seen; if that is not in this log, something of it is lost, or is
// of a life that is over.
func (w *work) checkPast(j *job) error {
	apart, err := w.isApart(j)
	if err != nil || j.err != nil {
		return err
	}
	if j.epoch != "" && j.epoch != w.head.Epoch && !slices.ContainsFunc(j.muts, func(m record.Mutation) bool { return m.Returns() }) {
		// It gives its journal back first, or this would be judged without
		// what was before it.
		judged, err := pages.JudgedOf(w.ctx, w.tx, j.who.Device)
		j.err = pages.Elsewhere("sync.Push", "epoch", w.head, judged, apart)
		return err
	}
	return w.forget(j, apart)
}

// isApart reports whether a push comes from a device whose log is not this
// one's past.
func (w *work) isApart(j *job) (bool, error) {
	if j.stands == nil {
		return false, nil
	}
	chain := w.marks[j.stands.Proven()].Chain
	switch {
	case !j.stands.IsLost(w.start, chain[:]):
		return false, nil
	case j.stands.Epoch() == w.head.Epoch || j.stands.IsBeyond(w.start):
		j.err = errSeenLost
		return false, nil
	}
	epochs, err := w.tx.Epochs(w.ctx)
	return j.stands.IsApart(w.start, chain[:], epochs), err
}

// forget takes out of mutations what they say to have seen, if that was of
// another log.
func (w *work) forget(j *job, all bool) error {
	var epochs []store.Epoch
	for i := range j.muts {
		m := &j.muts[i]
		apart := all || m.Again != nil && m.Again.Apart
		if !apart && m.Returns() && m.Again.Epoch != w.head.Epoch {
			if epochs == nil {
				var err error
				if epochs, err = w.tx.Epochs(w.ctx); err != nil {
					return err
				}
			}
			apart = !pages.Knows(epochs, m.Again.Epoch)
		}
		if !apart {
			continue
		}
		for k := range m.Edits {
			m.Edits[k].Seen = nil
		}
	}
	return nil
}
