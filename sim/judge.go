package sim

import (
	"roadbook/record"
)

// judges makes sure that it is decided once of two customers what they are: whoever
// does so without having seen that somebody else has is told, and nobody else is.
// What the server has found by itself nobody has decided.
func (r *replay) judges(row *logRow) {
	author, ty := dot{row.replica, row.n, row.seq}, r.w.typed[row.id]
	r.dots[row.id] = author
	i := -1
	for _, e := range row.edits {
		if e.By != "server" {
			i++
		}
		if e.Kind != "merge_redirect" && e.Kind != "duplicate" || r.w.life > 0 {
			continue
		}
		signed := e.Set.Get("decided_at")
		switch {
		case e.By == "server" && signed == nil:
		case e.By == "server" && record.IsNull(signed):
			delete(r.resolved, e.ID)
		case e.By == "server":
			r.resolved[e.ID] = author
		case e.Set.Get("state") != nil && i < len(ty.edits):
			first, done := r.resolved[e.ID]
			late := done && !r.knew(author, ty.edits[i].Seen, first)
			if late != row.second(place{e.ID, "state"}) {
				r.w.finds("%s judges %s at %d, which was decided at %d: told of that %v", ty.who, e.ID, row.seq, first.seq, !late)
			}
		}
	}
}

// checkNotes makes sure that what is noted of two customers is so.
func (w *World) checkNotes(t *tables) {
	for _, r := range t.order {
		if r.kind.Name != "duplicate" || r.deleted {
			continue
		}
		one, other := r.ref("account"), r.ref("other")
		same, state := t.goesOn(one) == t.goesOn(other), r.fields.Text("state")
		if state != "moot" && same != (state == "merged") {
			w.finds("the note %s of two says that they are %s, and that they are one is %v", r.id, state, same)
		}
		if state == "open" && (!t.mergedInto(one).IsZero() || !t.mergedInto(other).IsZero()) {
			w.finds("people are asked in %s of one that was merged away", r.id)
		}
	}
}

// goesOn is a record, or the one that it goes on as.
func (t *tables) goesOn(id record.ID) record.ID {
	for {
		into := t.mergedInto(id)
		if into.IsZero() || string(into[:]) >= string(id[:]) {
			return id
		}
		id = into
	}
}
