package sync_test

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
)

// row is a record as SQL has it.
type row struct {
	id, owner, parent, root record.ID
	kind                    *record.Kind
	deleted                 bool
	month                   record.Month
	seq                     record.Seq
	scopes                  []record.ScopeID
	entered                 []record.Seq
	fields                  record.Values
}

func (r row) text(field string) string { return r.fields.Text(field) }

func (r row) ref(field string) record.ID {
	id, _ := record.ParseID(r.text(field))
	return id
}

func (r row) texts(field string) (out []string) {
	_ = json.Unmarshal(r.fields.Get(field), &out)
	return out
}

// records are all of the org.
func (s *story) records() []row {
	rows, err := s.pool.Query(context.Background(), `SELECT id, owner, coalesce(parent, '00000000-0000-0000-0000-000000000000'), root,
		kind, state, month, seq, scopes, entered, fields::text FROM records WHERE org = $1 ORDER BY id`, s.org)
	require.NoError(s.t, err)
	out, err := pgx.CollectRows(rows, func(c pgx.CollectableRow) (row, error) {
		var r row
		var kind, state int16
		var fields string
		err := c.Scan((*[16]byte)(&r.id), (*[16]byte)(&r.owner), (*[16]byte)(&r.parent), (*[16]byte)(&r.root),
			&kind, &state, &r.month, &r.seq, &r.scopes, &r.entered, &fields)
		if err == nil {
			r.kind, r.deleted = s.schema.KindNo(kind), state == int16(record.Deleted)
			r.fields, err = record.ParseValues([]byte(fields))
		}
		return r, err
	})
	require.NoError(s.t, err)
	return out
}

func (s *story) head() (seq record.Seq) {
	require.NoError(s.t, s.pool.QueryRow(context.Background(), `SELECT seq FROM heads WHERE org = $1`, s.org).Scan(&seq))
	return seq
}

// granted are the scopes that somebody holds now, and since when.
func (s *story) granted(who record.ID) (names map[record.ScopeID]string, since map[record.ScopeID]record.Seq) {
	names, since = map[record.ScopeID]string{}, map[record.ScopeID]record.Seq{}
	rows, err := s.pool.Query(context.Background(), `SELECT g.scope, s.name, g.since FROM grants g
		JOIN scopes s ON s.org = g.org AND s.id = g.scope WHERE g.org = $1 AND g.holder = $2 AND g.until IS NULL`, s.org, who)
	require.NoError(s.t, err)
	var scope record.ScopeID
	var name string
	var seq record.Seq
	_, err = pgx.ForEachRow(rows, []any{&scope, &name, &seq}, func() error {
		names[scope], since[scope] = name, seq
		return nil
	})
	require.NoError(s.t, err)
	return names, since
}

// roles are what somebody is now.
func (s *story) roles(who record.ID) (roles []string) {
	require.NoError(s.t, s.pool.QueryRow(context.Background(), `SELECT roles FROM actors WHERE org = $1 AND id = $2`, s.org, who).Scan(&roles))
	return roles
}

// checkPhone compares what a phone holds after a complete pull with what it
// must: the live records of its scopes, as far as its fill has come.
func (s *story) checkPhone(p *player, page wire.PullAnswer) {
	names, since := s.granted(p.who.Person)
	place := p.place()
	want := map[record.ID]bool{}
	digests := map[string]*wire.Tally{}
	for _, name := range names {
		digests[name] = &wire.Tally{}
	}
	for _, r := range s.records() {
		wanted := r.month == 0 || r.month >= place.From()
		in, granted := map[string]bool{}, map[string]bool{}
		for _, scope := range r.scopes {
			if name := names[scope]; name != "" && wanted {
				granted[name] = true
				digests[name].Add(wire.Sum(r.id, r.seq, digestKey(name)))
				if place.Reached(since[scope], scope, r.kind.Rank, r.id) {
					in[name] = true
				}
			}
		}
		h := p.base[r.id]
		switch {
		case len(in) > 0:
			s.checkHeld(p, r, in, s.roles(p.who.Person))
		case h != nil: // while everything is filled, perhaps anew, it may come early
			require.True(s.t, place.First() && len(granted) > 0, "%s holds %s, which its grants do not allow: %v", p.name, r.id, h)
			require.Subset(s.t, granted, h.in)
			s.checkHeld(p, r, h.in, nil)
		}
		want[r.id] = h != nil
	}
	for id := range p.base {
		require.True(s.t, want[id], "%s holds %s, which is not there", p.name, id)
	}
	if page.Filling {
		return
	}
	require.Len(s.t, page.Digests, len(digests))
	for name, tally := range digests {
		require.Equal(s.t, tally.Digest(), page.Digests[name], "digest of %s on %s", name, p.name)
	}
}

// checkHeld compares one record. Without roles, which may have become more
// since it came, only what everybody may see.
func (s *story) checkHeld(p *player, r row, in map[string]bool, roles []string) {
	h := p.base[r.id]
	require.NotNil(s.t, h, "%s misses %s %s, which is in %v", p.name, r.kind.Name, r.id, in)
	require.Equal(s.t, in, h.in, "the scopes through which %s holds %s", p.name, r.id)
	require.Equal(s.t, r.seq, h.seq, "the seq of %s on %s", r.id, p.name)
	want, set := map[string]string{}, maps.Clone(h.set)
	for _, v := range r.fields {
		if r.kind.Field(v.Field).ReadableBy(roles) {
			want[v.Field] = string(v.Raw)
		} else if roles == nil {
			delete(set, v.Field)
		}
	}
	require.Equal(s.t, want, set, "what %s holds of %s", p.name, r.id)
	require.True(s.t, s.pairs[pairOf(r.id, want["address"], want["location"])] || r.kind.Name != "account",
		"nobody has had this address and this point on a screen together: %s %s", want["address"], want["location"])
}

// digestKey is the key of a scope's digest: FNV-1a of its name.
func digestKey(scope string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(scope) {
		h = (h ^ uint64(scope[i])) * 1099511628211
	}
	return h
}
