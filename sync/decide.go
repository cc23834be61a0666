package sync

import (
	"encoding/json"
	"slices"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/history"
)

// Who decides in the inbox sends one mutation: what he wants the field to be,
// and the conflict as resolved. Two may do that at the same time, each without
// a network. The first that the log accepts stands. Of the second nothing is
// taken that was to decide, whatever its stamp says: he is told who decided and
// when, and what he chose is in the history of the field and of the conflict.

// deciding are the parts of a conflict that a decision writes. They go together:
// what was chosen is never that of one and the field that of another.
var deciding = []string{"state", "chosen", "resolver"}

// decides reports whether an edit of a conflict decides it. Who chooses decides,
// also if he does not say so: or a choice of somebody else, who does, would be
// written over it in silence.
func decides(e *record.Edit) bool {
	return e.Kind == conflictKind && e.Op == record.OpEdit &&
		(e.Set.Text("state") == "resolved" || e.Set.Get("state") == nil && !record.IsNull(e.Set.Get("chosen")))
}

// judges reports whether an edit says what is to become of two records that are
// one, or may be.
func judges(e *record.Edit) bool {
	return (e.Kind == redirectKind || e.Kind == duplicateKind) && e.Op == record.OpEdit && e.Set.Get("state") != nil
}

// choice lists the fields of a conflict, or of a note about two records, that say
// what was decided, nil if nobody has.
func choice(asked *record.Record) []string {
	switch {
	case asked == nil || asked.State == record.Deleted:
	case asked.Kind.Name == conflictKind && asked.Text("state") == "resolved":
		return []string{"state", "chosen"} // who has changed his mind has decided anew
	case (asked.Kind.Name == redirectKind || asked.Kind.Name == duplicateKind) && !record.IsNull(asked.Raw("decided_at")):
		return []string{"state"}
	}
	return nil
}

// lookTaken finds what the mutation means to decide and somebody else has
// decided, of which its author did not know.
func (s *settling) lookTaken() error {
	for i := range s.m.Edits {
		e := &s.m.Edits[i]
		if e.Kind != conflictKind && !judges(e) || !slices.ContainsFunc(e.Set, func(v record.Value) bool { return slices.Contains(deciding, v.Field) }) {
			continue
		}
		if e.Set.Get("chosen") == nil && s.chooses(e.ID) {
			continue // that one says what its author knew
		}
		asked, err := s.find(e.ID)
		if err != nil {
			return err
		}
		w := s.write(e)
		if slices.ContainsFunc(choice(asked), func(field string) bool {
			slot := asked.Slot(field)
			return slot != nil && !w.Covers(slot.By)
		}) {
			s.taken = append(s.taken, asked)
		}
	}
	return nil
}

// takenOf is an edit without what somebody else has decided.
func (s *settling) takenOf(e *record.Edit, rec *record.Record) *record.Edit {
	if len(s.taken) == 0 {
		return e
	}
	rest := *e
	rest.Set = slices.DeleteFunc(slices.Clone(e.Set), func(v record.Value) bool {
		return slices.ContainsFunc(s.taken, func(asked *record.Record) bool {
			switch rec.ID {
			case asked.ID:
				taken := slices.Contains(deciding, v.Field)
				if taken && v.Field != "resolver" && (string(rec.Raw(v.Field)) != string(v.Raw) || s.toldAt(rec.ID, v.Field) >= 0) {
					s.second(asked, record.Clash{Kind: rec.Kind.Name, ID: rec.ID, Field: v.Field, Kept: record.OrNull(rec.Raw(v.Field)), Lost: v.Raw})
				}
				return taken
			case asked.Ref("record"):
				taken := sameUnit(rec.Kind, v.Field, asked.Text("field"))
				if taken && (v.Field == asked.Text("field") || string(rec.Raw(v.Field)) != string(v.Raw) || s.toldAt(rec.ID, v.Field) >= 0) {
					s.second(asked, record.Clash{Kind: rec.Kind.Name, ID: rec.ID, Field: v.Field, Kept: record.OrNull(rec.Raw(v.Field)), Lost: v.Raw})
				}
				return taken
			}
			return false
		})
	})
	return &rest
}

// sameUnit reports whether two fields are one, or merge as one.
func sameUnit(kind *record.Kind, a, b string) bool {
	f, g := kind.Field(a), kind.Field(b)
	return a == b || f != nil && g != nil && f.Group != "" && f.Group == g.Group
}

