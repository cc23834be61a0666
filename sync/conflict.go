package sync

import (
	"encoding/json"
	"maps"
	"slices"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/version"
)

// conflictKind is the kind of the records that ask a person to look.
const conflictKind = "conflict"

// clash tells the author, and opens a conflict where the policy asks for a
// person. The conflict belongs to the record and comes in the same commit.
func (s *settling) clash(r *record.Record, c conflicts.Clash) error {
	if c.Request {
		return s.request(r, c)
	}
	s.merged = true
	told := record.Clash{
		Kind: r.Kind.Name, ID: r.ID, Field: c.Field.Name, Kept: c.Kept, Lost: c.Lost, Code: string(c.Field.Policy),
	}
	if kind := s.w.schema.Kind(conflictKind); c.Ask && kind != nil && r.Kind != kind {
		id := s.conflictID(r, c.Field.Name, c.KeptBy, c.LostBy)
		if err := s.open(kind, id, r, c); err != nil {
			return err
		}
		told.Conflict = &id
		ask(r, id, c)
	}
	s.clashes = append(s.clashes, told)
	s.mine = append(s.mine, c.LostBy.Same(s.by))
	s.via = append(s.via, s.viaOf(c))
	return nil
}

// viaOf is whose value lost, while two records become one.
func (s *settling) viaOf(c conflicts.Clash) history.Via {
	if s.taking == nil {
		return ""
	}
	if slot := s.taking.Slot(c.Field.Name); slot != nil && slot.By.Same(c.LostBy) {
		return history.CameIn
	}
	return history.WasThere
}

// ask has the field remember what is asked about it, so that whoever writes it
// with knowledge of all that answers.
func ask(r *record.Record, id record.ID, c conflicts.Clash) {
	slot := r.Slot(c.Field.Name)
	if slot == nil || slices.ContainsFunc(slot.Asked, func(a record.Asked) bool { return a.ID == id }) {
		return // whether a record is there is no field of it
	}
	a := record.Asked{ID: id}
	add := func(by record.Writer) {
		if !by.IsZero() && !slices.ContainsFunc(a.Writers, by.Same) {
			a.Writers = append(a.Writers, by)
		}
	}
	add(c.KeptBy)
	add(c.LostBy)
	for _, v := range slot.Versions {
		add(v.By)
	}
	slot.Asked = append(slices.Clip(slot.Asked), a)
}

// conflictID follows from the two that met, whoever of them came first: after a
// restore they may come back the other way round, and what a person has decided
// must find the conflict that it decides.
func (s *settling) conflictID(r *record.Record, field string, a, b record.Writer) record.ID {
	one, other := s.nameOf(a), s.nameOf(b)
	return r.ID.Derive(field + " " + min(one, other) + " " + max(one, other))
}

// nameOf is what a write is called, or was when it was judged first.
func (s *settling) nameOf(by record.Writer) string {
	if by.Same(s.by) && !s.proof.Dot.IsZero() {
		by = s.proof.Dot
	}
	return dotOf(by)
}

func (s *settling) open(kind *record.Kind, id record.ID, r *record.Record, c conflicts.Clash) error {
	values, err := s.versions(id, c, tells(r.Kind, c.Field.Name))
	if err != nil {
		return err
	}
	e := &record.Edit{Op: record.OpCreate, Kind: kind.Name, ID: id, Set: record.Values{
		{Field: "record", Raw: quote(r.ID.String())},
		{Field: "about_kind", Raw: quote(r.Kind.Name)},
		{Field: "field", Raw: quote(c.Field.Name)},
		{Field: "policy", Raw: quote(string(c.Field.Policy))},
		{Field: "values", Raw: values},
		{Field: "state", Raw: quote("open")},
		{Field: "owner", Raw: quote(r.Owner.String())},
	}}
	if r.Owner.IsZero() {
		e.Set = e.Set[:len(e.Set)-1]
	}
	if base := conflicts.AsText(c.Base); base != nil && kind.Field("base") != nil && tells(r.Kind, c.Field.Name) {
		e.Set = append(e.Set, record.Value{Field: "base", Raw: base})
	}
	if known, err := s.find(id); known != nil || err != nil {
		return err // asked already
	}
	d := s.fresh(kind, id)
	w := s.write(&record.Edit{})
	w.Server = true
	report, err := conflicts.Apply(d.now, e, w)
	if err != nil {
		return err
	}
	s.defaults(d.now)
	return s.report(d.now, report, &history.Edit{Edit: e, Server: true})
}

// tells reports whether whoever sees a record sees a field of it. Only then the
// conflict about it, which he sees as well, carries its values; else they are in
// the field's history, for those who may see them.
func tells(kind *record.Kind, field string) bool {
	f := kind.Field(field)
	return f == nil || len(f.Readers) == 0
}

