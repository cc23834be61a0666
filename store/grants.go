package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/store/pg"
)

// Grant is somebody's right to a scope, and where in the log it began and, if
// it has, ended.
type Grant struct {
	Holder record.ID
	Scope  record.ScopeID
	Name   string
	Since  record.Seq
	Until  record.Seq // 0 while it holds
}

var grantsOf = pg.Statement("grants_of", `
	SELECT g.holder, g.scope, s.name, g.since, coalesce(g.until, 0)
	  FROM grants g
	  JOIN scopes s ON s.org = g.org AND s.id = g.scope
	 WHERE g.org = $1 AND g.holder = ANY ($2::uuid[]) AND (g.until IS NULL OR g.until > $3)
	 ORDER BY g.since, g.scope`)

// Grants reads what some holders hold, and what has ended after a place.
func (tx Tx) Grants(ctx context.Context, holders []record.ID, endedAfter record.Seq) ([]Grant, error) {
	return collect(ctx, tx, "grants", grantsOf, scanGrant, tx.Org, raw(holders), endedAfter)
}

func scanGrant(rows pgx.CollectableRow) (g Grant, err error) {
	err = rows.Scan((*[16]byte)(&g.Holder), &g.Scope, &g.Name, &g.Since, &g.Until)
	return g, err
}

var grantsGive = pg.Statement("grants_give", `
	INSERT INTO grants (org, holder, scope, since)
	SELECT $1, u.holder, u.scope, $2
	  FROM unnest($3::uuid[], $4::int[]) u(holder, scope)`)

var grantsTake = pg.Statement("grants_take", `
	UPDATE grants g
	   SET until = $2
	  FROM (SELECT $1::int AS org, u.*
	          FROM unnest($3::uuid[], $4::int[]) u(holder, scope)
	        OFFSET 0) u
	 WHERE g.org = u.org AND g.holder = u.holder AND g.scope = u.scope AND g.until IS NULL`)

// Regrant is a change of what people hold, at one place in the log.
type Regrant struct {
	Seq        record.Seq
	Give, Take []Grant
}

func (r Regrant) queue(b *batch, org record.OrgID) {
	for _, half := range []struct {
		sql    pg.SQL
		grants []Grant
	}{{grantsTake, r.Take}, {grantsGive, r.Give}} {
		if len(half.grants) == 0 {
			continue
		}
		holders, scopes := make([][16]byte, len(half.grants)), make([]int32, len(half.grants))
		for i, g := range half.grants {
			holders[i], scopes[i] = g.Holder, int32(g.Scope)
		}
		b.Queue(half.sql, org, r.Seq, holders, scopes)
	}
}

var actorsRead = pg.Statement("actors_read", `
	SELECT a.id, a.name, a.roles, a.active
	  FROM actors a
	 WHERE a.org = $1 AND a.id = ANY ($2::uuid[])`)

// Person is somebody who may act, by the rights that he has now.
type Person struct {
	ID     record.ID
	Name   string
	Roles  []string
	Active bool
}

// People reads some people.
func (tx Tx) People(ctx context.Context, ids []record.ID) ([]Person, error) {
	return collect(ctx, tx, "people", actorsRead, scanPerson, tx.Org, raw(ids))
}

func scanPerson(rows pgx.CollectableRow) (p Person, err error) {
	err = rows.Scan((*[16]byte)(&p.ID), &p.Name, &p.Roles, &p.Active)
	return p, err
}

var actorsWrite = pg.Statement("actors_write", `
	INSERT INTO actors (org, id, name, roles, active)
	VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (org, id) DO UPDATE SET name = excluded.name, roles = excluded.roles, active = excluded.active`)

func (p Person) queue(b *batch, org record.OrgID) {
	roles := p.Roles
	if roles == nil {
		roles = []string{}
	}
	b.Queue(actorsWrite, org, [16]byte(p.ID), p.Name, roles, p.Active)
}

var scopesByName = pg.Statement("scopes_by_name", `
	WITH wanted AS (SELECT w.n, s.id
	                  FROM (SELECT DISTINCT n FROM unnest($2::text[]) n) w
	                  LEFT JOIN LATERAL (SELECT s.id FROM scopes s WHERE s.org = $1 AND s.name = w.n OFFSET 0) s ON true),
	     fresh  AS (INSERT INTO scopes (org, name)
	                SELECT $1, w.n FROM wanted w WHERE w.id IS NULL
	                RETURNING id, name)
	SELECT id, name FROM fresh
	UNION ALL
	SELECT w.id, w.n FROM wanted w WHERE w.id IS NOT NULL`)

// ScopeIDs numbers scopes by name; those that are new are made.
func (tx Tx) ScopeIDs(ctx context.Context, names []string) (map[string]record.ScopeID, error) {
	out := make(map[string]record.ScopeID, len(names))
	if len(names) == 0 {
		return out, nil
	}
	rows, err := tx.Query(ctx, scopesByName, tx.Org, names)
	if err != nil {
		return nil, fmt.Errorf("scopes: %w", err)
	}
	var id record.ScopeID
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		out[name] = id
		return nil
	})
	return out, err
}
