package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"roadbook/record/field"
	"roadbook/record/match"
)

// Policy is what becomes of a field that two people changed.
type Policy string

// The policies that the engine knows.
const (
	LWW     Policy = "lww"     // the later write stands, the other is kept in history
	LWWAsk  Policy = "lww!"    // the same, and a person is asked to look
	Text    Policy = "text"    // both versions are merged; where both changed the same, both stand and a person is asked
	Process Policy = "state"   // a step of a process: concurrent ones are joined by the field's own table
	List    Policy = "list"    // rows with ids are merged one by one; a person is asked where one was deleted and edited
	Manual  Policy = "manual"  // all versions are kept, and what stood before stays in force until a person decides
	Set     Policy = "set"     // adds and removes of elements; an add wins
	Counter Policy = "counter" // deltas
	Max     Policy = "max"     // the larger value
	Min     Policy = "min"     // the smaller value
	Once    Policy = "once"    // the first value stays
	Server  Policy = "server"  // only the server writes
	Owned   Policy = "owned"   // a role answers for it; what others write is asked of it
)

// Policies are all of them.
func Policies() []Policy {
	return []Policy{LWW, LWWAsk, Text, Process, List, Manual, Set, Counter, Max, Min, Once, Server, Owned}
}

// Asks reports whether a person is asked to look when something is lost.
func (p Policy) Asks() bool { return p == LWWAsk || p == Text || p == Manual }

// OnDelete is what becomes of a delete that somebody's edit had not seen.
type OnDelete string

// The three ways.
const (
	Revive     OnDelete = "revive"  // the edit brings the record back, and a person is asked
	DeleteWins OnDelete = "delete"  // the edit goes to history
	Cascade    OnDelete = "cascade" // as revive; and a delete takes the children with it
)

// Field is one named value of a kind.
type Field struct {
	Name     string            `json:"field"`
	Type     string            `json:"type"`
	Policy   Policy            `json:"policy"`
	Required bool              `json:"required,omitempty"`
	Choices  []string          `json:"choices,omitempty"`
	Floor    *int64            `json:"floor,omitempty"`  // of a counter
	States   *States           `json:"states,omitempty"` // of a process
	By       string            `json:"by,omitempty"`     // the role that answers for it, if it is owned
	Share    int64             `json:"share,omitempty"`  // of a counter: the most of it that a device may reserve at once
	Ranges   bool              `json:"ranges,omitempty"` // what is reserved of it are numbers in a row, which never come back
	Group    string            `json:"group,omitempty"`  // fields of one group merge as one
	To       string            `json:"to,omitempty"`     // the kind that a reference names
	Readers  []string          `json:"-"`                // roles that may see it; nobody named means everybody
	Lookup   int16             `json:"lookup,omitempty"` // lists go by it: its number among its kind's, never reused
	Label    map[string]string `json:"label,omitempty"`

	kind *Field // for a key of a map: the map
}

// Kind is what sort of thing a record is.
type Kind struct {
	Name     string            `json:"kind"`
	No       int16             `json:"-"` // its number in storage, never reused
	Parent   string            `json:"parent,omitempty"`
	Month    string            `json:"month,omitempty"` // the field that says when it happened
	OnDelete OnDelete          `json:"on_delete"`
	Rank     int16             `json:"rank"`            // its place in a first sync
	Scope    string            `json:"scope,omitempty"` // "catalogue" for what everybody holds, "private" for what its owner alone does
	Label    map[string]string `json:"label,omitempty"`
	Match    *match.Rules      `json:"match,omitempty"` // when two records are about the same thing
	Fields   []*Field          `json:"fields"`

	byName  map[string]*Field
	lookups []*Field
}

// Schema is an org's kinds in one version.
type Schema struct {
	Version  string  `json:"version"`
	Standard int     `json:"-"` // the edition of the standard schema that it has been offered
	Policies int     `json:"-"` // the same of the policies of fields
	Kinds    []*Kind `json:"kinds"`

	byName map[string]*Kind
	byNo   map[int16]*Kind
}

