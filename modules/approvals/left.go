package approvals

import (
	"context"
	"time"

	"roadbook/access"
	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/field"
	"roadbook/sync"
)

// Left is the job of looking at what waits for somebody who has left.
type Left struct {
	Org    record.OrgID `json:"org"`
	Person record.ID    `json:"person"`
}

// Kind implements jobs.Args.
func (Left) Kind() string { return "approvals.left" }

// leftAtOnce is how many approvals of somebody who has left one try looks at. What is
// more is looked at by the next.
const leftAtOnce = 200

// Leave has whoever is above somebody who has left decide in his place.
func (k *Clock) Leave(ctx context.Context, j jobs.Job[Left]) error {
	a := j.Args
	var asked []record.ID
	err := k.Engine.Look(ctx, access.Caller{Org: a.Org}, func(s sync.Sight) error {
		kind := s.Schema.Kind(kindApproval)
		if kind == nil || kind.Field("waiting") == nil {
			return nil
		}
		f := kind.Field("waiting")
		key, err := field.Key(f.Type, record.AppendString(nil, a.Person.String()))
		if err != nil {
			return err
		}
		found, err := s.Tx.Alike(ctx, kind.LookupNo(f), []string{key}, leftAtOnce)
		asked = found[key]
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range asked {
		if err := k.says(ctx, a.Org, id, Escalate, id.Derive("left "+a.Person.String())); err != nil {
			return err
		}
	}
	if len(asked) == leftAtOnce {
		return jobs.Later(time.Second)
	}
	return nil
}
