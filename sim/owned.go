package sim

import (
	"slices"

	"roadbook/record"
)

// The limit of an account is the administrator's and the office's: what they
// write is judged as any other field. What anybody else writes must change
// nothing, and must become a request, of which he is told.

// answers reports whether a row is of somebody who answers for owned fields.
func (r *replay) answers(row *logRow) bool {
	ty := r.w.typed[row.id]
	return ty.who == "the office" || row.person == r.w.idOf("admin")
}

// asks judges what somebody wrote who does not.
func (r *replay) asks(row *logRow, at place, typed string, e loggedEdit) {
	stands := norm([]byte(r.text[at]))
	if e.Was.Get(at.field) != nil {
		r.w.finds("%v was changed at %d by somebody who does not answer for it", at, row.seq)
	}
	asked := slices.ContainsFunc(row.clashes, func(c record.Clash) bool {
		return c.ID == at.rec && c.Field == at.field && c.Code == "requested" && c.Conflict != nil
	})
	switch {
	case r.w.life > 0: // what comes back may have been answered by somebody who came back first
	case asked && typed == stands:
		r.w.finds("%v was asked for at %d, and stood there: %s", at, row.seq, typed)
	case !asked && typed != stands:
		r.w.finds("%v was typed at %d, and nobody is asked: %s, where %s stood", at, row.seq, typed, stands)
	}
}
