package pg

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Listen hands over what is sent on a channel, until ctx ends or the
// connection does. It calls ready once it hears: what was sent before that is
// for ready to find out. The connection is one of its own, beside the pool's.
//
// Behind a PgBouncer that pools transactions nothing is ever heard.
func Listen(ctx context.Context, pool *pgxpool.Pool, channel string, ready func(), each func(payload string)) error {
	taken, err := pool.Acquire(ctx)
	if err != nil {
		return Classify(err)
	}
	conn := taken.Hijack()
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return Classify(fmt.Errorf("listening on %s: %w", channel, err))
	}
	ready()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return Classify(fmt.Errorf("listening on %s: %w", channel, err))
		}
		each(n.Payload)
	}
}
