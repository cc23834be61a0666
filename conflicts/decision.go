package conflicts

import (
	"encoding/json"

	"roadbook/errs"
	"roadbook/record"
)

// A conflict is decided by a device without a network and by a client without a
// store. What it shows, and what a decision comes to, is the same for both.

// MaxDecisions is the most decisions of one go: a screen full of them.
const MaxDecisions = 100

// MaxShown is the longest value that a conflict carries; a longer one is in the
// field's history.
const MaxShown = 16 << 10

// AsText is a value as a conflict shows it: text as it is, anything else as the
// JSON of it. One that is too long, or none, is not shown.
func AsText(raw json.RawMessage) json.RawMessage {
	switch {
	case len(raw) > MaxShown || record.IsNull(raw):
		return nil
	case raw[0] == '"':
		return raw
	}
	return record.AppendString(nil, string(raw))
}

// Version is one of the values that a conflict is between.
type Version struct {
	ID     record.ID
	Value  json.RawMessage // nil if it was too long
	Author record.ID
	Device record.ID
	At     string
}

// Versions reads them from what the record of the conflict has as `values`.
func Versions(values json.RawMessage) []Version {
	var rows []struct {
		ID, Author, Device record.ID
		Value, At          string
	}
	if json.Unmarshal(record.OrNull(values), &rows) != nil {
		return nil
	}
	out := make([]Version, len(rows))
	for i, row := range rows {
		out[i] = Version{ID: row.ID, Author: row.Author, Device: row.Device, At: row.At}
		if row.Value != "" {
			out[i].Value = json.RawMessage(row.Value)
		}
	}
	return out
}

// Keep is what somebody decides for.
type Keep string

// What can be decided for.
const (
	KeepMine   Keep = "mine"   // the version of whoever decides
	KeepTheirs Keep = "theirs" // the other one
	KeepBoth   Keep = "both"   // where the field has room for both
	KeepThis   Keep = "this"   // one of several, by its id
	KeepOther  Keep = "other"  // something else
)

// Decision is what somebody decides.
type Decision struct {
	Keep    Keep
	Version record.ID       // of KeepThis
	Value   json.RawMessage // of KeepOther
}

// Of is the value that is decided for among some versions. Of both comes first
// what the conflict names first, whoever decides.
func (d Decision) Of(versions []Version, me record.ID, f *record.Field) (json.RawMessage, error) {
	if d.Keep == KeepOther {
		return record.OrNull(d.Value), nil
	}
	var of []json.RawMessage
	for _, v := range versions {
		mine := v.Author == me
		if d.Keep == KeepBoth || d.Keep == KeepMine && mine || d.Keep == KeepTheirs && !mine || d.Keep == KeepThis && v.ID == d.Version {
			of = append(of, v.Value)
		}
	}
	switch {
	case d.Keep == KeepBoth && len(of) == 2 && of[0] != nil && of[1] != nil && f != nil:
		return Both(f, of[0], of[1])
	case d.Keep != KeepBoth && len(of) == 1 && of[0] != nil:
		return of[0], nil
	}
	return nil, errs.New("conflicts.Decide", errs.Invalid, "it is not clear which version is meant; choose one, or enter another").Coded("version")
}
