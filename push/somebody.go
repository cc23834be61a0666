package push

import (
	"context"

	"roadbook/access"
	"roadbook/api/words"
	"roadbook/record"
	"roadbook/sync"
)

// somebody is a person as far as telling him goes.
type somebody struct {
	id     record.ID
	active bool
	user   *record.Record
	lang   words.Language
	quiet  Quiet
}

// somebody reads a person as he is now.
func (c *Courier) somebody(ctx context.Context, org record.OrgID, person record.ID) (who somebody, err error) {
	err = c.Engine.Look(ctx, access.Caller{Org: org}, func(s sync.Sight) error {
		who, err = somebodyIn(ctx, s, person)
		return err
	})
	return who, err
}

func somebodyIn(ctx context.Context, s sync.Sight, person record.ID) (who somebody, err error) {
	who = somebody{id: person, lang: words.Chinese}
	rows, err := s.Tx.Records(ctx, []record.ID{person, PreferenceID(person)})
	for i := range rows {
		rec, bad := rows[i].Record(s.Schema)
		switch {
		case bad != nil:
			return who, bad
		case rec.ID != person:
			who.quiet = quietOf(rec)
		default:
			who.user = rec
			who.active = rec.State == record.Live && rec.Text("status") != "left"
			if rec.Text("locale") == "en" {
				who.lang = words.English
			}
		}
	}
	return who, err
}

// told is a notification and whom it is for, as they are now; nil if there is none.
func (c *Courier) told(ctx context.Context, org record.OrgID, id record.ID) (n *record.Record, who somebody, err error) {
	err = c.Engine.Look(ctx, access.Caller{Org: org}, func(s sync.Sight) error {
		if n, err = recordIn(ctx, s, id); err != nil || n == nil {
			return err
		}
		who, err = somebodyIn(ctx, s, n.Owner)
		return err
	})
	return n, who, err
}
