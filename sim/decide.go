package sim

import (
	device "roadbook/clients/go"
	"roadbook/record"
	"roadbook/version"
)

// decision is what somebody decides in the inbox: the field of a conflict as he
// wants it, and the conflict as resolved, in one mutation. Nil if there is
// nothing to decide on his screen.
func (g *generator) decision(p *phone) []string {
	var open []device.Conflict
	for _, group := range p.dev.Inbox(record.NoID) {
		open = append(open, group.Conflicts...)
	}
	if len(open) == 0 {
		return nil
	}
	c := pick(g, open...)
	name := g.scripted(c.Record, c.Kind)
	if _, there := p.dev.Get(c.Record); !there || name == "" {
		return nil
	}
	var value string
	switch c.Field {
	case "name", "remark", "address", "title", "detail", "win_plan":
		value = g.value()
	case "owner":
		value = g.somebody()
	case "stage":
		value = pick(g, "won", "lost")
	default:
		return []string{"edit", "x" + c.ID.String(), "state=resolved", "chosen=" + g.value()}
	}
	return []string{"edit", name, c.Field + "=" + value, ";", "edit", "x" + c.ID.String(), "state=resolved", "chosen=" + value}
}

// decides makes sure that a conflict is decided once: whoever does so without
// having seen that somebody else has is told, and nobody else is.
func (r *replay) decides(row *logRow, author dot, seen version.Vector, e loggedEdit) {
	state := e.Set.Text("state")
	switch {
	case e.Kind == "conflict" && state == "" && e.By != "server" && e.Op == record.OpEdit && !record.IsNull(e.Set.Get("chosen")):
		if !row.second(place{e.ID, "chosen"}) {
			r.resolved[e.ID] = author // or he has changed his mind
		}
	case e.Kind != "conflict" || state == "" || r.w.life > 0:
	case e.By == "server" && state == "resolved":
		r.resolved[e.ID] = author
	case e.By == "server", state == "open" && e.Was.Get("state") != nil:
		delete(r.resolved, e.ID)
	case state == "resolved" && e.Op == record.OpEdit:
		first, done := r.resolved[e.ID]
		late := done && !r.knew(author, r.w.typed[row.id].choosing(e.ID, seen), first)
		if told := row.told(place{e.ID, "chosen"}); late && !told {
			r.w.finds("the conflict %s is decided twice, at %d and %d", e.ID, first.seq, row.seq)
		}
		if !late && row.second(place{e.ID, "chosen"}) {
			r.w.finds("whoever decides the conflict %s at %d is second to nobody", e.ID, row.seq)
		}
		if !late {
			r.resolved[e.ID] = author
		}
	}
}

// choosing is what somebody had seen who chooses in a conflict. His word that it is
// decided may have seen less, behind another of his that was still on its way.
func (t *typing) choosing(id record.ID, otherwise version.Vector) version.Vector {
	for _, e := range t.edits {
		if e.ID == id && e.Set.Get("chosen") != nil {
			return e.Seen
		}
	}
	return otherwise
}