// Catalogue is the scope of what everybody holds, Private that of what its owner
// alone does, whoever is above him.
const (
	Catalogue = "catalogue"
	Private   = "private"
)

// stored is how a schema lies in the database: with what devices are not told.
type stored struct {
	Version  string       `json:"version"`
	Standard int          `json:"standard,omitempty"`
	Policies int          `json:"policies,omitempty"`
	Kinds    []storedKind `json:"kinds"`
}

type storedKind struct {
	*Kind
	No      int16               `json:"no"`
	Readers map[string][]string `json:"readers,omitempty"`
}

// ParseSchema reads a schema as it is stored and checks that it holds together.
func ParseSchema(b []byte) (*Schema, error) {
	var in stored
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("the schema cannot be read: %w", err)
	}
	s := &Schema{Version: in.Version, Standard: in.Standard, Policies: in.Policies}
	for _, k := range in.Kinds {
		if k.Kind == nil || slices.Contains(k.Fields, nil) {
			return nil, errors.New("a kind or a field of the schema is empty")
		}
		k.Kind.No = k.No
		for _, f := range k.Fields {
			f.Readers = k.Readers[f.Name]
		}
		s.Kinds = append(s.Kinds, k.Kind)
	}
	return s, s.Check()
}

// Stored is the text that ParseSchema reads.
func (s *Schema) Stored() ([]byte, error) {
	out := stored{Version: s.Version, Standard: s.Standard, Policies: s.Policies}
	for _, k := range s.Kinds {
		sk := storedKind{Kind: k, No: k.No}
		for _, f := range k.Fields {
			if len(f.Readers) > 0 {
				if sk.Readers == nil {
					sk.Readers = map[string][]string{}
				}
				sk.Readers[f.Name] = f.Readers
			}
		}
		out.Kinds = append(out.Kinds, sk)
	}
	return json.Marshal(out)
}

// Check reports every way in which the schema does not hold together, and
// prepares it for use.
func (s *Schema) Check() error {
	s.byName, s.byNo = map[string]*Kind{}, map[int16]*Kind{}
	var wrong []string
	for _, k := range s.Kinds {
		if s.byName[k.Name] != nil || s.byNo[k.No] != nil || k.No < 1 {
			wrong = append(wrong, fmt.Sprintf("kind %s (%d) needs a name and a number of its own", k.Name, k.No))
		}
		s.byName[k.Name], s.byNo[k.No] = k, k
	}
	for _, k := range s.Kinds {
		wrong = append(wrong, k.check(s)...)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the schema does not hold together: %s", strings.Join(wrong, "; "))
	}
	return nil
}

