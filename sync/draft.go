package sync

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/history"
)

// draft is one record as a mutation would make it.
type draft struct {
	was     *record.Record // before the mutation, nil if new
	now     *record.Record
	left    record.Seq // where it leaves a scope, 0 if it does not
	quiet   bool       // only its vector changed: no content, no seq
	wrote   bool       // fields were written, or it was brought back: a delete may not have seen that
	touched bool       // a child was hung under it, which counts as an edit of it
}

// draft begins to change a record that is there.
func (s *settling) draft(rec *record.Record) *draft {
	if d := s.drafts[rec.ID]; d != nil {
		return d
	}
	d := &draft{was: rec, now: rec.Clone()}
	s.drafts[rec.ID] = d
	s.order = append(s.order, rec.ID)
	return d
}

// fresh begins a record that is new.
func (s *settling) fresh(k *record.Kind, id record.ID) *draft {
	d := &draft{now: &record.Record{Kind: k, ID: id, Root: id, Slots: make([]record.Slot, 0, 12)}, wrote: true}
	s.drafts[id] = d
	s.order = append(s.order, id)
	return d
}

// find is a record as this mutation would leave it, nil if there is none.
func (s *settling) find(id record.ID) (*record.Record, error) {
	if d := s.drafts[id]; d != nil {
		return d.now, nil
	}
	return s.w.record(id)
}

// finish works out what follows from the edits: owner, parent, month and
// scopes of each record, and checks what must hold of it. A record that comes
// in while this goes on, a parent brought back, is worked out in its turn.
func (s *settling) finish() error {
	for i := 0; i < len(s.order); i++ { //nolint:intrange // the list grows on the way
		d := s.drafts[s.order[i]]
		if d.quiet {
			continue
		}
		if err := s.settleDraft(d); err != nil {
			return err
		}
		if err := s.unite(d); err != nil {
			return err
		}
		if err := s.decide(d); err != nil {
			return err
		}
	}
	return s.checkRules()
}

func (s *settling) settleDraft(d *draft) error {
	r := d.now
	if d.touched && !d.wrote && r.State == d.was.State {
		return nil
	}
	r.Seq = s.by.Seq
	if d.wrote {
		r.Saw(s.by)
	}
	if err := s.setOwner(d); err != nil {
		return err
	}
	if err := s.setParent(d); err != nil {
		return err
	}
	r.Month = monthOf(r)
	if err := s.place(d); err != nil {
		return err
	}
	if r.State == record.Deleted {
		return nil
	}
	return check(r)
}

// setOwner takes over the owner that the fields name; who names nobody owns
// what he makes.
func (s *settling) setOwner(d *draft) error {
	r := d.now
	if r.Kind.Field("owner") == nil {
		if d.was == nil {
			r.Owner = s.actor.Person
		}
		return nil
	}
	owner := r.Ref("owner")
	if owner.IsZero() && d.was == nil {
		owner = s.actor.Person
		if !owner.IsZero() {
			*r.Put("owner") = record.Slot{Field: "owner", Raw: quoteID(owner), By: s.by}
		}
	}
	if owner == r.Owner && d.was != nil {
		return nil
	}
	if err := s.checkOwner(owner); err != nil {
		return err
	}
	r.Owner = owner
	if d.was != nil && r.Kind.Name != conflictKind {
		return s.handOver(r)
	}
	return nil
}

func (s *settling) checkOwner(owner record.ID) error {
	if s.actor.System {
		return nil // it may name whom it is about to make
	}
	p, err := s.w.person(owner)
	if err != nil {
		return err
	}
	if p == nil && !s.isNewUser(owner) {
		return errs.New("sync.owner", errs.Invalid, "the owner must be somebody of this organisation").Coded("owner").
			Of(errs.Field{Field: "owner", Detail: "nobody of that name is here"})
	}
	return nil
}

// isNewUser reports whether this very mutation makes the person.
func (s *settling) isNewUser(id record.ID) bool {
	d := s.drafts[id]
	return d != nil && d.now.Kind.Name == "user"
}

// MaxDepth is how long a chain of parents may be: a result of a visit to an
// account is 2, and what is deeper is a mistake or a circle.
const MaxDepth = 16

// setParent takes over the parent that the fields name. Naming a parent counts
// as an edit of it: one that was deleted without the author's knowledge comes
// back.
func (s *settling) setParent(d *draft) error {
	r := d.now
	if r.Kind.Parent == "" {
		r.Root = r.ID
		return nil
	}
	parent := r.Ref(r.Kind.Parent)
	if d.was != nil && parent == r.Parent {
		return nil
	}
	if parent.IsZero() {
		r.Parent, r.Root = parent, r.ID
		return nil
	}
	above, err := s.find(parent)
	if err != nil {
		return err
	}
	if above != nil && above.State == record.Deleted {
		if above, err = s.leadParent(r, above); err != nil {
			return err
		}
		parent = above.ID
	}
	if err := s.checkParent(r, above); err != nil {
		return err
	}
	if d.was != nil {
		s.rescope = append(s.rescope, r.ID)
	}
	if !isNote(r.Kind) {
		s.touch(above)
	}
	r.Parent, r.Root = parent, above.Root
	return nil
}

