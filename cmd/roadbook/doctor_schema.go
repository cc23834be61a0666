package main

import (
	"context"

	"roadbook/demo"
	"roadbook/errs"
	"roadbook/migrations"
	"roadbook/modules/people"
	"roadbook/store"
	"roadbook/store/pg"
)

// What a database says of itself: its encoding, whether we may make tables in
// it, and whether it has seen a migration.
const databaseFacts = `
	SELECT current_setting('server_encoding'),
	       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
	       to_regclass('goose_db_version') IS NOT NULL`

const databaseStep = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`

func (d *doctor) checkSchema(ctx context.Context, pool *people.Pool, own bool) {
	const op = "roadbook.doctor"

	var encoding string
	var mayCreate, begun bool
	var step int64
	err := pool.QueryRow(ctx, databaseFacts).Scan(&encoding, &mayCreate, &begun)
	if err == nil && begun {
		err = pool.QueryRow(ctx, databaseStep).Scan(&step)
	}
	switch known := migrations.Version(); {
	case err != nil:
		d.fail("schema", pg.Classify(err))
	case encoding != "UTF8":
		d.fail("schema", errs.New(op, errs.Invalid, "the database is in %s and must be in UTF8: make another with "+
			"CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and name it in ROADBOOK_DATABASE_URL", encoding))
	case step > known:
		d.fail("schema", errs.New(op, errs.Invalid, "the database is at step %d, and this program knows the steps up to %d: "+
			"run the program that brought it there, or a later one", step, known))
	case step < known && !mayCreate:
		d.fail("schema", errs.New(op, errs.Denied, "the user in ROADBOOK_DATABASE_URL may not make tables: as the "+
			"database's owner, run GRANT CREATE ON SCHEMA public TO that user"))
	case step < known:
		d.ok("schema", "step %d; the next start brings it to %d", step, known)
	default:
		d.ok("schema", "step %d, the newest", step)
		d.checkIndex(ctx, pool)
		d.checkDemo(ctx, pool, own)
		if d.deep {
			d.inspect(ctx, pool)
		}
	}
}

// indexSizes are those of the indexes in which pulls find what is new. Their
// old rows are swept, and leave holes.
const indexSizes = `
	SELECT i.indexrelid::regclass::text, pg_relation_size(i.indexrelid), greatest(c.reltuples, 0)::bigint
	  FROM pg_index i
	  JOIN pg_class c ON c.oid = i.indrelid
	 WHERE c.oid = to_regclass('scope_index')
	 ORDER BY 1`

// An index is worth writing anew when it is several times as large as its rows
// would need, and large enough to matter.
const (
	bytesPerRow   = 24
	timesTooLarge = 4
	smallIndex    = 64 << 20
)

// checkIndex gives advice; what it speaks of costs memory and breaks nothing.
func (d *doctor) checkIndex(ctx context.Context, pool *people.Pool) {
	rows, err := pool.Query(ctx, indexSizes)
	if err != nil {
		d.fail("index", pg.Classify(err))
		return
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var bytes, live int64
		if err := rows.Scan(&name, &bytes, &live); err != nil {
			d.fail("index", pg.Classify(err))
			return
		}
		if tooLarge(bytes, live) {
			d.say("note  %-10s %s takes %s MB for %s rows: run REINDEX INDEX CONCURRENTLY %s in a quiet hour",
				"index", name, thousands(int(bytes>>20)), thousands(int(live)), name)
		}
	}
	if err := rows.Err(); err != nil {
		d.fail("index", pg.Classify(err))
	}
}

func tooLarge(bytes, rows int64) bool {
	return bytes > smallIndex && bytes > timesTooLarge*bytesPerRow*rows
}

func (d *doctor) checkDemo(ctx context.Context, pool *people.Pool, own bool) {
	org, err := store.OrgByName(ctx, pool, demo.Name)
	if errs.KindOf(err) == errs.Missing {
		if !own && !d.cfg.Demo {
			d.ok("demo org", "none; ROADBOOK_DEMO=true makes one, with a password that everybody knows")
			return
		}
		d.ok("demo org", "the next start makes it")
		return
	}
	var began store.Beginning
	if err == nil {
		began, err = store.BeginningOf(ctx, pool, org.ID)
	}
	switch {
	case err != nil:
		d.fail("demo org", err)
	case !began.Whole:
		d.ok("demo org", "half made; the next start goes on with it")
	default:
		d.ok("demo org", "whole, begun on %s", began.At.Format("2 January 2006"))
	}
}
