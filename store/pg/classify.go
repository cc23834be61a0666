package pg

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"roadbook/errs"
)

// SQLSTATEs with a meaning of their own here.
const (
	serializationFailure = "40001"
	notInRecovery        = "55000" // of a promotion: it is a primary already
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	queryCanceled        = "57014"
	readOnlyTransaction  = "25006"
	idleTooLong          = "25P03"
	missingDatabase      = "3D000"
)

// closedPool is what pgx's pool says when it is used after Close, by a server
// that shuts down. The error itself belongs to a package below it.
const closedPool = "closed pool"

// Classify gives an error from PostgreSQL its kind, once, where it is
// understood. What a constraint forbids means what was registered for it; what
// the same bytes may survive later is Busy; all else is ours, and Internal.
//
// Returned as they are: nil, what has been classified before, the end of the
// caller's context, and pgx.ErrNoRows, whose meaning only the caller knows.
func Classify(err error) error {
	if err == nil || errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	pgErr, answered := errors.AsType[*pgconn.PgError](err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !connecting:
		return err
	case answered:
		return classifyAnswer(err, pgErr)
	case connecting:
		return busy("the database cannot be reached", err)
	case lost(err):
		return busy("the connection to the database was lost", err)
	}
	return internal("the database could not be used as intended", err)
}

func classifyAnswer(err error, pgErr *pgconn.PgError) error {
	if meaning, ok := meaningOf(pgErr.ConstraintName); ok {
		return meaning.Because(err)
	}
	switch pgErr.Code {
	case serializationFailure, deadlockDetected:
		return busy("too many changes met at the same place", err)
	case lockNotAvailable:
		return busy("somebody else's change takes too long", err)
	case queryCanceled:
		return busy("the database took too long", err)
	case readOnlyTransaction:
		return busy("the database takes no changes at the moment", err)
	case idleTooLong:
		return busy("a transaction was left idle for too long", err)
	case missingDatabase:
		return internal("the database named in its address does not exist: create it, or name another", err)
	}
	switch pgErr.Code[:min(2, len(pgErr.Code))] {
	case "08", "53", "57": // connection, resources, shut-down and start-up
		return busy("the database is not available at the moment", err)
	case "28":
		return internal("the database does not let us in: check user and password in its address", err)
	case "23":
		return internal("a change broke a rule of the database that has no meaning to us: "+
			"register the constraint "+pgErr.ConstraintName, err)
	}
	return internal("the database refused a statement of ours", err)
}

// lost reports whether the connection went away, before a query or during it.
func lost(err error) bool {
	for _, gone := range []error{pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, gone) {
			return true
		}
	}
	_, broken := errors.AsType[*net.OpError](err)
	return broken || err.Error() == closedPool
}

func busy(msg string, cause error) error {
	return errs.New("pg.Classify", errs.Busy, "%s: try again in a moment", msg).Because(cause)
}

func internal(msg string, cause error) error {
	return errs.New("pg.Classify", errs.Internal, "%s", msg).Because(cause)
}
