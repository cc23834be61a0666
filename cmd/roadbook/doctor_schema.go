package main

import (
	"context"

	"roadbook/demo"
	"roadbook/errs"
	"roadbook/migrations"
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

func (d *doctor) checkSchema(ctx context.Context, in *installation) {
	const op = "roadbook.doctor"

	var encoding string
	var mayCreate, begun bool
	var step int64
	err := in.pool.QueryRow(ctx, databaseFacts).Scan(&encoding, &mayCreate, &begun)
	if err == nil && begun {
		err = in.pool.QueryRow(ctx, databaseStep).Scan(&step)
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
		d.checkDemo(ctx, in)
	}
}

func (d *doctor) checkDemo(ctx context.Context, in *installation) {
	org, err := store.OrgByName(ctx, in.pool, demo.Name)
	if errs.KindOf(err) == errs.Missing {
		if in.local == nil && !d.cfg.Demo {
			d.ok("demo org", "none; ROADBOOK_DEMO=true makes one, with a password that everybody knows")
			return
		}
		d.ok("demo org", "the next start makes it")
		return
	}
	var began store.Beginning
	if err == nil {
		began, err = store.BeginningOf(ctx, in.pool, org.ID)
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