// versions are the values that clashed, or that a person decides between: who
// wrote each and when.
func (s *settling) versions(id record.ID, c conflicts.Clash, told bool) ([]byte, error) {
	type version struct {
		name string
		raw  json.RawMessage
		by   record.Writer
	}
	all := []version{{"kept", c.Kept, c.KeptBy}, {"lost", c.Lost, c.LostBy}}
	if c.Versions != nil {
		all = all[:0]
		for _, v := range c.Versions {
			all = append(all, version{dotOf(v.By), v.Raw, v.By})
		}
	}
	out := []byte{'['}
	for i, v := range all {
		if i > 0 {
			out = append(out, ',')
		}
		row := record.Values{{Field: "id", Raw: quote(id.Derive(v.name).String())}}
		if told && len(v.raw) <= conflicts.MaxShown/max(1, len(c.Versions)/2) {
			row = append(row, record.Value{Field: "value", Raw: quote(string(v.raw))})
		}
		if !v.by.IsZero() {
			author, device, err := s.authorOf(v.by)
			if err != nil {
				return nil, err
			}
			row = append(row,
				record.Value{Field: "author", Raw: quote(author.String())},
				record.Value{Field: "at", Raw: instant(v.by.Stamp.MS)},
				record.Value{Field: "dot", Raw: quote(dotOf(v.by))},
			)
			if !device.IsZero() {
				row = append(row, record.Value{Field: "device", Raw: quote(device.String())})
			}
		}
		out = row.AppendJSON(out)
	}
	return append(out, ']'), nil
}

func dotOf(by record.Writer) string {
	return version.Dot{Replica: store.ReplicaName(by.Replica), N: by.N}.String()
}

// authorOf is whose replica made a write, and on which device.
func (s *settling) authorOf(by record.Writer) (person, device record.ID, err error) {
	if s.w.writers[by.Replica] == nil {
		if err := s.w.loadWriters([]record.ReplicaID{by.Replica}); err != nil {
			return record.NoID, record.NoID, err
		}
	}
	if w := s.w.writers[by.Replica]; w != nil {
		person, device = w.Person, w.Device
	}
	if by.Replica == s.by.Replica {
		person = s.actor.Person
	}
	return person, device, nil
}

// close answers what was asked about versions that stood against each other:
// somebody has decided, or it is asked anew with one more. Two that met have a
// conflict if a person was asked; whichever of them came first.
func (s *settling) close(r *record.Record, done conflicts.Settled) error {
	if s.w.schema.Kind(conflictKind) == nil {
		return nil
	}
	recs := map[record.ID]bool{}
	if !done.Asked.IsZero() {
		recs[done.Asked] = true
	}
	for i, a := range done.Writers {
		for _, b := range done.Writers[:i] {
			recs[s.conflictID(r, done.Field.Name, a, b)] = true
		}
	}
	if err := s.w.loadRecords(recs); err != nil {
		return err
	}
	for _, id := range record.SortedIDs(slices.Collect(maps.Keys(recs))) {
		asked, err := s.find(id)
		if err != nil {
			return err
		}
		if slot := r.Slot(done.Field.Name); slot != nil && len(slot.Asked) > 0 {
			slot.Asked = slices.DeleteFunc(slices.Clone(slot.Asked), func(a record.Asked) bool { return a.ID == id })
		}
		if !isOpen(asked) {
			continue
		}
		if err := s.answer(asked, done.By); err != nil {
			return err
		}
	}
	return nil
}

// isOpen reports whether a conflict still waits for somebody.
func isOpen(asked *record.Record) bool {
	return asked != nil && asked.State == record.Live && asked.Text("state") == "open"
}

// answer closes a conflict in the name of the server: whoever decides by
// writing need not go to the inbox as well.
func (s *settling) answer(asked *record.Record, chosen json.RawMessage) error {
	if chosen == nil {
		return s.mark(asked, record.Values{{Field: "state", Raw: quote("expired")}})
	}
	set := s.signature(asked)
	about := s.w.schema.Kind(asked.Text("about_kind"))
	if text := conflicts.AsText(chosen); text != nil && (about == nil || tells(about, asked.Text("field"))) {
		set = append(set, record.Value{Field: "chosen", Raw: text})
	}
	return s.mark(asked, set)
}

// signature says that it is decided, by whom, and when.
func (s *settling) signature(asked *record.Record) (set record.Values) {
	if !s.actor.Person.IsZero() {
		set = append(set, record.Value{Field: "resolver", Raw: quoteID(s.actor.Person)})
	}
	if asked.Text("state") != "resolved" { // its author may have said so himself
		set = append(set, record.Value{Field: "state", Raw: quote("resolved")})
	}
	if asked.Kind.Field("decided_at") != nil { // a schema from before does not have it
		set = append(set, record.Value{Field: "decided_at", Raw: instant(s.by.Stamp.MS)})
	}
	return set
}

// mark writes to a conflict in the name of the server, which has seen all that
// there is.
func (s *settling) mark(asked *record.Record, set record.Values) error {
	e := &record.Edit{Op: record.OpEdit, Kind: asked.Kind.Name, ID: asked.ID, Set: set}
	body := history.Edit{Edit: e, P: asked.Seq, Server: true}
	d := s.draft(asked)
	d.quiet, d.wrote = false, true
	w := s.write(&record.Edit{})
	w.Server, w.Seen.Log = true, s.w.head.Seq
	report, err := conflicts.Apply(d.now, e, w)
	if err != nil {
		return err
	}
	return s.report(d.now, report, &body)
}
