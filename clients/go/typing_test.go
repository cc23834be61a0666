package device_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// What an author had seen, case by case, as docs/protocol.md tells it.
func TestSeen(t *testing.T) {
	t.Parallel()

	t.Run("it is the log's number alone", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		p := signedIn(t, s)
		p.give(s, page("c1", full(acme, 812, "name", "Acme")))

		p.set(acme, "name", "ACME")

		require.Equal(t, logSeen(812), p.last().Edits[0].Seen)
	})

	t.Run("it is nothing for what was never pulled", func(t *testing.T) {
		t.Parallel()
		p := newPhone(t, nil)
		id := p.create("account", device.Values{"name": "Acme"})

		p.set(id, "remark", "new")

		require.Nil(t, p.Outbox()[0].Edits[0].Seen)
		require.Nil(t, p.last().Edits[0].Seen)
	})

	t.Run("it is the seq of a pull and never that of a push answer", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		p := signedIn(t, s)
		p.give(s, page("c1", full(acme, 7, "name", "Acme")))
		p.set(acme, "name", "ACME")
		p.push()
		require.Empty(t, p.Outbox())

		p.set(acme, "remark", "big")

		require.Equal(t, logSeen(7), p.last().Edits[0].Seen)
	})

	t.Run("a field that shows an own edit has the seen of that edit", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		p := signedIn(t, s)
		p.give(s, page("c1", full(acme, 7, "name", "Acme")))
		p.set(acme, "name", "ACME")
		p.give(s, page("c2", part(acme, 9, "name", "Acme Ltd")))
		require.Equal(t, "ACME", p.text(acme, "name"), "the own edit hides what was pulled")

		p.set(acme, "name", "Acme & Co")

		require.Equal(t, logSeen(7), p.last().Edits[0].Seen)
	})

	t.Run("fields that were seen differently go as several edits, in order", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		p := signedIn(t, s)
		p.give(s, page("c1", full(acme, 7, "name", "Acme")))
		p.set(acme, "name", "ACME")
		p.give(s, page("c2", part(acme, 9, "remark", "pays late")))

		require.NoError(t, p.Edit("account", acme, func(dr *device.Draft) {
			dr.Set("remark", "pays")
			dr.Set("name", "Acme & Co")
			dr.Add("tags", "cold")
		}))

		edits := p.last().Edits
		require.Len(t, edits, 2)
		require.Equal(t, logSeen(7), edits[0].Seen)
		require.Equal(t, "Acme & Co", edits[0].Set.Text("name"))
		require.Equal(t, logSeen(9), edits[1].Seen)
		require.Equal(t, "pays", edits[1].Set.Text("remark"))
		require.JSONEq(t, `["cold"]`, string(edits[1].Add.Get("tags")), "adds go by the record")
	})

	t.Run("a delete has seen the least of the record and the own edits on it", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		p := signedIn(t, s)
		p.give(s, page("c1", full(acme, 7, "name", "Acme")))
		p.set(acme, "name", "ACME")
		p.give(s, page("c2", part(acme, 9, "remark", "pays late")))

		require.NoError(t, p.Delete("account", acme))

		require.Equal(t, logSeen(7), p.last().Edits[0].Seen)
	})
}

func TestSeen_afterTheOwnEditCameBack(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme")))
	p.set(acme, "name", "ACME")
	p.push()
	require.Equal(t, 1, p.Status().Settled)

	p.give(s, page("c2", part(acme, 9, "name", "ACME")))
	require.Zero(t, p.Status().Settled)
	p.set(acme, "name", "Acme & Co")

	require.Equal(t, logSeen(9), p.last().Edits[0].Seen)
}

// What was typed is never rewritten, whatever is pulled afterwards.
func TestMutation_isNeverRewritten(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme")))
	p.set(acme, "name", "ACME")
	typed := p.last()

	p.give(s, page("c2", part(acme, 9, "name", "Acme Ltd")))
	p.reopen()

	require.Equal(t, typed, p.last())
}

