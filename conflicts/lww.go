package conflicts

import (
	"bytes"
	"cmp"
	"encoding/json"

	"roadbook/record"
)

// Compare puts writes into one total order: by stamp, then replica, then
// number. Stamps respect causality, so a write comes after all that its author
// had read; that is why the greatest write is the same whatever the order of
// arrival. Ranking by causality first and by wall clock second looks
// equivalent and is not: with one slow phone it is rock-paper-scissors.
func Compare(a, b record.Writer) int {
	return cmp.Or(
		a.Stamp.Compare(b.Stamp),
		cmp.Compare(a.Replica, b.Replica),
		cmp.Compare(a.N, b.N),
	)
}

// Verdict is what became of one write to one field.
type Verdict int

// The verdicts on a write.
const (
	Took   Verdict = iota // it stands; its author had read what it replaced
	Beat                  // it stands over a concurrent one, which goes to history
	Lost                  // a concurrent one stands over it; it goes to history
	Agreed                // a concurrent one says the same
	Kept                  // the field's policy keeps what was there; it goes to history
	Merged                // both stand, each where it has changed something
	Marked                // both stand, where both have changed the same one beside the other
)

// LWW is the last-writer-wins register with versions (Shapiro et al., "A
// comprehensive study of CRDTs", 2011): what its author had read is
// overwritten; between strangers the greater write stands.
//
// Law: the outcome is the maximum of Compare over all writes that nobody
// overwrote knowingly, so order, grouping and repetition change nothing.
func LWW(cur *record.Slot, raw json.RawMessage, w *Write) Verdict {
	verdict := rank(cur.By, sameValue(cur.Raw, raw), w)
	if verdict == Took || verdict == Beat || verdict == Agreed && Compare(w.By, cur.By) > 0 {
		cur.Raw, cur.By, cur.Elems, cur.Versions = raw, w.By, nil, nil // the field may have had another policy once
	}
	return verdict
}

// rank judges a write against the writer of what is there.
func rank(cur record.Writer, same bool, w *Write) Verdict {
	switch {
	case w.Covers(cur):
		return Took
	case same:
		return Agreed
	case Compare(w.By, cur) > 0:
		return Beat
	}
	return Lost
}

// sameValue compares canonical values; a cleared field and one never set are
// the same.
func sameValue(a, b json.RawMessage) bool {
	return bytes.Equal(a, b) || record.IsNull(a) && record.IsNull(b)
}
