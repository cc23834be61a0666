package sync

import (
	"bytes"
	"iter"

	"roadbook/errs"
	"roadbook/record"
)

// references are the records that an edit refers to, by the fields that say
// what they must be. The parent is one of them.
func references(kind *record.Kind, e *record.Edit) iter.Seq2[*record.Field, record.ID] {
	return func(yield func(*record.Field, record.ID) bool) {
		for _, values := range []record.Values{e.Set, e.Add} {
			for _, v := range values {
				f := kind.Field(v.Field)
				if f == nil || f.Type != "user" && (f.Type != "reference" || f.To == "") {
					continue
				}
				for _, id := range ids(v.Raw) {
					if !yield(f, id) {
						return
					}
				}
			}
		}
	}
}

// ids reads one id or a list of them; what is none is not for this to say.
func ids(raw []byte) []record.ID {
	if len(raw) == 0 || raw[0] != '[' {
		if id, ok := record.RawID(raw); ok {
			return []record.ID{id}
		}
		return nil
	}
	list, err := record.ParseList(raw)
	if err != nil {
		return nil
	}
	var out []record.ID
	for _, raw := range list {
		if id, ok := record.RawID(raw); ok {
			out = append(out, id)
		}
	}
	return out
}

// checkReferences refuses an edit that newly refers to what is not there for
// its author, or is of another kind. The parent has a check of its own, which
// also brings back what was deleted meanwhile.
func (s *settling) checkReferences(e *record.Edit) error {
	kind := s.w.schema.Kind(e.Kind)
	before := s.w.records[e.ID]
	for f, id := range references(kind, e) {
		if f.Name == kind.Parent || f.Name == "owner" ||
			before != nil && bytes.Contains(before.Raw(f.Name), []byte(id.String())) {
			continue
		}
		if err := s.checkReference(f, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *settling) checkReference(f *record.Field, id record.ID) error {
	if f.Type == "user" {
		return s.checkPerson(f, id)
	}
	rec, err := s.find(id)
	if err != nil {
		return err
	}
	if rec == nil {
		return s.dangling(f, id)
	}
	seen, err := s.sees(rec)
	switch {
	case err != nil:
		return err
	case !seen:
		return unreferred(f)
	case rec.Kind.Name != f.To:
		bad := errs.Field{Field: f.Name, Detail: "it is of another kind"}
		return errs.New("sync.reference", errs.Invalid, "%s: this refers to a record of another kind", f.Name).Coded("kind_mismatch").Of(bad)
	}
	return nil
}

// dangling refuses a reference to what is not there, naming the reason if that
// is a change that was refused.
func (s *settling) dangling(f *record.Field, id record.ID) error {
	orphan, err := s.orphan(id)
	switch {
	case err != nil:
		return err
	case orphan:
		return dependsOn()
	}
	return unreferred(f)
}

func (s *settling) checkPerson(f *record.Field, id record.ID) error {
	p, err := s.w.person(id)
	if err == nil && p == nil && !s.isNewUser(id) {
		err = unreferred(f)
	}
	return err
}

func unreferred(f *record.Field) error {
	bad := errs.Field{Field: f.Name, Detail: "it is not there"}
	return errs.New("sync.reference", errs.Missing, "%s: what this refers to is not there", f.Name).Coded("reference").Of(bad)
}
