package sync

import (
	"encoding/json"
	"slices"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/sync/history"
)

// Whoever deletes a customer deletes what he had before him. What went on as it,
// or came into it, without his knowledge was not that.

// isGone settles a delete of a record that was merged away: it is gone already.
// What it goes on as is somebody else's as well, and stays.
func (s *settling) isGone(e *record.Edit, rec *record.Record) (bool, error) {
	r := s.redirects[e]
	if r.of == nil || r.of.ID == e.ID {
		return false, nil
	}
	dead := rec
	if r.dead != nil {
		dead = r.dead
	}
	if err := s.actor.CheckDelete(dead.Kind, dead.Owner); err != nil {
		return true, err
	}
	s.edits = append(s.edits, history.Edit{Edit: e, P: rec.Seq, Buried: true})
	s.led(rec, r.of.ID)
	return true, nil
}

// cameInUnseen is the merge by which something came into a record without the
// knowledge of whoever deletes it, nothing if he had read of all.
func (s *settling) cameInUnseen(rec *record.Record, w *conflicts.Write) (by record.Writer, err error) {
	if rec.Kind.Match == nil || s.actor.System {
		return by, nil
	}
	leads, err := s.leadsInto(rec)
	for _, lead := range leads {
		if at := lead.Slot("reason").By; !w.Read(at) && at.Seq > by.Seq {
			by = at
		}
	}
	return by, err
}

// leadsInto are the redirects to a record that are in force, of those that went
// into what went into it as well.
func (s *settling) leadsInto(rec *record.Record) (all []*record.Record, err error) {
	met := map[record.ID]bool{rec.ID: true}
	for level := []record.ID{rec.ID}; len(level) > 0; {
		if err := s.w.loadLeads(level); err != nil {
			return nil, err
		}
		above := level
		level = nil
		for _, lead := range s.under(above) {
			if dead := lead.Ref("dead"); leads(lead) && !met[dead] {
				met[dead] = true
				all, level = append(all, lead), append(level, dead)
			}
		}
	}
	return all, nil
}

// loadLeads loads the redirects to some records, each once: those that are made
// in this transaction are known.
func (w *work) loadLeads(to []record.ID) error {
	kind := w.schema.Kind(redirectKind)
	unknown := slices.DeleteFunc(slices.Clone(to), func(id record.ID) bool { return w.ledTo[id] })
	if kind == nil || len(unknown) == 0 {
		return nil
	}
	rows, err := w.tx.ChildrenOf(w.ctx, unknown, kind, maxChildren)
	if err != nil {
		return err
	}
	if len(rows) == maxChildren && len(unknown) > 1 { // there may be more
		for _, id := range unknown {
			if err := w.loadLeads([]record.ID{id}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, id := range unknown {
		w.ledTo[id] = true
	}
	_, err = w.adopt(rows)
	return err
}

// yield keeps a record that somebody else changed without the knowledge of
// whoever deletes it, and asks a person.
func (s *settling) yield(rec *record.Record, to record.Writer) error {
	return s.clash(rec, conflicts.Clash{
		Field: deletedField, Kept: json.RawMessage("false"), KeptBy: to, Lost: json.RawMessage("true"), LostBy: s.by, Ask: true,
	})
}
