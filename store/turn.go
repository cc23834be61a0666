package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/record"
	"roadbook/store/pg"
)

// What a turn can fail of although nothing is wrong. Nothing was written, and
// the same is to be worked out anew.
var (
	// ErrMoved: somebody else has committed since; what was known is old.
	ErrMoved = errors.New("the log has moved on")
	// ErrTaken: what was thought to be new, a record or a mutation, is there.
	ErrTaken = errors.New("the name is taken")
)

// Turn is a transaction that changes one org. It holds the org's row from the
// moment at which it has read anything to its end: one org's commits queue,
// orgs never wait for each other (I2, I3).
//
// Whoever knows where the log ends, and with it what stood there, need not read.
// His turn is then a single trip to the database: take the lock, find the head
// where it was thought to be, write, commit.
type Turn struct {
	Tx

	store *Store
	from  *Head                       // where the log is thought to end
	wait  func(context.Context) error // for what is still on its way there
	conn  *pgxpool.Conn
	head  Head
	err   error // of what it began with; everything after it fails too
}

// Turn begins none of it yet. from is where the log is thought to end, nil if
// that is to be found out; wait, which may be nil, is called before anything is
// read.
func (s *Store) Turn(org record.OrgID, from *Head, wait func(context.Context) error) *Turn {
	t := &Turn{store: s, from: from, wait: wait}
	t.Tx = Tx{Reader: reader{t}, Org: org}
	return t
}

// Lock takes the org's row, if that was not done, and says where the log ends.
func (t *Turn) Lock(ctx context.Context) (Head, error) {
	if t.conn == nil && t.err == nil {
		t.err = t.begin(ctx)
	}
	return t.head, t.err
}

func (t *Turn) begin(ctx context.Context) (err error) {
	if t.wait != nil {
		if err := t.wait(ctx); err != nil {
			return err
		}
	}
	if t.conn, err = t.store.pool.Acquire(ctx); err != nil {
		return pg.Classify(err)
	}
	b := &pgx.Batch{}
	b.Queue(begins)
	b.Queue(headLock, t.Org)
	answers := t.conn.SendBatch(ctx, b)
	if _, err = answers.Exec(); err == nil {
		t.head, err = scanHead(answers.QueryRow(), t.Org)
	}
	if closed := answers.Close(); err == nil {
		err = closed
	}
	if err == nil && t.from != nil && !t.head.Same(*t.from) {
		return ErrMoved
	}
	return pg.Classify(err)
}

// Send writes a sealed commit and ends the turn. nil means that all of it is
// on disk.
func (t *Turn) Send(ctx context.Context, s *Sealed) error {
	if t.err != nil {
		return t.err
	}
	b := s.batch
	b.all = append(b.all, queued{sql: commits})
	if t.conn == nil {
		b.all = append([]queued{{sql: begins}}, b.all...)
		if t.conn, t.err = t.store.pool.Acquire(ctx); t.err != nil {
			return pg.Classify(t.err)
		}
	}
	err := b.send(ctx, t.conn.Conn())
	t.end(ctx)
	if err == nil {
		return nil
	}
	if meaning := meaningOf(err); meaning != nil {
		return meaning
	}
	return pg.Classify(fmt.Errorf("commit of %d changes: %w", s.size, err))
}

const (
	divisionByZero  = "22012"
	uniqueViolation = "23505"
)

func meaningOf(err error) error {
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch said.Code {
		case divisionByZero:
			return ErrMoved
		case uniqueViolation:
			return fmt.Errorf("%w: %w", ErrTaken, err)
		}
	}
	return nil
}

// End gives up what was not sent.
func (t *Turn) End(ctx context.Context) { t.end(ctx) }

// end leaves the connection as it was found. The pool closes one that is still
// in a transaction.
func (t *Turn) end(ctx context.Context) {
	if t.conn == nil {
		return
	}
	if c := t.conn.Conn(); !c.IsClosed() && c.PgConn().TxStatus() != 'I' {
		_, _ = c.Exec(ctx, "ROLLBACK")
	}
	t.conn.Release()
	t.conn, t.err = nil, errEnded
}

var errEnded = errors.New("the turn has ended")

// InOrg runs fn in one transaction that holds the org's row lock from its first
// statement to its end.
func (s *Store) InOrg(ctx context.Context, org record.OrgID, fn func(tx Tx, head Head) error) error {
	t := s.Turn(org, nil, nil)
	defer t.End(ctx)
	head, err := t.Lock(ctx)
	if err != nil {
		return err
	}
	return fn(t.Tx, head)
}

// reader begins the turn when it is first asked.
type reader struct{ t *Turn }

func (r reader) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if _, err := r.t.Lock(ctx); err != nil {
		return nil, err
	}
	return r.t.conn.Query(ctx, sql, args...)
}

func (r reader) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if _, err := r.t.Lock(ctx); err != nil {
		return failedRow{err}
	}
	return r.t.conn.QueryRow(ctx, sql, args...)
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