const groupedSchema = `{"version":"4","kinds":[{"kind":"account","fields":[
	{"field":"address","type":"string","policy":"lww","group":"place"},
	{"field":"point","type":"string","policy":"lww","group":"place"},
	{"field":"remark","type":"text","policy":"text"},
	{"field":"points","type":"number","policy":"counter"},
	{"field":"tags","type":"tag","policy":"set"}]}]}`

func withSchema(cursor string, changes ...wire.Change) *wire.PullAnswer {
	pg := page(cursor, changes...)
	pg.Schema = []byte(groupedSchema)
	return pg
}

// A unit was seen as its oldest part was, and goes as a whole.
func TestSeen_unit(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, withSchema("c1", full(acme, 7, "address", "Main St 1")))
	p.set(acme, "point", "31.2,121.4")
	p.give(s, page("c2", part(acme, 9, "address", "Main St 2")))

	p.set(acme, "address", "Main St 3")

	edit := p.last().Edits[0]
	require.Equal(t, logSeen(7), edit.Seen)
	require.Equal(t, "Main St 3", edit.Set.Text("address"))
	require.Equal(t, "31.2,121.4", edit.Set.Text("point"))
	require.Equal(t, "4", p.last().Schema, "typed under the schema on the screen")
}

// Somebody moves the shop while its point is being typed: the screen keeps the
// address that the point was typed for, and what is typed next goes with that.
func TestSeen_unitThatWasHalfTyped(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, withSchema("c1", full(acme, 7, "address", "Main St 1")))
	p.set(acme, "point", "31.2,121.4")
	p.give(s, page("c2", part(acme, 9, "address", "Harbour 5")))
	require.Equal(t, "Main St 1", p.text(acme, "address"))

	p.set(acme, "point", "31.2,121.5")

	require.Equal(t, "Main St 1", p.last().Edits[0].Set.Text("address"))
}

func TestDraft_text(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, withSchema("c1", full(acme, 7, "remark", "pays late")))

	p.set(acme, "remark", "pays")

	require.Equal(t, "pays late", p.last().Edits[0].Base.Text("remark"))
}

func TestMutate_refusesWhatTheServerWould(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, withSchema("c1", full(acme, 7, "name", "Acme")))
	long := make([]byte, record.MaxRecordBytes)
	for i := range long {
		long[i] = 'x'
	}

	tests := []struct {
		name string
		code string
		kind errs.Kind
		do   func(t *device.Typing)
	}{
		{"nothing", "empty", errs.Invalid, func(*device.Typing) {}},
		{"a record that is not there", "missing", errs.Missing, func(t *device.Typing) {
			t.Edit("account", acme.Derive("another"), func(dr *device.Draft) { dr.Set("name", "x") })
		}},
		{"a record of another kind", "missing", errs.Missing, func(t *device.Typing) { t.Delete("visit", acme) }},
		{"a counter that is set", "policy", errs.Invalid, func(t *device.Typing) {
			t.Edit("account", acme, func(dr *device.Draft) { dr.Set("points", 5) })
		}},
		{"a record twice", "twice", errs.Invalid, func(t *device.Typing) {
			t.Delete("account", acme)
			t.Restore("account", acme)
		}},
		{"what is there is restored", "there", errs.Clash, func(t *device.Typing) { t.Restore("account", acme) }},
		{"too large", "size", errs.Invalid, func(t *device.Typing) {
			t.Create("account", device.Values{"name": string(long)})
		}},
		{"a value that is none", "value", errs.Invalid, func(t *device.Typing) {
			t.Create("account", device.Values{"name": func() {}})
		}},
		{"too many records", "many", errs.Invalid, func(t *device.Typing) {
			for range record.MaxEdits + 1 {
				t.Create("account", nil)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := p.Mutate(func(ty *device.Typing) error {
				tt.do(ty)
				return nil
			})
			require.Equal(t, tt.kind, errs.KindOf(err), "%v", err)
			require.Equal(t, tt.code, errs.CodeOf(err))
			require.Empty(t, p.Outbox(), "nothing of it is kept")
		})
	}
}

