package sync

import (
	"bytes"
	"strings"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/match"
)

// duplicateKind is the kind of the records that say what people have decided of
// two that may be one.
const duplicateKind = "duplicate"

// apartID is the id of the record that says what people have decided of a pair.
func apartID(a, b record.ID) record.ID {
	if bytes.Compare(b[:], a[:]) < 0 {
		a, b = b, a
	}
	return a.Derive(duplicateKind + " " + b.String())
}

// What people say of two records: that a merge was a mistake, that what only
// looks alike is one, or that it is not.

// decide does what an edit of a redirect or of a possible duplicate asks for.
// What the server notes itself asks for nothing.
func (s *settling) decide(d *draft) error {
	if d.was == nil || s.noted[d.now.ID] || d.now.Kind.Name != redirectKind && d.now.Kind.Name != duplicateKind {
		return nil
	}
	if d.now.State == record.Deleted {
		return errs.New("sync.decide", errs.Clash, "this cannot be deleted; say that the two are not one instead").Coded("merged")
	}
	now := d.now.Text("state")
	if d.was.Text("state") == now {
		return nil
	}
	s.judging = true
	defer func() { s.judging = false }()
	if d.now.Kind.Name == duplicateKind {
		return s.decidePair(d.now, now)
	}
	a, err := s.goesOn(typedTo(d.now.Slot("survivor")))
	if err != nil {
		return err
	}
	b, err := s.find(d.now.Ref("dead"))
	switch {
	case err != nil:
		return err
	case a == nil || b == nil:
		return missing()
	case now == "split":
		return s.split(d, a, b)
	}
	return s.join(a, b)
}

// decidePair does what somebody says of two that may be one. Either may have gone
// on as another since he read of them.
func (s *settling) decidePair(note *record.Record, state string) error {
	one, other := typedTo(note.Slot("account")), note.Ref("other")
	a, err := s.goesOn(one)
	if err != nil {
		return err
	}
	b, err := s.goesOn(other)
	switch {
	case err != nil:
		return err
	case a == nil || b == nil:
		return missing()
	case a.ID == b.ID && state == "merged":
		return s.mayJudge(a, b)
	case a.ID == b.ID:
		return s.undo(one, other)
	case state == "merged":
		return s.join(a, b)
	}
	return s.mayJudge(a, b)
}

// goesOn is a record, or what it goes on as.
func (s *settling) goesOn(id record.ID) (*record.Record, error) {
	id, err := s.w.heir(id, s.find)
	if err != nil {
		return nil, err
	}
	return s.find(id)
}

// undo takes back the merge of two, because somebody says that they are not one.
func (s *settling) undo(one, other record.ID) error {
	for _, pair := range [][2]record.ID{{one, other}, {other, one}} {
		lead, err := s.find(redirectID(pair[0]))
		if err != nil {
			return err
		}
		if !leads(lead) || typedTo(lead.Slot("survivor")) != pair[1] || s.draft(lead).was == nil {
			continue
		}
		survivor, err := s.goesOn(pair[1])
		if err != nil {
			return err
		}
		dead, err := s.find(pair[0])
		if err != nil || dead == nil {
			return err
		}
		if err := s.noteOf(redirectKind, lead.ID, record.NoID, record.Values{{Field: "state", Raw: quote("split")}}); err != nil {
			return err
		}
		return s.split(s.drafts[lead.ID], survivor, dead)
	}
	return errs.New("sync.undo", errs.Clash, "both have become part of a third; undo one of those merges instead").Coded("merged")
}

// mayJudge refuses to say of two records that they are not one to whoever is
// neither the owner of one of them nor above him.
func (s *settling) mayJudge(a, b *record.Record) error {
	err := s.actor.CheckDelete(a.Kind, a.Owner)
	if err != nil {
		err = s.actor.CheckDelete(b.Kind, b.Owner)
	}
	return err
}

// join makes one of two records because somebody says so. He must have a say in
// both, or everybody could let himself into the customers of others.
func (s *settling) join(a, b *record.Record) error {
	for _, r := range []*record.Record{a, b} {
		switch err := s.actor.CheckDelete(r.Kind, r.Owner); {
		case err != nil:
			return err
		case r.State == record.Deleted:
			return deleted()
		}
	}
	if a.ID == b.ID || a.Kind != b.Kind || a.Kind.Match == nil {
		return errs.New("sync.join", errs.Invalid, "these two cannot become one").Coded("kind_mismatch")
	}
	_, err := s.merge(a, b)
	return err
}

// maxSuggested is how many possible duplicates of one record people are shown at
// once: more than these, and the number is a switchboard's.
const maxSuggested = 3

// suggest lets people look at two records that may be one. Each side is told no
// more of the other than a hint.
func (s *settling) suggest(r, other *record.Record, key match.Key) error {
	known, err := s.find(apartID(r.ID, other.ID))
	if err != nil || known != nil && known.Text("state") != moot {
		return err
	}
	return s.noteOf(duplicateKind, apartID(r.ID, other.ID), other.Owner, s.pair(r, other, "open", key))
}

func (s *settling) pair(a, b *record.Record, state string, key match.Key) record.Values {
	set := record.Values{
		{Field: "account", Raw: quoteID(a.ID)}, {Field: "other", Raw: quoteID(b.ID)}, {Field: "state", Raw: quote(state)},
	}
	if key.Text != "" {
		set = append(set,
			record.Value{Field: "hint", Raw: quote(Hint(a) + " / " + Hint(b))},
			record.Value{Field: "reason", Raw: quote(fieldsOf(a.Kind, key))},
		)
	}
	return set
}

// say notes what became of two records, so that it is not found anew what people
// have decided.
func (s *settling) say(a, b *record.Record, state string) error {
	id := apartID(a.ID, b.ID)
	note, err := s.find(id)
	switch {
	case err != nil:
		return err
	case note == nil && state == "merged", note != nil && note.Text("state") == state:
		return nil
	case note == nil:
		return s.noteOf(duplicateKind, id, b.Owner, s.pair(a, b, state, match.Key{}))
	}
	return s.noteOf(duplicateKind, id, b.Owner, record.Values{{Field: "state", Raw: quote(state)}})
}

// fieldsOf names the fields of a key, for people.
func fieldsOf(k *record.Kind, key match.Key) string { return strings.Join(k.Match.Fields(key), ", ") }

// Hint is what somebody is told of a record that he may not see: enough to ask a
// colleague, and no more.
func Hint(r *record.Record) string {
	name := []rune(r.Text("name"))
	switch {
	case len(name) > 2:
		name = append(append(name[:1:1], []rune("***")...), name[len(name)-1])
	case len(name) > 0:
		name = append(name[:1:1], []rune("***")...)
	}
	return string(name)
}