// isKept reports whether a delete was to decide what somebody else has decided.
func (s *settling) isKept(id record.ID) bool {
	return slices.ContainsFunc(s.taken, func(asked *record.Record) bool {
		return asked.Ref("record") == id && asked.Text("field") == history.Deleted
	})
}

// decided tells the author of an edit of a conflict, or of a note about two
// records, that somebody was first, or signs his decision.
func (s *settling) decided(e *record.Edit, now *record.Record) error {
	if slices.ContainsFunc(s.taken, func(asked *record.Record) bool { return asked.ID == now.ID }) {
		if !slices.ContainsFunc(s.clashes, func(c record.Clash) bool { return c.ID == now.ID }) { // both have chosen the same
			field := "chosen"
			if now.Kind.Name != conflictKind {
				field = "state"
			}
			s.second(now, record.Clash{
				Kind: now.Kind.Name, ID: now.ID, Field: field, Kept: record.OrNull(now.Raw(field)), Lost: record.OrNull(e.Set.Get(field)),
			})
		}
		return nil
	}
	switch {
	case judges(e):
		return s.setSelf(now.Kind, now.ID, s.signed())
	case decides(e) && !s.actor.System:
		return s.setSelf(now.Kind, now.ID, s.signature(now))
	}
	return nil
}

// checkInbox says what a person may change of a conflict: that it is decided, and
// for what, and who is to decide it. Who has decided, the server writes.
func (s *settling) checkInbox(e *record.Edit) error {
	if e.Op == record.OpDelete {
		return errs.New("sync.inbox", errs.Denied, "a conflict is decided, and not deleted").Coded("inbox")
	}
	for _, v := range e.Set {
		signed := v.Field == "resolver" && decides(e) // apps of before sign themselves; the server writes over it
		if v.Field == "state" && e.Set.Text("state") != "resolved" || v.Field == "resolver" && !signed {
			return errs.New("sync.inbox", errs.Denied, "a conflict is decided, and not reopened or signed by hand").Coded("inbox").
				Of(errs.Field{Field: v.Field, Detail: "the server writes it"})
		}
	}
	return nil
}

// checkDelegate refuses to hand a conflict to somebody who may not see what it
// is about: its values are in it.
func (s *settling) checkDelegate(e *record.Edit, asked *record.Record) error {
	raw := e.Set.Get("owner")
	to, ok := record.RawID(raw)
	if !ok || asked.Kind.Name != conflictKind || s.actor.System || to == asked.Owner {
		return nil
	}
	somebody, err := s.w.person(to)
	if err != nil || somebody == nil {
		return err // checkOwner says that nobody of that name is here
	}
	actor, err := s.w.actor(to)
	if err != nil {
		return err
	}
	above, err := s.find(asked.Parent)
	if err != nil {
		return err
	}
	if above == nil || !actor.Reads(asked.Kind) || !actor.Sees(above.Kind, above.Scopes) {
		return errs.New("sync.delegate", errs.Denied, "he may not see what this conflict is about").Coded("delegate").
			Of(errs.Field{Field: "owner", Detail: "somebody who may see the record was expected"})
	}
	return nil
}

// handOver gives the open conflicts about a record to its new owner: he has to
// know, and whoever had it may not see it any more.
func (s *settling) handOver(r *record.Record) error {
	open := "open"
	if err := s.loadOpen([]record.ID{r.ID}, conflictKind, "state", &open); err != nil {
		return err
	}
	for _, asked := range s.under([]record.ID{r.ID}) {
		if asked.Kind.Name != conflictKind || !isOpen(asked) || asked.Owner == r.Owner {
			continue
		}
		if err := s.setSelf(asked.Kind, asked.ID, record.Values{{Field: "owner", Raw: quoteID(r.Owner)}}); err != nil {
			return err
		}
	}
	return nil
}

// closeAsked closes the conflicts about what is deleted by somebody who had seen it.
func (s *settling) closeAsked(above []record.ID) error {
	for _, asked := range s.under(above) {
		if asked.Kind.Name != conflictKind || !isOpen(asked) {
			continue
		}
		var chosen json.RawMessage
		if asked.Text("field") == history.Deleted {
			chosen = json.RawMessage("true")
		}
		if err := s.answer(asked, chosen); err != nil {
			return err
		}
	}
	return nil
}
