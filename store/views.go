package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
	"roadbook/sync/views"
)

var viewsRead = pg.Statement("views_read", `
	SELECT v.seq, v.since, v.kinds, v.sight::text
	  FROM views v
	 WHERE v.org = $1 AND v.device = $2
	 ORDER BY v.seq`)

// Views reads what a device has been shown, oldest first.
func (tx Tx) Views(ctx context.Context, device record.ID) (views.List, error) {
	return collect(ctx, tx, "views", viewsRead, scanView, tx.Org, [16]byte(device))
}

func scanView(rows pgx.CollectableRow) (v views.View, err error) {
	var sight string
	if err := rows.Scan(&v.Seq, &v.From, &v.Kinds, &sight); err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(sight), &v.Sight)
}

var viewsInsert = pg.Statement("views_insert", `
	INSERT INTO views (org, device, seq, since, kinds, sight)
	VALUES ($1, $2, $3, $4, $5, $6::json)
	ON CONFLICT DO NOTHING`)

// BeginViews says what a device is shown from the beginning of the log on. It
// takes no row of the log, because the device holds nothing yet; of several
// that come at once the first stands.
func (s *Store) BeginViews(ctx context.Context, org record.OrgID, device record.ID, v views.View) error {
	args, err := viewArgs(org, device, v)
	if err != nil {
		return err
	}
	_, err = s.pool.Exec(ctx, viewsInsert, args...)
	return pg.Classify(err)
}

func viewArgs(org record.OrgID, device record.ID, v views.View) ([]any, error) {
	sight, err := json.Marshal(v.Sight)
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	return []any{org, [16]byte(device), v.Seq, v.From, v.Kinds, string(sight)}, nil
}

// MaxViews is how many views are kept of a device: more than anybody changes
// his mind in the time between two pulls.
const MaxViews = 32

var viewsPrune = pg.Statement("views_prune", `
	DELETE FROM views v
	 WHERE v.org = $1 AND v.device = $2
	   AND v.seq < (SELECT o.seq
	                  FROM views o
	                 WHERE o.org = $1 AND o.device = $2
	                 ORDER BY o.seq DESC
	                OFFSET $3 LIMIT 1)`)

// Shown is a new view of a device.
type Shown struct {
	Device record.ID
	View   views.View
}

func (s Shown) queue(b *batch, org record.OrgID) error {
	args, err := viewArgs(org, s.Device, s.View)
	if err != nil {
		return err
	}
	b.Queue(viewsInsert, args...)
	b.Queue(viewsPrune, org, [16]byte(s.Device), MaxViews-1)
	return nil
}