// touch counts as an edit of a record that changes none of its fields: whoever
// deletes it afterwards says by its seq whether he had seen the child.
func (s *settling) touch(rec *record.Record) {
	d := s.draft(rec)
	if d.was == nil || d.touched {
		return
	}
	s.edits = append(s.edits, history.Edit{Edit: &record.Edit{Op: record.OpEdit, Kind: rec.Kind.Name, ID: rec.ID}, P: d.was.Seq, Server: true})
	d.quiet, d.touched = false, true
	d.now.Seq = s.by.Seq
	d.now.Saw(s.by)
}

func (s *settling) checkParent(r, above *record.Record) error {
	f := r.Kind.Field(r.Kind.Parent)
	bad := errs.Field{Field: f.Name, Detail: "it is not there"}
	if above == nil {
		orphan, err := s.orphan(r.Ref(f.Name))
		if err != nil {
			return err
		}
		if orphan {
			return dependsOn()
		}
		return errs.New("sync.parent", errs.Missing, "what this belongs to is not there").Coded("parent").Of(bad)
	}
	seen, err := s.sees(above)
	switch {
	case err != nil:
		return err
	case !seen && !isNote(r.Kind):
		return errs.New("sync.parent", errs.Missing, "what this belongs to is not there").Coded("parent").Of(bad)
	case f.To != "" && above.Kind.Name != f.To:
		bad.Detail = "it is of another kind"
		return errs.New("sync.parent", errs.Invalid, "this cannot belong to a record of that kind").Coded("kind_mismatch").Of(bad)
	case above.State == record.Deleted:
		return s.revive(above, s.parentWrite(r))
	}
	for up, depth := above, 0; up != nil; depth++ {
		if up.ID == r.ID || depth > MaxDepth {
			bad.Detail = "it would belong to itself"
			return errs.New("sync.parent", errs.Invalid, "a record cannot belong to itself").Coded("cycle").Of(bad)
		}
		if up.Parent.IsZero() {
			break
		}
		if up, err = s.find(up.Parent); err != nil {
			return err
		}
	}
	return nil
}

// parentWrite is the edit that names a parent, as an edit of the parent.
func (s *settling) parentWrite(r *record.Record) *conflicts.Write {
	for _, e := range s.applied {
		if e.ID == r.ID && e.Set.Get(r.Kind.Parent) != nil {
			w := s.write(e)
			s.recall(w, r.Ref(r.Kind.Parent))
			return w
		}
	}
	return s.write(&record.Edit{})
}

// note keeps a write in a record's vector and changes nothing else of it.
func (s *settling) note(rec *record.Record, by record.Writer) {
	known := s.drafts[rec.ID] != nil
	d := s.draft(rec)
	d.quiet = !known || d.quiet
	d.now.Saw(by)
}

// monthOf is when a record happened, for periods: the field that its kind
// names, else when it was made. In UTC, so that it is the same everywhere.
func monthOf(r *record.Record) record.Month {
	if r.Kind.Month == "" {
		return 0
	}
	for _, name := range []string{r.Kind.Month, "created_at"} {
		text := r.Text(name)
		if raw := r.Raw(name); len(raw) > 0 && raw[0] == '{' {
			if vs, err := record.ParseValues(raw); err == nil {
				text = vs.Text("time_device")
			}
		}
		if m, ok := record.ParseMonth(text); ok {
			return m
		}
	}
	return 0
}

// check is what must hold of a record whoever wrote it.
func check(r *record.Record) error {
	var wrong []errs.Field
	code := ""
	for _, f := range r.Kind.Fields {
		slot := r.Slot(f.Name)
		switch {
		case f.Required && (slot == nil || record.IsNull(slot.Raw) || blank(slot.Raw)):
			wrong, code = append(wrong, errs.Field{Field: f.Name, Detail: "this must be filled in"}), "required"
		case f.Policy == record.Counter && f.Floor != nil && slot != nil && below(slot.Raw, *f.Floor):
			wrong, code = append(wrong, errs.Field{Field: f.Name, Detail: "this would fall below " + strconv.FormatInt(*f.Floor, 10)}), "floor"
		}
	}
	if len(wrong) > 0 {
		kind := errs.Invalid
		if code == "floor" {
			kind = errs.Clash
		}
		return errs.New("sync.check", kind, "%s: %s", wrong[0].Field, wrong[0].Detail).Coded(code).Of(wrong...)
	}
	size := 2
	for i := range r.Slots {
		size += len(r.Slots[i].Field) + len(r.Slots[i].Raw) + 4
	}
	if size > record.MaxRecordBytes {
		return errs.New("sync.check", errs.Invalid, "the record would be larger than %d KiB", record.MaxRecordBytes>>10).Coded("record_size")
	}
	return nil
}

// blank reports whether a text says nothing.
func blank(raw []byte) bool {
	if raw[0] != '"' {
		return false
	}
	if c, _ := utf8.DecodeRune(raw[1:]); c != '"' && c != '\\' && c != utf8.RuneError && !unicode.IsSpace(c) {
		return false
	}
	var text string
	return json.Unmarshal(raw, &text) == nil && strings.TrimSpace(text) == ""
}

func below(raw []byte, floor int64) bool {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return err == nil && n < floor
}

func quote(s string) []byte { return record.AppendString(make([]byte, 0, len(s)+2), s) }

func quoteID(id record.ID) []byte {
	b := append(make([]byte, 0, 38), '"')
	return append(record.AppendID(b, id), '"')
}

// sortedScopes makes a list of scopes that can be searched.
func sortedScopes(ids []record.ScopeID) []record.ScopeID {
	slices.Sort(ids)
	return slices.Compact(ids)
}
