package pages

import (
	"context"
	"time"

	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/views"
)

// Store is what pages need of the line's tables. Nothing of the line can be
// written through it: TouchPins notes when a device has asked last, and
// BeginViews what it is shown before it has ever been.
type Store interface {
	Snapshot(ctx context.Context, org record.OrgID, fn func(tx store.Tx, head store.Head) error) error
	BeginViews(ctx context.Context, org record.OrgID, device record.ID, first views.View) error
	TouchPins(ctx context.Context, org record.OrgID, device record.ID, now time.Time) error
}

// source is what pages are made from: a snapshot of the database, or what was
// read from one for everybody who listens.
type source interface {
	schemas
	Standing(ctx context.Context, a store.Asking) (store.Standing, error)
	Chain(ctx context.Context, seq record.Seq) ([]byte, error)
	PinsOf(ctx context.Context, device record.ID) ([]store.Pin, error)
	IndexSince(ctx context.Context, scopes []record.ScopeID, pos, head record.Seq, limit int) ([]store.IndexRow, error)
	Records(ctx context.Context, ids []record.ID) ([]store.Row, error)
	Fill(ctx context.Context, places []store.Place, limit int, each func(at int, r *store.Row) (bool, error)) (int, error)
	EntriesSince(ctx context.Context, replica record.ReplicaID, base record.Seq) ([]store.Entry, error)
	Entry(ctx context.Context, seq record.Seq) (store.Entry, error)
	SettledSince(ctx context.Context, replica record.ReplicaID, base record.Seq) ([]store.Told, error)
	WritersOf(ctx context.Context, device record.ID) ([]store.Writer, error)
	Epochs(ctx context.Context) ([]store.Epoch, error)
	Held(ctx context.Context, scopes []record.ScopeID) (map[record.ScopeID][]store.Held, error)
	HeldIn(ctx context.Context, scope record.ScopeID, leaves []uint8) ([]store.Held, error)
}

var _ source = store.Tx{}
