package sync

import (
	"slices"

	"roadbook/record"
	"roadbook/sync/history"
)

// One mutation may say in several edits what its author decides: with an own word
// still on its way, the parts of a conflict have seen different things.

// chooses reports whether an edit says what is chosen of a conflict. Its author
// had that before him, as it had been chosen by then, and the word that it is
// decided may be an own one that has not come back.
func (s *settling) chooses(id record.ID) bool {
	return slices.ContainsFunc(s.m.Edits, func(e record.Edit) bool { return e.ID == id && e.Set.Get("chosen") != nil })
}

// second tells of a value that was not taken because somebody else has decided.
// A field is told of once and with what was typed last, for that is what the log
// says of it when the verdict is told again.
func (s *settling) second(asked *record.Record, c record.Clash) {
	c.Code, c.Conflict, c.By, c.At = history.Decided, &asked.ID, asked.Ref("resolver"), asked.Text("decided_at")
	if i := s.toldAt(c.ID, c.Field); i >= 0 {
		s.clashes[i] = c
		return
	}
	s.tell(c, told{mine: true})
}

// toldAt is the clash by which a mutation's author is told that somebody else has
// decided a field, -1 if he is not.
func (s *settling) toldAt(id record.ID, field string) int {
	return slices.IndexFunc(s.clashes, func(c record.Clash) bool {
		return c.Code == history.Decided && c.ID == id && c.Field == field
	})
}
