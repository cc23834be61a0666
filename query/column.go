package query

import (
	"encoding/json"
	"slices"
	"unicode/utf8"

	"roadbook/record"
	"roadbook/record/field"
	"roadbook/rules"
)

// column is a field that lists go by: one with rows in lookups, or the owner or
// the parent, which every record has as a column.
type column struct {
	field   *record.Field
	no      int16 // its number in lookups, 0 for owner and parent
	several bool  // it holds several values
}

// ownerField is the field that says whose a record is.
const ownerField = "owner"

// column finds a field that the actor may look up by.
func (c compiler) column(name string) (column, bool) {
	f := c.kind.Field(name)
	if f == nil || f.Name != f.Base() || c.actor.Hides(c.kind, name) {
		return column{}, false
	}
	switch {
	case f.Name == ownerField || f.Name == c.kind.Parent:
		return column{field: f}, true
	case f.Lookup == 0:
		return column{}, false
	}
	return column{field: f, no: c.kind.LookupNo(f), several: f.Policy == record.Set}, true
}

// Types by what can be said of their values.
var (
	numbers = []string{"number", "decimal", "money"}
	times   = []string{"datetime", "evidence"}
	ordered = append([]string{"text", "date", "datetime", "evidence"}, numbers...)
	begun   = []string{"text", "phone", "email", "url"}
)

func (c column) is(types []string) bool { return slices.Contains(types, c.field.Type) }

// key is the key of a literal in this column.
func (c column) key(l rules.Literal) (string, error) {
	wrong := fault(l.At(), "this is no value of this field")
	switch {
	case c.is(numbers):
		if l.Sort != rules.Number {
			return "", fault(l.At(), "this field is compared with a number")
		}
		key, err := field.NumberKey(c.field.Type, l.Text)
		if err != nil {
			return "", wrong
		}
		return key, nil
	case c.field.Type == "bool":
		if l.Sort != rules.Bool {
			return "", fault(l.At(), "this field is compared with true or false")
		}
		return l.Text, nil
	case c.is(times):
		if l.Sort != rules.Timestamp && l.Sort != rules.Text {
			return "", fault(l.At(), "this field is compared with a time, like timestamp(\"2026-11-21T09:00:00Z\")")
		}
	case l.Sort != rules.Text:
		return "", fault(l.At(), "this field is compared with text")
	}
	if utf8.RuneCountInString(l.Text) > field.MaxKeyRunes {
		return "", fault(l.At(), "a text to compare with is longer than can be looked up")
	}
	key, err := c.textKey(l.Text)
	if err != nil {
		return "", wrong
	}
	return key, nil
}

// textKey brings text into the form in which the field is stored. A choice may
// be one that the schema does not offer any more.
func (c column) textKey(text string) (string, error) {
	raw := json.RawMessage(record.AppendString(nil, text))
	name := c.field.Type
	switch name {
	case "text", "choice", "multi_choice":
		return field.Key("text", raw)
	case "evidence":
		name = "datetime" // it goes by its time
	}
	t, _ := field.Lookup(name)
	canon, err := t.Check(field.Spec{To: c.field.To}, raw)
	if err != nil {
		return "", err
	}
	return field.Key(name, canon)
}
