package online

import (
	"context"
	"encoding/json"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync"
	"roadbook/sync/wire"
	"roadbook/version"
)

// Restore writes the value that a mutation gave to a field, or wanted to give
// it, once more, as a change that has seen what stands there now. key is the
// id under which the caller may repeat it. Fields that merge as one come back
// together.
func (s *Service) Restore(
	ctx context.Context, who access.Caller, key record.ID, kind string, id record.ID, field string, dot version.Dot,
) (record.Outcome, error) {
	edit := record.Edit{Op: record.OpEdit, Kind: kind, ID: id}
	var seen record.Seq
	err := s.engine.Look(ctx, who, func(v sync.Sight) error {
		rec, err := find(ctx, v, kind, id)
		if err != nil {
			return err
		}
		seen = rec.Seq
		edit.Set, err = written(ctx, v, rec, field, dot)
		return err
	})
	if err != nil {
		return record.Outcome{}, err
	}
	m := record.Mutation{ID: key, Edits: []record.Edit{edit}}
	m.Hash = wire.Hash(&m) // without what it has seen, so that a repeat is the same
	m.Edits[0].Seen = version.Vector{version.Log: uint64(seen)}
	return s.engine.Write(ctx, who, m)
}

// written are the values that a mutation wrote to a field and to those that
// merge with it.
func written(ctx context.Context, v sync.Sight, rec *record.Record, field string, dot version.Dot) (record.Values, error) {
	none := errs.New("online.Restore", errs.Invalid, "this change gave the field no value that could be restored").Coded("restore")
	f := rec.Kind.Field(field)
	replica, ok := store.ReplicaNo(dot.Replica)
	if f == nil || !ok || v.Actor.Hides(rec.Kind, field) || f.Policy == record.Set || f.Policy == record.Counter {
		return nil, none
	}
	rows, err := v.Tx.EntriesByDot(ctx, replica, dot.N, dot.N)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || rows[0].Result == record.Refused {
		return nil, none
	}
	edits, err := pastEdits(&rows[0])
	if err != nil {
		return nil, err
	}
	last := map[string]json.RawMessage{}
	for i := range edits {
		if edits[i].ID != rec.ID {
			continue
		}
		for _, value := range edits[i].Set {
			last[value.Field] = value.Raw
		}
	}
	if last[field] == nil {
		return nil, none
	}
	set := record.Values{{Field: field, Raw: last[field]}}
	for _, g := range rec.Kind.GroupOf(f) {
		if raw := last[g.Name]; raw != nil && g.Name != field && !v.Actor.Hides(rec.Kind, g.Name) {
			set = append(set, record.Value{Field: g.Name, Raw: raw})
		}
	}
	return set, nil
}