func (k *Kind) check(s *Schema) []string {
	var wrong []string
	k.byName = make(map[string]*Field, len(k.Fields))
	k.lookups = nil
	for _, f := range k.Fields {
		if k.byName[f.Name] != nil || f.Name == "" || strings.Contains(f.Name, ".") {
			wrong = append(wrong, fmt.Sprintf("%s.%s: every field needs a name of its own, without a dot", k.Name, f.Name))
		}
		k.byName[f.Name] = f
		if _, ok := field.Lookup(f.Type); !ok {
			wrong = append(wrong, fmt.Sprintf("%s.%s: no field type %q", k.Name, f.Name, f.Type))
		}
		if !slices.Contains(Policies(), f.Policy) {
			wrong = append(wrong, fmt.Sprintf("%s.%s: no policy %q", k.Name, f.Name, f.Policy))
		}
		if f.Policy == Text && f.Type != "text" {
			wrong = append(wrong, fmt.Sprintf("%s.%s: only a text is merged as text", k.Name, f.Name))
		}
		if f.Policy == List && f.Type != "rows" {
			wrong = append(wrong, fmt.Sprintf("%s.%s: only rows are merged as a list", k.Name, f.Name))
		}
		if (f.Policy == Owned) != (f.By != "") {
			wrong = append(wrong, fmt.Sprintf("%s.%s: an owned field, and no other, names the role that answers for it", k.Name, f.Name))
		}
		wrong = append(wrong, k.checkShare(f)...)
		if f.Policy == Owned && len(f.Readers) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s.%s: what is asked of an owned field is seen by all who see its record, so the field must be", k.Name, f.Name))
		}
		for _, why := range f.checkStates() {
			wrong = append(wrong, fmt.Sprintf("%s.%s: %s", k.Name, f.Name, why))
		}
		if f.Group != "" && f.Policy != LWW && f.Policy != LWWAsk {
			wrong = append(wrong, fmt.Sprintf("%s.%s: fields that merge as one have the policy lww or lww!", k.Name, f.Name))
		}
		wrong = append(wrong, k.checkLookup(f)...)
		if f.To != "" && s.byName[f.To] == nil {
			wrong = append(wrong, fmt.Sprintf("%s.%s refers to kind %q, which is not there", k.Name, f.Name, f.To))
		}
	}
	if k.Match != nil {
		for _, why := range k.Match.Check(func(name string) bool { return k.byName[name] != nil }) {
			wrong = append(wrong, k.Name+": "+why)
		}
	}
	if k.Parent != "" && k.byName[k.Parent] == nil {
		wrong = append(wrong, fmt.Sprintf("%s: its parent field %q is not there", k.Name, k.Parent))
	}
	return wrong
}

// Kind finds a kind by name, or nil.
func (s *Schema) Kind(name string) *Kind { return s.byName[name] }

// KindNo finds a kind by its number in storage, or nil.
func (s *Schema) KindNo(no int16) *Kind { return s.byNo[no] }

// Field finds a field by name, or nil. A key of a map ("answers.q7") is a
// field of its own, with the map's type and policy.
func (k *Kind) Field(name string) *Field {
	if f := k.byName[name]; f != nil {
		if f.Type == "map" {
			return nil // a map is set key by key
		}
		return f
	}
	base, key, found := strings.Cut(name, ".")
	f := k.byName[base]
	if !found || f == nil || f.Type != "map" || !mapKey(key) {
		return nil
	}
	return &Field{Name: name, Type: f.Type, Policy: f.Policy, Readers: f.Readers, By: f.By, Label: f.Label, kind: f}
}

// MaxMapKey is the longest key of a map in bytes: a question's id, not prose.
const MaxMapKey = 64

func mapKey(key string) bool {
	return key != "" && len(key) <= MaxMapKey && !strings.ContainsAny(key, "\x00\"\\")
}

// Base is the name under which the schema knows f: the map, for a key of one.
func (f *Field) Base() string {
	if f.kind != nil {
		return f.kind.Name
	}
	return f.Name
}

// GroupOf lists the fields that merge as one with f: itself, if it has no group.
func (k *Kind) GroupOf(f *Field) []*Field {
	if f.Group == "" {
		return []*Field{f}
	}
	var out []*Field
	for _, g := range k.Fields {
		if g.Group == f.Group {
			out = append(out, g)
		}
	}
	return out
}

// Check gives a value its one stored form, or says in a sentence what is wrong
// with it. For a set it checks one element.
func (f *Field) Check(raw json.RawMessage) (json.RawMessage, error) {
	t, ok := field.Lookup(f.Type)
	if !ok {
		return nil, fmt.Errorf("no field type %q", f.Type)
	}
	return t.Check(field.Spec{Choices: f.Choices, To: f.To}, raw)
}

// ReadableBy reports whether somebody with these roles may see the field.
func (f *Field) ReadableBy(roles []string) bool {
	if len(f.Readers) == 0 {
		return true
	}
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(f.Readers, r) })
}
