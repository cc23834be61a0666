package store

import (
	"roadbook/record"
	"roadbook/store/pg"
)

var membersInsert = pg.Statement("members_insert", `
	INSERT INTO members (org, scope, rank, rec)
	SELECT $1, u.*
	  FROM unnest($2::int[], $3::smallint[], $4::uuid[]) u
	ON CONFLICT DO NOTHING`)

// As for look-up rows: a new record is a member of nothing yet.
var membersNew = pg.Statement("members_new", `
	INSERT INTO members (org, scope, rank, rec)
	SELECT $1, u.*
	  FROM unnest($2::int[], $3::smallint[], $4::uuid[]) u`)

var membersDelete = pg.Statement("members_delete", `
	DELETE FROM members m
	 USING (SELECT $1::int AS org, u.*
	          FROM unnest($2::int[], $3::smallint[], $4::uuid[]) u(scope, rank, rec)
	        OFFSET 0) u
	 WHERE m.org = u.org AND m.scope = u.scope AND m.rank = u.rank AND m.rec = u.rec`)

// members lists the scopes that a record has come into and gone out of.
func (d Dirty) members() (in, out []record.ScopeID) {
	for _, s := range d.Now.Scopes {
		if _, was := d.Was.In(s); !was {
			in = append(in, s)
		}
	}
	for _, s := range d.Was.Scopes {
		if _, still := d.Now.In(s); !still {
			out = append(out, s)
		}
	}
	return in, out
}

// memberRows gathers rows for one of the statements that write them.
type memberRows struct {
	scope []int32
	rank  []int16
	rec   [][16]byte
}

func (m *memberRows) add(r *record.Record, scopes []record.ScopeID) {
	for _, s := range scopes {
		m.scope, m.rank, m.rec = append(m.scope, int32(s)), append(m.rank, r.Kind.Rank), append(m.rec, r.ID)
	}
}

func (m *memberRows) queue(b *batch, sql pg.SQL, org record.OrgID) {
	if len(m.rec) > 0 {
		b.Queue(sql, org, m.scope, m.rank, m.rec)
	}
}
