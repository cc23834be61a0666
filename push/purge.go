package push

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/record/field"
	"roadbook/record/notice"
	"roadbook/sync"
	"roadbook/version"
)

// How long what has been told stays: a month after it was read, a season if
// nobody ever did. What became of deliveries is of use as long as somebody may
// ask why he was not told. Deliveries go before the notifications that nobody
// has read, so that devices are not told to take away what is long gone.
const (
	keepRead       = 30 * 24 * time.Hour
	keepUnread     = 90 * 24 * time.Hour
	keepDeliveries = 60 * 24 * time.Hour

	purgeAtOnce = 1000 // deliveries in one statement
)

// Purge deletes notifications that are over, as records are deleted, and forgets
// old deliveries. It may be interrupted and repeated, also by several servers.
func (c *Courier) Purge(ctx context.Context) error {
	for more := true; more; {
		n, err := c.db.purge(ctx, c.Now().Add(-keepDeliveries), purgeAtOnce)
		if err != nil {
			return err
		}
		more = n == purgeAtOnce
	}
	if err := c.db.forgetRates(ctx, c.Now().Add(-rateOver)); err != nil {
		return err
	}
	if err := c.db.purgeConsents(ctx, c.Now().Add(-keepDeliveries)); err != nil {
		return err
	}
	orgs, err := c.Engine.Store.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		for by, keep := range map[string]time.Duration{"read_at": keepRead, "at": keepUnread} {
			if err := c.delete(ctx, org, by, c.Now().Add(-keep)); err != nil {
				return err
			}
		}
	}
	return nil
}

// delete deletes the notifications of which a time is before another, in the name
// of the server, a mutation of some at a time.
func (c *Courier) delete(ctx context.Context, org record.OrgID, by string, before time.Time) error {
	var last []record.ID
	for {
		old, err := c.before(ctx, org, by, before)
		if err != nil || len(old) == 0 || slices.Equal(old, last) {
			return err
		}
		edits := make([]record.Edit, len(old))
		for i, id := range old {
			edits[i] = record.Edit{Op: record.OpDelete, Kind: notice.Kind, ID: id}
		}
		m := record.Mutation{
			ID: old[0].Derive("purged " + strconv.FormatInt(c.Now().UnixNano(), 10)), Stamp: version.StampAt(c.Now()), Edits: edits,
		}
		if _, err := c.Engine.Commit(ctx, org, []sync.Proposal{{Mutation: m}}); err != nil {
			return err
		}
		last = old
	}
}

// before finds notifications of which a time is before another, no more than a
// mutation takes.
func (c *Courier) before(ctx context.Context, org record.OrgID, by string, at time.Time) (old []record.ID, err error) {
	raw, _ := json.Marshal(at.UTC().Format(time.RFC3339))
	key, err := field.Key("datetime", raw)
	if err != nil {
		return nil, err
	}
	err = c.Engine.Look(ctx, access.Caller{Org: org}, func(s sync.Sight) error {
		kind := s.Schema.Kind(notice.Kind)
		if kind == nil || kind.Field(by) == nil || kind.Field(by).Lookup == 0 {
			return nil // an org from before they could be looked up
		}
		old, err = s.Tx.LookedUpBefore(ctx, kind.LookupNo(kind.Field(by)), key, record.MaxEdits)
		return err
	})
	return old, err
}
