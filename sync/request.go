package sync

import (
	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/history"
)

// requestKind is the kind of the records that ask whoever answers for a field
// to change it.
const requestKind = "request"

// requested is what an author is told whose value is asked for now.
const requested = "requested"

// request asks whoever answers for a field for a value, and tells its author.
// The request is his: he sees it, and whoever sees the record.
func (s *settling) request(r *record.Record, c conflicts.Clash) error {
	s.merged = true
	told := record.Clash{Kind: r.Kind.Name, ID: r.ID, Field: c.Field.Name, Kept: c.Kept, Lost: c.Lost, Code: requested}
	if kind := s.w.schema.Kind(requestKind); kind != nil {
		id := s.requestID(r, c.Field.Name, c.LostBy)
		if err := s.openRequest(kind, id, r, c); err != nil {
			return err
		}
		told.Conflict = &id
	}
	s.clashes = append(s.clashes, told)
	s.mine = append(s.mine, true)
	s.via = append(s.via, "")
	return nil
}

// requestID follows from the write that asks, whatever it is called now.
func (s *settling) requestID(r *record.Record, field string, by record.Writer) record.ID {
	return r.ID.Derive("request " + field + " " + s.nameOf(by))
}

func (s *settling) openRequest(kind *record.Kind, id record.ID, r *record.Record, c conflicts.Clash) error {
	if known, err := s.find(id); known != nil || err != nil {
		return err // asked already
	}
	set := record.Values{
		{Field: "record", Raw: quote(r.ID.String())},
		{Field: "about_kind", Raw: quote(r.Kind.Name)},
		{Field: "field", Raw: quote(c.Field.Name)},
		{Field: "by", Raw: quote(c.Field.By)},
		{Field: "state", Raw: quote("open")},
	}
	for _, v := range []record.Value{{Field: "asked", Raw: c.Lost}, {Field: "stood", Raw: c.Kept}} {
		if len(v.Raw) <= conflicts.MaxShown { // a longer one is in the field's history
			set = append(set, record.Value{Field: v.Field, Raw: quote(string(v.Raw))})
		}
	}
	d := s.fresh(kind, id)
	return s.writeSelf(d, &record.Edit{Op: record.OpCreate, Kind: kind.Name, ID: id, Set: set})
}

// writeSelf has the server write to a record, in the mutation in hand.
func (s *settling) writeSelf(d *draft, e *record.Edit) error {
	body := history.Edit{Edit: e, Server: true}
	w := s.write(&record.Edit{})
	w.Server, w.Seen.Log = true, s.w.head.Seq // it has seen all that there is
	if d.was != nil {
		body.P = d.was.Seq
		d.quiet, d.wrote = false, true
	}
	report, err := conflicts.Apply(d.now, e, w)
	if err != nil {
		return err
	}
	if d.was == nil {
		s.defaults(d.now)
	}
	return s.report(d.now, report, &body)
}

// answerRequest closes a request whose answer follows from a write.
func (s *settling) answerRequest(r *record.Record, a conflicts.Answer) error {
	asked, err := s.find(s.requestID(r, a.Field.Name, a.To))
	if err != nil || asked == nil || asked.State == record.Deleted || asked.Text("state") != "open" {
		return err
	}
	e := &record.Edit{Op: record.OpEdit, Kind: asked.Kind.Name, ID: asked.ID, Set: record.Values{{Field: "state", Raw: quote(a.State)}}}
	if !s.actor.Person.IsZero() {
		e.Set = append(e.Set, record.Value{Field: "resolver", Raw: quoteID(s.actor.Person)})
	}
	return s.writeSelf(s.draft(asked), e)
}

// onlyOwned reports whether an edit changes fields for which somebody answers,
// and no others.
func onlyOwned(e *record.Edit, kind *record.Kind) bool {
	for _, v := range e.Set {
		if f := kind.Field(v.Field); f == nil || f.Policy != record.Owned {
			return false
		}
	}
	return e.Op == record.OpEdit && len(e.Set) > 0 && len(e.Add)+len(e.Remove)+len(e.Inc) == 0
}

// checkDecision says who may close a request by hand: whoever answers for the
// field declines it, its author takes it back. To accept it is to write the
// field.
func (s *settling) checkDecision(e *record.Edit, asked *record.Record) error {
	no := func(kind errs.Kind, code, msg string) error {
		return errs.New("sync.request", kind, "%s", msg).Coded(code)
	}
	if len(e.Add)+len(e.Remove)+len(e.Inc) > 0 {
		return no(errs.Denied, "request", "a request is declined or taken back, and not changed")
	}
	for _, v := range e.Set {
		switch state := e.Set.Text("state"); {
		case v.Field != "state" && v.Field != "reason",
			v.Field == "state" && state != "declined" && state != "withdrawn":
			return no(errs.Denied, "request", "a request is declined or taken back, and not changed")
		case state == "withdrawn" && asked.Owner == s.actor.Person:
		case s.actor.Answers(&record.Field{By: asked.Text("by")}) && state != "withdrawn":
		default:
			return no(errs.Denied, "request", "only whoever answers for the field may decide this")
		}
	}
	if asked.Text("state") != "open" {
		return no(errs.Clash, "answered", "this request was answered before")
	}
	return nil
}

// checkEnd refuses to delete what ends otherwise: a conflict is decided, a
// request answered, a reserve given back.
func (s *settling) checkEnd(e *record.Edit, rec *record.Record) error {
	switch {
	case s.actor.System:
	case rec.Kind.Name == conflictKind:
		return s.checkInbox(e)
	case rec.Kind.Name == requestKind:
		return errs.New("sync.request", errs.Denied, "a request is declined or taken back, and not deleted").Coded("request")
	case rec.Kind.Name == reserveKind:
		return refuseReserve(errs.Denied, "reserve", "a reserve is spent or given back, and nothing else")
	}
	return nil
}
