package conflicts

import "roadbook/record"

// Unseen reports whether somebody changed the record without the author's
// knowledge. The record's vector has the last write of each replica, and a
// replica's writes are judged in order, so the last stands for all. Of what lies
// below the floor nobody knows who wrote it; an author who has not seen all of
// that yields, because what was typed is worth more than what was thrown away.
func Unseen(r *record.Record, w *Write) bool {
	if w.Seen.Log < w.Floor && r.Seq > w.Seen.Log {
		return true
	}
	for _, o := range r.Vector {
		if !w.Covers(o) {
			return true
		}
	}
	return false
}

// DeleteVerdict is what becomes of a delete.
type DeleteVerdict int

// The verdicts on a delete.
const (
	Deletes DeleteVerdict = iota // the record becomes a tombstone
	Yields                       // somebody's edit that it had not seen keeps the record
	Repeats                      // it is a tombstone already
)

// Delete judges a delete against the writes that it had not seen; a child that
// is hung under a record counts as one. By default the edit wins, because what
// was typed is worth more than what was thrown away; a kind may say otherwise.
// Either way both orders of arrival end the same.
func Delete(r *record.Record, w *Write) DeleteVerdict {
	switch {
	case r.State == record.Deleted:
		return Repeats
	case r.Kind.OnDelete == record.DeleteWins:
		return Deletes
	case Unseen(r, w):
		return Yields
	}
	return Deletes
}

// EditVerdict is what becomes of an edit that meets a tombstone.
type EditVerdict int

// The verdicts on an edit of a tombstone.
const (
	Revives EditVerdict = iota // the author had not seen the delete: the record comes back
	TooLate                    // he had: he must restore it first
	Buried                     // the kind lets deletes win: the edit goes to history
	Undone                     // the delete had seen it, and came back before it: the record stays a tombstone
)

// Meet judges an edit of a tombstone.
func Meet(r *record.Record, w *Write) EditVerdict {
	switch {
	case w.undone(r, "", nil):
		return Undone
	case w.Covers(r.Tomb):
		return TooLate
	case r.Kind.OnDelete == record.DeleteWins:
		return Buried
	}
	return Revives
}
