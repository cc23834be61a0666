package online

import (
	"context"
	"encoding/json"

	"roadbook/access"
	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/history"
	"roadbook/sync/wire"
	"roadbook/version"
)

// Decision is what somebody decides in the inbox.
type Decision struct {
	Conflict record.ID       `json:"conflict"`
	Keep     conflicts.Keep  `json:"keep" enum:"mine,theirs,both,this,other"`
	Version  record.ID       `json:"version,omitzero"` // of this
	Value    json.RawMessage `json:"value,omitempty"`  // of other
	Seen     record.Seq      `json:"seen,omitempty"`   // the seq of the record as it was read; else no more than the conflict tells
	Read     record.Seq      `json:"read,omitempty"`   // the seq of the conflict as it was read; else that at which it was opened
}

// Decide decides one conflict: the field as it shall be, and the conflict as
// resolved, as one mutation. key is the id under which the caller may repeat it.
func (s *Service) Decide(ctx context.Context, who access.Caller, key record.ID, d Decision) (record.Outcome, error) {
	m := record.Mutation{ID: key}
	var seen map[record.ID]record.Seq
	err := s.engine.Look(ctx, who, func(v sync.Sight) error {
		rec, err := find(ctx, v, "conflict", d.Conflict)
		if err != nil {
			return err
		}
		m.Edits, err = d.edits(v, rec)
		opened := openedAt(rec)
		seen = map[record.ID]record.Seq{rec.ID: max(d.Read, opened), rec.Ref("record"): max(d.Seen, opened)}
		return err
	})
	if err != nil {
		return record.Outcome{}, err
	}
	m.Hash = wire.Hash(&m) // without what it has seen, so that a repeat is the same
	for i := range m.Edits {
		m.Edits[i].Seen = version.Vector{version.Log: uint64(seen[m.Edits[i].ID])}
	}
	return s.engine.Write(ctx, who, m)
}

// openedAt is where in the log a conflict was opened: whoever decides it has
// read at least what it tells.
func openedAt(rec *record.Record) record.Seq {
	if slot := rec.Slot("values"); slot != nil {
		return slot.By.Seq
	}
	return rec.Seq
}

// edits are those of a decision.
func (d *Decision) edits(v sync.Sight, asked *record.Record) ([]record.Edit, error) {
	kind, name := v.Schema.Kind(asked.Text("about_kind")), asked.Text("field")
	if kind == nil || v.Actor.Hides(kind, name) {
		return nil, errs.New("online.Decide", errs.Denied, "your role may not change this field").Coded("denied")
	}
	choice := conflicts.Decision{Keep: d.Keep, Version: d.Version, Value: d.Value}
	value, err := choice.Of(conflicts.Versions(asked.Raw("values")), v.Actor.Person, kind.Field(name))
	if err != nil {
		return nil, err
	}
	done := record.Edit{Op: record.OpEdit, Kind: asked.Kind.Name, ID: asked.ID, Set: record.Values{
		{Field: "state", Raw: json.RawMessage(`"resolved"`)},
	}}
	if text := conflicts.AsText(value); text != nil {
		done.Set = append(done.Set, record.Value{Field: "chosen", Raw: text})
	}
	about := record.Edit{Op: record.OpEdit, Kind: kind.Name, ID: asked.Ref("record"), Set: record.Values{{Field: name, Raw: value}}}
	if name == history.Deleted {
		about.Op, about.Set = record.OpDelete, nil
		if string(value) != "true" {
			return []record.Edit{done}, nil
		}
	}
	return []record.Edit{about, done}, nil
}
