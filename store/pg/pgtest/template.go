package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/errs"
	"roadbook/migrations"
	"roadbook/store/pg"
)

const (
	// templateLock is held while a template is made. Advisory locks count per
	// database, and every process takes it on the maintenance database.
	templateLock = 0x726f6164 // "road"

	// inUse and missing are what PostgreSQL says of a template that somebody
	// is connected to, or has swept away.
	inUse   = "55006"
	missing = "3D000"

	// copyTries bounds the attempts to copy a template that is in use.
	copyTries = 10
	copyPause = 100 * time.Millisecond
)

// clone makes a database. Copying files beats copying through the log: there
// is nothing to log for, and nothing to wait for in memory.
func (s *server) clone(ctx context.Context) (string, error) {
	name := s.prefix + strconv.FormatInt(s.clones.Add(1), 10)
	create := fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY file_copy", name, s.template)
	for try := 1; ; try++ {
		_, err := s.admin.Exec(ctx, create)
		pgErr, ok := errors.AsType[*pgconn.PgError](err)
		switch {
		case ok && pgErr.Code == missing:
			return "", errs.New("pgtest.DB", errs.Busy, "the template has been swept away: it will be made again").Because(err)
		case !ok || pgErr.Code != inUse || try == copyTries:
			return name, pg.Classify(err)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(copyPause):
		}
	}
}

// ensureTemplate makes the database that others are copies of, unless there is
// one made of the same steps. The first process makes it; the others wait.
func (s *server) ensureTemplate(ctx context.Context) error {
	if s.exists(ctx, s.template) {
		return nil
	}
	return s.admin.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
			return pg.Classify(err)
		}
		defer func() { _, _ = conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", templateLock) }()

		if s.exists(ctx, s.template) {
			return nil
		}
		return s.makeTemplate(ctx)
	})
}

// makeTemplate gives the database its name when it is finished, so that half a
// template is never copied, and allows nobody in, so that none is in use.
func (s *server) makeTemplate(ctx context.Context) error {
	making := s.template + "_making"
	if err := s.run(ctx, "DROP DATABASE IF EXISTS "+making+" WITH (FORCE)",
		"CREATE DATABASE "+making+" TEMPLATE template0 STRATEGY file_copy"); err != nil {
		return err
	}
	pool, err := pg.Open(ctx, s.address(making))
	if err != nil {
		return err
	}
	err = migrations.Up(ctx, pool)
	pool.Close()
	if err != nil {
		return err
	}
	return s.run(ctx, "ALTER DATABASE "+making+" ALLOW_CONNECTIONS false",
		"ALTER DATABASE "+making+" RENAME TO "+s.template)
}

// leftovers are what a run leaves when it is killed, after an hour, what a
// failed test keeps, after a day, and templates of earlier schemas.
const leftovers = `
	SELECT datname
	  FROM pg_database
	 WHERE (datname ~ '^test_\d+_' AND to_timestamp(split_part(datname, '_', 2)::bigint) < now() - interval '1 hour')
	    OR (datname ~ '^kept_\d+_' AND to_timestamp(split_part(datname, '_', 2)::bigint) < now() - interval '1 day')
	    OR (datname ~ '^template_[0-9a-f]{12}$' AND datname <> $1
	        AND (pg_stat_file('base/' || oid || '/PG_VERSION', true)).modification < now() - interval '1 day')`

// sweep drops what nobody will ask for. Whatever is in use stays, and to fail
// at it fails no test.
func (s *server) sweep(ctx context.Context) {
	rows, err := s.admin.Query(ctx, leftovers, s.template)
	if err != nil {
		return
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return
	}
	for _, name := range names {
		_, _ = s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name)
	}
}

func (s *server) exists(ctx context.Context, name string) (yes bool) {
	err := s.admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&yes)
	return err == nil && yes
}

func (s *server) run(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := s.admin.Exec(ctx, statement); err != nil {
			return pg.Classify(err)
		}
	}
	return nil
}

// fingerprint changes with any of the steps.
func fingerprint(steps fs.FS) string {
	sum := sha256.New()
	names, _ := fs.Glob(steps, "*.sql")
	for _, name := range names {
		text, _ := fs.ReadFile(steps, name)
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}
