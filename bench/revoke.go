package bench

import (
	"context"
	"encoding/json"
	"fmt"

	"roadbook/record"
	"roadbook/version"
)

// takeRevoke takes a region away from its director: 100,000 records that he
// held, one commit, and a few bytes on his device.
func takeRevoke(ctx context.Context, w *world) ([]Row, error) {
	admin, err := w.signIn(ctx, "admin")
	if err != nil {
		return nil, err
	}
	director, err := w.signIn(ctx, "director")
	if err != nil {
		return nil, err
	}
	held, err := director.sync(ctx, "", "")
	if err != nil {
		return nil, err
	}
	manager := func(value json.RawMessage) (float64, error) {
		frame, err := admin.frame([]record.Edit{{
			Op: record.OpEdit, Kind: "unit", ID: w.region, Seen: version.Vector{version.Log: uint64(w.head)},
			Set: record.Values{}.With("manager", value),
		}})
		if err != nil {
			return 0, err
		}
		begun := w.Now()
		err = admin.push(ctx, frame)
		return ms(w.Now().Sub(begun)), err
	}
	var took, told []float64
	for range w.Runs {
		revoke, err := manager(json.RawMessage("null"))
		if err != nil {
			return nil, err
		}
		page, err := director.sync(ctx, held.cursor, "")
		if err != nil {
			return nil, err
		}
		took, told = append(took, revoke), append(told, float64(page.plain)/1000)
		if _, err := manager(text(w.director.String())); err != nil {
			return nil, err
		}
		if held, err = director.sync(ctx, page.cursor, ""); err != nil {
			return nil, err
		}
	}
	r := row(fmt.Sprintf("revoke of %s records in %d scopes", figure(float64(w.Size.Region*w.Size.PerRep)), w.Size.Region), "ms", took...)
	return []Row{r.target("< 5", r.Value < 5), row("what the device is told", "KB", told...)}, nil
}
