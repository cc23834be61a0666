package online

import (
	"context"

	"roadbook/access"
	"roadbook/query"
	"roadbook/record"
	"roadbook/sync"
)

// Timeline reads what happened around a record, the newest first: visits,
// follow-ups, tasks and whatever else hangs below it or refers to it, as far as
// the caller may see it.
func (s *Service) Timeline(
	ctx context.Context, who access.Caller, kind string, id record.ID, after string, limit int,
) (out Timeline, err error) {
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		rec, err := find(ctx, v, kind, id)
		if err != nil {
			return err
		}
		found, next, err := query.Timeline(ctx, v.Tx, v.Actor, query.Around{
			Schema: v.Schema, Kind: rec.Kind, ID: id, Limit: limit, After: after, Key: s.key,
		})
		if err != nil {
			return err
		}
		out = Timeline{Happenings: make([]Happening, 0, len(found)), After: next}
		for i := range found {
			h := &found[i]
			cut, err := cutRow(h.Kind, v.Actor.Hidden(h.Kind), &h.Row)
			if err != nil {
				return err
			}
			out.Happenings = append(out.Happenings, Happening{Record: cut, At: h.At})
		}
		return nil
	})
	return out, err
}
