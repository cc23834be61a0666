package api

import (
	"context"
	"time"

	"roadbook/access"
	"roadbook/api/crowd"
	"roadbook/record"
	"roadbook/sync/online"
	"roadbook/version"
)

// queuedRecords lets clients that are online to the records in their turn: what
// they write stands in the queue of the pushes, what they read in its own.
type queuedRecords struct {
	next        Records
	read, write *crowd.Class
}

func inTurn[T any](ctx context.Context, class *crowd.Class, who access.Caller, serve func() (T, error)) (T, error) {
	leave, err := class.Enter(ctx, who.Device)
	if err != nil {
		var none T
		return none, err
	}
	defer leave()
	return serve()
}

// List implements Records, as do the others.
func (q *queuedRecords) List(ctx context.Context, who access.Caller, in online.Query) (online.Page, error) {
	return inTurn(ctx, q.read, who, func() (online.Page, error) { return q.next.List(ctx, who, in) })
}

func (q *queuedRecords) Get(ctx context.Context, who access.Caller, kind string, id record.ID) (online.Record, error) {
	return inTurn(ctx, q.read, who, func() (online.Record, error) { return q.next.Get(ctx, who, kind, id) })
}

func (q *queuedRecords) Write(ctx context.Context, who access.Caller, m record.Mutation) (record.Outcome, error) {
	return inTurn(ctx, q.write, who, func() (record.Outcome, error) { return q.next.Write(ctx, who, m) })
}

func (q *queuedRecords) History(
	ctx context.Context, who access.Caller, kind string, id record.ID, after record.Seq, limit int,
) (online.History, error) {
	return inTurn(ctx, q.read, who, func() (online.History, error) { return q.next.History(ctx, who, kind, id, after, limit) })
}

func (q *queuedRecords) Restore(
	ctx context.Context, who access.Caller, key record.ID, kind string, id record.ID, field string, dot version.Dot,
) (record.Outcome, error) {
	return inTurn(ctx, q.write, who, func() (record.Outcome, error) {
		return q.next.Restore(ctx, who, key, kind, id, field, dot)
	})
}

func (q *queuedRecords) Timeline(
	ctx context.Context, who access.Caller, kind string, id record.ID, after string, limit int,
) (online.Timeline, error) {
	return inTurn(ctx, q.read, who, func() (online.Timeline, error) { return q.next.Timeline(ctx, who, kind, id, after, limit) })
}

func (q *queuedRecords) Today(ctx context.Context, who access.Caller, at time.Time) (online.Today, error) {
	return inTurn(ctx, q.read, who, func() (online.Today, error) { return q.next.Today(ctx, who, at) })
}

func (q *queuedRecords) Board(ctx context.Context, who access.Caller, at time.Time) (online.Board, error) {
	return inTurn(ctx, q.read, who, func() (online.Board, error) { return q.next.Board(ctx, who, at) })
}

func (q *queuedRecords) Morning(ctx context.Context, who access.Caller, at time.Time) (online.Morning, error) {
	return inTurn(ctx, q.read, who, func() (online.Morning, error) { return q.next.Morning(ctx, who, at) })
}

func (q *queuedRecords) Duplicates(
	ctx context.Context, who access.Caller, kind string, id record.ID, values record.Values,
) ([]online.Alike, error) {
	return inTurn(ctx, q.read, who, func() ([]online.Alike, error) { return q.next.Duplicates(ctx, who, kind, id, values) })
}

func (q *queuedRecords) Fingerprints(ctx context.Context, who access.Caller, kind string) (online.Sieve, error) {
	return inTurn(ctx, q.read, who, func() (online.Sieve, error) { return q.next.Fingerprints(ctx, who, kind) })
}

func (q *queuedRecords) Inbox(ctx context.Context, who access.Caller, in online.InboxQuery) (online.Inbox, error) {
	return inTurn(ctx, q.read, who, func() (online.Inbox, error) { return q.next.Inbox(ctx, who, in) })
}

func (q *queuedRecords) Decide(ctx context.Context, who access.Caller, key record.ID, d online.Decision) (record.Outcome, error) {
	return inTurn(ctx, q.write, who, func() (record.Outcome, error) { return q.next.Decide(ctx, who, key, d) })
}

func (q *queuedRecords) Refused(ctx context.Context, who access.Caller, in online.RefusedQuery) (online.RefusedPage, error) {
	return inTurn(ctx, q.read, who, func() (online.RefusedPage, error) { return q.next.Refused(ctx, who, in) })
}
