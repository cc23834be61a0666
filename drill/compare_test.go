package drill_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/drill"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/version"
)

// server is one with an org of a drill.
type server struct {
	t      *testing.T
	pool   *people.Pool
	engine *sync.Engine
	org    drill.Org
	made   uint64
}

func newServer(t *testing.T) *server {
	t.Helper()
	db := pgtest.DB(t)
	s := &server{t: t, pool: db}
	draw := func() int32 { s.made++; return int32(s.made) }
	now := func() time.Time { return time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC) }
	key := []byte("a key of these tests, 32 bytes..")
	s.engine = sync.New(sync.Config{
		Store: store.New(db), Rules: []sync.Rule{people.Rule{}}, Key: key, Now: now, Draw: draw, Fault: func(err error) { t.Error(err) },
	})
	t.Cleanup(s.engine.Close)
	f := drill.Founder{Engine: s.engine, Now: now, NewID: s.id, People: people.New(people.Config{
		Pool: db, Key: key, Now: now, Draw: draw, NewID: s.id, NewToken: func() string { return s.id().String() },
	})}
	var err error
	s.org, err = f.Found(t.Context(), "drill", "a long password")
	require.NoError(t, err)
	return s
}

// id is the same on both servers, if the same was done before.
func (s *server) id() (id record.ID) {
	s.made++
	binary.BigEndian.PutUint64(id[8:], s.made)
	id[6], id[8] = 0x70, 0x80
	return id
}

func (s *server) commit(e record.Edit) record.ID {
	s.t.Helper()
	if e.ID.IsZero() {
		e.ID = s.id()
	}
	out, err := s.engine.Commit(s.t.Context(), s.org.ID, []sync.Proposal{{Mutation: record.Mutation{
		ID: s.id(), Stamp: version.Stamp{MS: 1_900_000_000_000}, Edits: []record.Edit{e},
	}}})
	require.NoError(s.t, err)
	require.Nil(s.t, out[0].Refusal)
	return e.ID
}

func raw(field, value string) record.Values { return record.Values{{Field: field, Raw: []byte(value)}} }

func (s *server) shop(name string) record.ID {
	id := s.commit(record.Edit{Op: record.OpCreate, Kind: "account", Set: raw("name", name), Add: raw("tags", `["a","b"]`)})
	return s.commit(record.Edit{Op: record.OpEdit, Kind: "account", ID: id, Inc: raw("points", `5`)})
}

// Whatever a healed server has otherwise is told, and counted once for each
// record.
func TestCompare(t *testing.T) {
	t.Parallel()

	was, is := newServer(t), newServer(t)
	var shops []record.ID
	for n := range 6 {
		name := fmt.Sprintf(`"%d"`, n)
		shops = append(shops, was.shop(name))
		require.Equal(t, shops[n], is.shop(name))
	}
	var told []string
	compare := func() drill.Compared {
		told = nil
		done, err := drill.Compare(t.Context(), was.pool, is.pool, was.org.ID, func(format string, args ...any) {
			told = append(told, fmt.Sprintf(format, args...))
		})
		require.NoError(t, err)
		return done
	}
	require.Equal(t, drill.Compared{Orgs: 1, Records: 8}, compare())
	require.Empty(t, told)

	edit := func(n int, e record.Edit) record.Edit {
		e.Op, e.Kind, e.ID = record.OpEdit, "account", shops[n]
		return e
	}
	was.commit(edit(0, record.Edit{Remove: raw("tags", `["a"]`)}))
	is.commit(edit(1, record.Edit{Inc: raw("points", `5`)}))
	was.commit(edit(2, record.Edit{Inc: raw("points", `1`), Add: raw("tags", `["c"]`)}))
	is.commit(edit(3, record.Edit{Set: raw("short_name", `"x"`).With("external_ids.erp", []byte(`"77"`))}))
	was.commit(record.Edit{Op: record.OpDelete, Kind: "account", ID: shops[4]})
	is.commit(record.Edit{Op: record.OpDelete, Kind: "account", ID: shops[5]})
	lost := was.shop(`"only there"`)
	is.made += 100
	odd := is.shop(`"only here"`)

	require.Equal(t, drill.Compared{Orgs: 1, Records: 10, Differ: 8}, compare())
	for _, want := range []struct {
		id   record.ID
		text string
	}{
		{shops[0], `: of tags were taken out and are back: ["a"]`},
		{shops[1], `: points counts 5 too much`},
		{shops[2], `: points lacks 1`},
		{shops[2], `: of tags are missing: ["c"]`},
		{shops[3], `: short_name was nothing and is "x"`},
		{shops[3], `: external_ids.erp was nothing and is "77"`},
		{shops[4], `: was deleted, and is back`},
		{shops[5], `: is deleted now`},
		{lost, ` was acknowledged, and is missing`},
		{odd, ` was never there, and is there now`},
	} {
		require.Contains(t, told, "org 1: account "+want.id.String()+want.text)
	}
}
