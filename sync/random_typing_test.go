package sync_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"roadbook/record"
)

// ids are the records on the phone's screen, in a fixed order.
func (p *player) ids() []record.ID {
	seen := map[record.ID]bool{}
	for id := range p.base {
		seen[id] = true
	}
	pending := func(m record.Mutation) {
		for _, e := range m.Edits {
			seen[e.ID] = seen[e.ID] || e.Op == record.OpCreate
			if e.Op == record.OpDelete {
				seen[e.ID] = false
			}
		}
	}
	for _, m := range p.settled {
		pending(m.Mutation)
	}
	for _, m := range p.outbox {
		pending(m)
	}
	var ids []record.ID
	for id, there := range seen {
		if kind := p.kind(id); there && kind != "user" && kind != "unit" {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

func compareIDs(a, b record.ID) int { return slices.Compare(a[:], b[:]) }

// shown is a field as it stands on the screen. Of a group an own change shows
// the other members as they were then.
func (p *player) shown(id record.ID, field string) string {
	for _, e := range slices.Backward(p.pending(id)) {
		if raw := e.Set.Get(field); raw != nil {
			return string(raw)
		}
		if address(e.Edit) && slices.Contains(unit, field) {
			return p.units[e.by][id][field]
		}
	}
	return p.raw(id, field)
}

// unit is the group of the shipped schema.
var unit = []string{"address", "location"}

func address(e record.Edit) bool {
	return slices.ContainsFunc(unit, func(f string) bool { return e.Set.Get(f) != nil })
}

// types has somebody change something on his screen.
func (s *story) types(p *player) {
	ids := p.ids()
	x := s.rng.IntN(100)
	if len(ids) == 0 || x < 10 {
		set := values("name", s.value(), "remark", s.value())
		if s.chance(20) {
			set = append(set, values("owner", s.somebody())...)
		}
		if s.chance(30) {
			set = append(set, s.address()...)
		}
		s.puts(p, record.Edit{Op: record.OpCreate, Kind: "account", ID: s.id(), Set: set})
		return
	}
	if account, ok := s.anyAccount(p); ok && x < 28 {
		s.typesChild(p, account)
		return
	}
	id := pick(s.rng, ids)
	switch {
	case x < 35:
		p.gone = append(p.gone, id)
		s.puts(p, record.Edit{Op: record.OpDelete, Kind: p.kind(id), ID: id, Seen: p.seenAll(id)})
	case x < 38 && len(p.gone) > 0:
		id := pick(s.rng, p.gone)
		if p.has(id) {
			return
		}
		s.puts(p, record.Edit{Op: record.OpRestore, Kind: p.kind(id), ID: id})
	default:
		s.puts(p, s.changes(p, id)...)
	}
}

func (s *story) anyAccount(p *player) (record.ID, bool) {
	accounts := slices.DeleteFunc(p.ids(), func(id record.ID) bool { return p.kind(id) != "account" })
	if len(accounts) == 0 {
		return record.NoID, false
	}
	return pick(s.rng, accounts), true
}

// typesChild makes a record that hangs below an account, sometimes with a
// change of the account in the same mutation.
func (s *story) typesChild(p *player, account record.ID) {
	e := record.Edit{Op: record.OpCreate, ID: s.id(), Kind: pick(s.rng, []string{"contact", "contact", "visit_plan", "visit_plan", "task"})}
	switch e.Kind {
	case "contact":
		e.Set = values("account", account, "name", s.value())
	case "visit_plan":
		e.Set = values("account", account, "date", s.day())
	case "task":
		e.Set = values("account", account, "title", s.value())
	}
	edits := []record.Edit{e}
	if s.chance(30) {
		edits = append(edits, s.changes(p, account)...)
	}
	s.puts(p, edits...)
}

func (s *story) day() string {
	return fmt.Sprintf("2026-%02d-%02d", 6+s.rng.IntN(7), 1+s.rng.IntN(28))
}

func (s *story) somebody() record.ID {
	return s.person(s.org, pick(s.rng, []string{"chen", "lin", "zhou", "gao"}))
}

func (s *story) address() record.Values {
	var set record.Values
	if s.chance(70) {
		set = append(set, values("address", s.value())...)
	}
	if s.chance(70) || set == nil {
		s.told++
		set = append(set, values("location", json.RawMessage(fmt.Sprintf(`{"lat":30.%03d1,"lng":120.5,"crs":"wgs84"}`, s.told)))...)
	}
	return set
}

// changes are edits of some fields of one record.
func (s *story) changes(p *player, id record.ID) []record.Edit {
	var set record.Values
	e := p.change(id)
	maybe := func(percent int, field string, value any) {
		if s.chance(percent) {
			set = append(set, values(field, value)...)
		}
	}
	elements := func(percent int, field string, of ...any) {
		switch el := []any{pick(s.rng, of)}; {
		case s.chance(percent):
			e.Add = append(e.Add, values(field, el)...)
		case s.chance(percent):
			e.Remove = append(e.Remove, values(field, el)...)
		}
	}
	switch p.kind(id) {
	case "account":
		maybe(40, "name", s.value())
		maybe(30, "remark", s.value())
		maybe(30, "short_name", s.value())
		maybe(8, "owner", s.somebody())
		maybe(15, "last_contact_at", fmt.Sprintf("2026-11-%02dT08:00:00Z", 1+s.rng.IntN(28)))
		if s.chance(20) {
			set = append(set, s.address()...)
		}
		elements(20, "tags", "a", "b", "c")
		elements(8, "collaborators", s.somebody())
		if s.chance(25) {
			e.Inc = values("points", pick(s.rng, []int{1, 2, -1}))
		}
	case "contact":
		maybe(50, "name", s.value())
		maybe(40, "title", s.value())
		maybe(6, "owner", s.somebody())
		if account, ok := s.anyAccount(p); ok {
			maybe(15, "account", account)
		}
	case "visit_plan":
		maybe(50, "date", s.day())
		s.told++
		maybe(50, "order", s.told)
		maybe(10, "account", s.id()) // once: never taken
		maybe(20, "reason", pick(s.rng, []string{"cycle", "task", "complaint"}))
	case "task":
		maybe(60, "title", s.value())
		maybe(40, "detail", s.value())
		maybe(6, "owner", s.somebody())
	case "conflict":
		maybe(90, "chosen", s.value())
	}
	edits := p.edits(id, set)
	if len(e.Add)+len(e.Remove)+len(e.Inc) > 0 {
		edits = append(edits, e)
	}
	if len(edits) == 0 {
		e.Set = values(map[string]string{
			"account": "name", "contact": "name", "visit_plan": "order", "task": "title", "conflict": "chosen",
		}[p.kind(id)], nil)
		if p.kind(id) == "account" {
			e.Set[0].Raw = js(s.value())
		}
		edits = p.edits(id, e.Set)
	}
	return edits
}

// puts types a mutation and notes what its author had on the screen.
func (s *story) puts(p *player, edits ...record.Edit) {
	ty := &typing{who: p.name, edits: edits, known: map[place]map[record.ID]bool{}}
	for _, e := range edits {
		for _, v := range e.Set {
			at := place{e.ID, v.Field}
			if ty.known[at] == nil {
				ty.known[at] = s.knownTo(p.shown(e.ID, v.Field), at)
			}
		}
	}
	after, shown := s.ties(p, edits), s.pairsOf(p, edits)
	id := p.typed(edits...)
	p.units[id] = shown
	p.outbox[len(p.outbox)-1].After = after
	s.typedBy[id] = ty
	s.noteValues(id, edits)
	s.say("%s types %s as n %d", p.name, s.words(edits), p.n)
}

// pairsOf are the address and point of each record that somebody is about to
// have on his screen together.
func (s *story) pairsOf(p *player, edits []record.Edit) map[record.ID]map[string]string {
	pairs := map[record.ID]map[string]string{}
	for _, e := range edits {
		if e.Kind != "account" || e.Op == record.OpDelete {
			continue
		}
		shown := map[string]string{}
		for _, f := range unit {
			if shown[f] = string(e.Set.Get(f)); shown[f] == "" {
				shown[f] = p.shown(e.ID, f)
			}
		}
		s.pairs[pairOf(e.ID, shown["address"], shown["location"])] = true
		if address(e) {
			pairs[e.ID] = shown
		}
	}
	return pairs
}

// ties are the mutations whose fate an edit shares, because it replaces what
// they typed; of a group always, of other fields as the app likes.
func (s *story) ties(p *player, edits []record.Edit) []json.RawMessage {
	var after []json.RawMessage
	for _, m := range p.outbox {
		for _, was := range m.Edits {
			for _, e := range edits {
				if was.ID == e.ID && (address(e) && address(was) || s.chance(10)) && len(after) < 5 {
					after = append(after, js(m.ID))
				}
			}
		}
	}
	return after
}

// noteValues remembers who typed what nobody had typed before.
func (s *story) noteValues(id record.ID, edits []record.Edit) {
	for _, e := range edits {
		for _, v := range e.Set {
			if strings.HasPrefix(string(v.Raw), `"v`) {
				s.wrote[string(v.Raw)] = id
			}
		}
	}
}

// knownTo are the writers of the value on a screen and of all that they knew.
func (s *story) knownTo(shown string, at place) map[record.ID]bool {
	known := map[record.ID]bool{}
	if by, ok := s.wrote[shown]; ok && s.typedBy[by] != nil {
		known[by] = true
		for id := range s.typedBy[by].known[at] {
			known[id] = true
		}
	}
	return known
}

func pairOf(id record.ID, address, location string) string {
	norm := func(raw string) string {
		if raw == "null" {
			return ""
		}
		return raw
	}
	return id.String() + norm(address) + norm(location)
}

func short(id record.ID) string { return id.String()[30:] }

func (s *story) words(edits []record.Edit) string {
	var out []string
	for _, e := range edits {
		text := fmt.Sprintf("%s %s %s", e.Op, e.Kind, short(e.ID))
		if e.Seen.Seq() > 0 {
			text += fmt.Sprintf(" (seen %d)", e.Seen.Seq())
		}
		for _, part := range []struct {
			sign   string
			values record.Values
		}{{"=", e.Set}, {"+", e.Add}, {"-", e.Remove}, {"by", e.Inc}} {
			for _, v := range part.values {
				text += " " + v.Field + part.sign + string(v.Raw)
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}
