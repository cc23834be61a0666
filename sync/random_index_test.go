package sync_test

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// checkScopes works out from the fields of the records what follows from them:
// owner, parent, root and scopes.
func (s *story) checkScopes(all []row) {
	byID := map[record.ID]row{}
	for _, r := range all {
		byID[r.id] = r
	}
	ids, pinned := s.scopeIDs(), s.pinned()
	for _, r := range all {
		if o := r.ref("owner"); !o.IsZero() {
			require.Equal(s.t, o, r.owner, "the owner of %s", r.id)
		}
		if r.kind.Parent != "" {
			require.Equal(s.t, r.ref(r.kind.Parent), r.parent, "the parent of %s", r.id)
		}
		root := r
		for !root.parent.IsZero() {
			root = byID[root.parent]
		}
		require.Equal(s.t, root.id, r.root, "the root of %s", r.id)
		want := map[record.ScopeID]bool{}
		if !r.deleted {
			for _, name := range namesOf(r, root) {
				want[ids[name]] = true
			}
			if name := "account:" + root.id.String(); r.kind.Scope == "" && pinned[name] {
				want[ids[name]] = true
			}
		}
		got := map[record.ScopeID]bool{}
		for _, scope := range r.scopes {
			got[scope] = true
		}
		require.Equal(s.t, want, got, "the scopes of %s %s", r.kind.Name, r.id)
		require.True(s.t, slices.IsSorted(r.scopes))
		require.Len(s.t, r.entered, len(r.scopes))
	}
}

// pinned are the scopes of accounts that some device holds.
func (s *story) pinned() map[string]bool {
	rows, err := s.pool.Query(context.Background(), `SELECT DISTINCT s.name FROM grants g JOIN scopes s ON s.org = g.org AND s.id = g.scope
		WHERE g.org = $1 AND g.until IS NULL AND s.name LIKE 'account:%'`, s.org)
	require.NoError(s.t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(s.t, err)
	out := map[string]bool{}
	for _, name := range names {
		out[name] = true
	}
	return out
}

func namesOf(r, root row) []string {
	if r.kind.Scope != "" {
		return []string{r.kind.Scope}
	}
	names := []string{"owner:" + r.owner.String(), "owner:" + root.owner.String()}
	for _, c := range append(r.texts("collaborators"), root.texts("collaborators")...) {
		names = append(names, "shared:"+c, "owner:"+c)
	}
	return names
}

func (s *story) scopeIDs() map[string]record.ScopeID {
	rows, err := s.pool.Query(context.Background(), `SELECT name, id FROM scopes WHERE org = $1`, s.org)
	require.NoError(s.t, err)
	out := map[string]record.ScopeID{}
	var name string
	var id record.ScopeID
	_, err = pgx.ForEachRow(rows, []any{&name, &id}, func() error {
		out[name] = id
		return nil
	})
	require.NoError(s.t, err)
	return out
}

type membership struct {
	scope record.ScopeID
	rec   record.ID
}

// checkIndex compares members and the newest row of the index for each record
// and scope with the records.
func (s *story) checkIndex(all []row) {
	members, newest := s.members(), s.newest()
	want := map[membership]int16{}
	for _, r := range all {
		for i, scope := range r.scopes {
			m := membership{scope, r.id}
			want[m] = r.kind.Rank
			require.Equal(s.t, indexRow{max(r.seq, r.entered[i]), r.seq, 0, r.kind.No, r.month}, newest[m], "the index of %v", m)
		}
	}
	require.Equal(s.t, want, members)
	for m, row := range newest {
		if _, in := want[m]; !in {
			require.EqualValues(s.t, 1, row.op, "the index says that %v holds, which left", m)
		}
	}
}

func (s *story) members() map[membership]int16 {
	rows, err := s.pool.Query(context.Background(), `SELECT scope, rec, rank FROM members WHERE org = $1`, s.org)
	require.NoError(s.t, err)
	out := map[membership]int16{}
	var m membership
	var rank int16
	_, err = pgx.ForEachRow(rows, []any{&m.scope, (*[16]byte)(&m.rec), &rank}, func() error {
		out[m] = rank
		return nil
	})
	require.NoError(s.t, err)
	return out
}

type indexRow struct {
	seq, mark record.Seq
	op, kind  int16
	month     record.Month
}

func (s *story) newest() map[membership]indexRow {
	rows, err := s.pool.Query(context.Background(), `SELECT DISTINCT ON (scope, rec) scope, rec, seq, mark, op, kind, month
		FROM scope_index WHERE org = $1 ORDER BY scope, rec, seq DESC, op`, s.org)
	require.NoError(s.t, err)
	out := map[membership]indexRow{}
	var m membership
	var r indexRow
	_, err = pgx.ForEachRow(rows, []any{&m.scope, (*[16]byte)(&m.rec), &r.seq, &r.mark, &r.op, &r.kind, &r.month}, func() error {
		out[m] = r
		return nil
	})
	require.NoError(s.t, err)
	return out
}

// checkGrants works out from the people and the unit who holds what.
func (s *story) checkGrants(all []row) {
	team, left, unitOf, seesAll := row{}, map[record.ID]bool{}, map[record.ID]record.ID{}, map[record.ID]bool{}
	for _, r := range all {
		switch r.kind.Name {
		case "unit":
			team = r
		case "user":
			left[r.id], unitOf[r.id] = r.text("status") == "left", r.ref("unit")
			seesAll[r.id] = slices.Contains(r.texts("roles"), "service")
		}
	}
	for _, login := range []string{"chen", "lin", "zhou", "gao"} {
		who := s.person(s.org, login)
		want := map[string]bool{}
		if !left[who] {
			want["catalogue"], want["owner:"+who.String()], want["shared:"+who.String()] = true, true, true
			for other, unit := range unitOf {
				if seesAll[who] || unit == team.id && team.ref("manager") == who {
					want["owner:"+other.String()] = true
				}
			}
		}
		names, _ := s.granted(who)
		got := map[string]bool{}
		for _, name := range names {
			got[name] = true
		}
		require.Equal(s.t, want, got, "what %s holds", login)
	}
}
