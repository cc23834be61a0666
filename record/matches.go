package record

import (
	"bytes"
	"encoding/json"

	"roadbook/record/match"
)

// MatchNo is the number under which the keys of a kind are looked up by which
// duplicates are found. Fields begin at 1.
func (k *Kind) MatchNo() int16 { return k.No * (MaxLookup + 1) }

// Matches are the keys by which duplicates of a record are found, none if its
// kind has no rules.
func (r *Record) Matches() []match.Key { return r.Kind.matches(r.Raw) }

// MatchesOf are the keys that a record of these values has.
func (k *Kind) MatchesOf(values Values) []match.Key { return k.matches(values.Get) }

func (k *Kind) matches(raw func(field string) json.RawMessage) []match.Key {
	if k.Match == nil {
		return nil
	}
	return k.Match.Of(func(field string) (texts []string) {
		value := raw(field)
		if IsNull(value) {
			return nil
		}
		var text string
		switch value[0] {
		case '"':
			if json.Unmarshal(value, &text) == nil {
				texts = []string{text}
			}
		case '[':
			if json.Unmarshal(value, &texts) != nil {
				texts = nil
			}
		}
		return texts
	})
}

// MatchesOtherwise reports whether a field by which duplicates are found is
// another than before.
func (r *Record) MatchesOtherwise(was *Record) bool {
	if r.Kind.Match == nil {
		return false
	}
	for field := range r.Kind.Match.Keys {
		if !bytes.Equal(r.Raw(field), was.Raw(field)) {
			return true
		}
	}
	return false
}

// appendMatches appends the look-up rows of a record's keys.
func (r *Record) appendMatches(rows []LookupRow) []LookupRow {
	for _, k := range r.Matches() {
		rows = append(rows, LookupRow{r.Kind.MatchNo(), k.Index()})
	}
	return rows
}