func TestMutate_atTheLimit(t *testing.T) {
	t.Parallel()
	p := newPhone(t, nil)
	_, err := p.Mutate(func(ty *device.Typing) error {
		for range record.MaxEdits {
			ty.Create("account", nil)
		}
		return nil
	})
	require.NoError(t, err)
}

// One action on several records is one mutation, and twice the same thing in
// it leaves the last.
func TestMutate_severalRecords(t *testing.T) {
	t.Parallel()
	p := newPhone(t, nil)
	known := p.create("account", device.Values{"name": "Known", "tags": []string{"old"}, "points": 1})

	var account, visit record.ID
	id, err := p.Mutate(func(ty *device.Typing) error {
		account = ty.Create("account", device.Values{"name": "兴旺", "tags": []string{"b"}})
		ty.Edit("account", account, func(dr *device.Draft) { dr.Add("tags", "a"); dr.Inc("points", 2) })
		visit = ty.Create("visit", device.Values{"account": account})
		ty.Edit("account", known, func(dr *device.Draft) {
			dr.Set("name", "x")
			dr.Set("name", "<known>")
			dr.Add("tags", "new")
			dr.Remove("tags", "old")
			dr.Remove("tags", "new")
			dr.Inc("points", 5)
			dr.Inc("points", -1)
		})
		return nil
	})
	require.NoError(t, err)

	m := p.last()
	require.Equal(t, id, m.ID)
	require.Len(t, m.Edits, 3)
	require.JSONEq(t, `{"name":"兴旺","tags":["a","b"],"points":2}`, string(m.Edits[0].Set.AppendJSON(nil)))
	require.Equal(t, visit, m.Edits[1].ID)
	require.Empty(t, m.Edits[2].Add)
	require.JSONEq(t, `{"tags":["old","new"]}`, string(m.Edits[2].Remove.AppendJSON(nil)))
	view, ok := p.Get(known)
	require.True(t, ok)
	require.Equal(t, "<known>", view.Text("name"))
	require.Equal(t, int64(5), view.Number("points"))
	require.Empty(t, view.Texts("tags"))
	require.Len(t, p.List("account"), 2)
}

func TestMutate_afterTiesWhatReplacesAPendingValue(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme")))
	p.set(acme, "name", "A")
	first := p.last().ID
	p.set(acme, "remark", "unrelated")
	require.Empty(t, p.last().After)

	p.set(acme, "name", "B")
	require.Len(t, p.last().After, 1)
	require.JSONEq(t, `"`+first.String()+`"`, string(p.last().After[0]), "by id, which no relabelling changes")

	p.push()
	p.set(acme, "name", "C")
	require.Empty(t, p.last().After, "what has its verdict is pending no more")
}

// Stamps only ever rise, and stand above everything that was pulled.
func TestStamp(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	var last version.Stamp
	typed := func() version.Stamp {
		p.create("account", nil)
		stamp := p.last().Stamp
		require.Positive(t, stamp.Compare(last))
		last = stamp
		return stamp
	}
	require.Equal(t, version.StampAt(noon), typed())
	require.Equal(t, noon.UnixMilli(), typed().MS, "within one millisecond it counts")
	p.clock.Add(-3600_000)
	typed()

	high := page("c1")
	high.High = version.Stamp{MS: noon.UnixMilli() + 5000, C: 3}
	p.give(s, high)
	require.Equal(t, version.Stamp{MS: noon.UnixMilli() + 5000, C: 4}, typed())

	slow := page("c2")
	slow.ServerTime = noon.Add(90 * 60_000_000_000)
	p.give(s, slow)
	require.Equal(t, noon.UnixMilli()+90*60_000, typed().MS, "by the server's clock")
	p.reopen()
	typed()
}
