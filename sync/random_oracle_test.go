package sync_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

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

// shownRow is what a device is shown from a place in the log on, as SQL has it.
type shownRow struct {
	seq   record.Seq
	from  record.Month
	kinds []int16
	sight map[int16][]string // hidden fields
}

func (v shownRow) shows(kind int16, m record.Month) bool {
	_, reads := v.sight[kind]
	return reads && (v.kinds == nil || slices.Contains(v.kinds, kind)) && (m == 0 || m >= v.from)
}

func (s *story) shownTo(p *player) []shownRow {
	rows, err := s.pool.Query(context.Background(),
		`SELECT seq, since, kinds, sight::text FROM views WHERE org = $1 AND device = $2 ORDER BY seq`, s.org, p.who.Device)
	require.NoError(s.t, err)
	out, err := pgx.CollectRows(rows, func(c pgx.CollectableRow) (shownRow, error) {
		var v shownRow
		var sight string
		err := c.Scan(&v.seq, &v.from, &v.kinds, &sight)
		require.NoError(s.t, json.Unmarshal([]byte(sight), &v.sight))
		return v, err
	})
	require.NoError(s.t, err)
	require.NotEmpty(s.t, out)
	require.LessOrEqual(s.t, len(out), 32)
	return out
}

// lately is where something began to be so, without interruption until now.
func lately(shown []shownRow, so func(v shownRow) bool) (since record.Seq, now bool) {
	for _, v := range shown {
		switch is := so(v); {
		case !is:
			now = false
		case !now:
			since, now = v.seq, true
		}
	}
	return since, now
}

// checkPhone compares what a phone holds after a complete pull with what it
// must: the live records of its scopes, of the kinds and months that it is
// shown, as far as its fill has come. What has come early it may hold.
func (s *story) checkPhone(p *player, page wire.PullAnswer) {
	all := s.records()
	s.checkPins(p, page, all)
	names, since := s.granted(p.who.Person)
	pins, pinned := s.granted(p.who.Device)
	maps.Copy(names, pins)
	maps.Copy(since, pinned)
	place, shown := p.place(), s.shownTo(p)
	held := map[record.ID]bool{}
	digests := map[string]*wire.Tally{}
	for _, name := range names {
		digests[name] = &wire.Tally{}
	}
	for _, r := range all {
		from, now := lately(shown, func(v shownRow) bool { return v.shows(r.kind.No, r.month) })
		must, may := map[string]bool{}, map[string]bool{}
		for _, scope := range r.scopes {
			name := names[scope]
			if name == "" || !now {
				continue
			}
			digests[name].Add(wire.Sum(r.id, r.seq, digestKey(name)))
			if place.Reached(since[scope], scope, r.kind.Rank, r.id) {
				may[name] = true
			}
			if place.Reached(max(since[scope], from), scope, r.kind.Rank, r.id) {
				must[name] = true
			}
		}
		surely := func(f *record.Field) bool { // what came into sight later comes by a fill of its own
			seen, _ := lately(shown, func(v shownRow) bool {
				return v.shows(r.kind.No, r.month) && !slices.Contains(v.sight[r.kind.No], f.Base())
			})
			return slices.ContainsFunc(r.scopes, func(scope record.ScopeID) bool {
				return names[scope] != "" && place.Reached(max(since[scope], seen), scope, r.kind.Rank, r.id)
			})
		}
		if h := p.base[r.id]; h != nil || len(must) > 0 {
			require.NotNil(s.t, h, "%s misses %s %s, which is in %v", p.name, r.kind.Name, r.id, must)
			require.Subset(s.t, h.in, must, "the scopes through which %s holds %s %s", p.name, r.kind.Name, r.id)
			require.Subset(s.t, may, h.in, "the scopes through which %s may hold %s %s", p.name, r.kind.Name, r.id)
			s.checkHeld(p, r, s.roles(p.who.Person), surely)
			held[r.id] = true
		}
	}
	for id := range p.base {
		require.True(s.t, held[id], "%s holds %s, which is not there", p.name, id)
	}
	if page.Filling {
		return
	}
	require.Len(s.t, page.Digests, len(digests))
	for name, tally := range digests {
		require.Equal(s.t, tally.Digest(), page.Digests[name], "digest of %s on %s", name, p.name)
	}
}

// checkPins makes sure that a phone pins what it asks for, as far as its owner
// sees it otherwise, and is told of the rest.
func (s *story) checkPins(p *player, page wire.PullAnswer, all []row) {
	pins, _ := s.granted(p.who.Device)
	have := map[string]bool{}
	for _, name := range pins {
		have[name] = true
	}
	scopes, _ := s.granted(p.who.Person)
	shown := s.shownTo(p)
	_, reads := shown[len(shown)-1].sight[s.schema.Kind("account").No]
	may, refused := map[string]bool{}, []record.ID{}
	for _, r := range all {
		if reads && !r.deleted && r.kind.Name == "account" && slices.ContainsFunc(r.scopes, func(scope record.ScopeID) bool { return scopes[scope] != "" }) {
			may["account:"+r.id.String()] = true
		}
	}
	want := map[string]bool{}
	for _, id := range p.pins {
		if name := "account:" + id.String(); may[name] {
			want[name] = true
		} else {
			refused = append(refused, id)
		}
	}
	require.ElementsMatch(s.t, refused, page.PinsRefused, "what %s may not pin", p.name)
	if p.pins != nil {
		require.Equal(s.t, want, have, "what %s pins", p.name)
	}
	require.Subset(s.t, may, have, "what %s pins and may not", p.name)
}

// checkHeld compares one record. Fields that have come into sight may be still
// to come.
func (s *story) checkHeld(p *player, r row, roles []string, surely func(f *record.Field) bool) {
	h := p.base[r.id]
	require.NotEmpty(s.t, h.in)
	require.Equal(s.t, r.seq, h.seq, "the seq of %s on %s", r.id, p.name)
	want := map[string]string{}
	for _, v := range r.fields {
		f := r.kind.Field(v.Field)
		if _, is := h.set[v.Field]; f.ReadableBy(roles) && (is || surely(f)) {
			want[v.Field] = string(v.Raw)
		}
	}
	require.Equal(s.t, want, h.set, "what %s holds of %s", p.name, r.id)
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
