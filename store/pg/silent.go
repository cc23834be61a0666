package pg

import (
	"context"
	"fmt"
	"time"
)

const (
	// SilentFor is how long a server may say nothing in the middle of what it has
	// begun to say to the database. One that goes on says the next message within
	// milliseconds.
	SilentFor = 10 * time.Second

	// SilentEvery is how often a server looks for others that have fallen silent.
	// Together they are as long as a lock is waited for.
	SilentEvery = 5 * time.Second
)

// A connection that has sent a part of its word, or of one message of it, is
// active, for PostgreSQL has not been told that this was all; and what it waits
// for is its client. The time of its state is that of the last message.
var silentEnd = Statement("silent_end", `
	SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid))
	  FROM pg_stat_activity a
	 WHERE a.datname = current_database() AND a.usename = current_user
	   AND a.application_name = current_setting('application_name') AND a.pid <> pg_backend_pid()
	   AND a.state = 'active' AND a.wait_event = 'ClientRead' AND a.xact_start IS NOT NULL
	   AND clock_timestamp() - a.state_change > make_interval(secs => $1)`)

// EndSilent ends transactions of other servers that have stopped in the middle of
// a word: paused, starved, or cut off from the network. They hold an org's row,
// and no setting of PostgreSQL ends them: a transaction is idle only between two
// words, and a statement takes long only once it is there. Whoever wakes up
// afterwards sends the same again. It returns how many it has ended.
func EndSilent(ctx context.Context, pool *Pool, silent time.Duration) (ended int, err error) {
	if err := pool.QueryRow(ctx, silentEnd, silent.Seconds()).Scan(&ended); err != nil {
		return 0, Classify(fmt.Errorf("ending who has fallen silent: %w", err))
	}
	return ended, nil
}
