package sync_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync"
)

// clashed is a shop of which lin and chen have changed one field at once, both
// know the outcome, and a person is asked.
func clashed(t *testing.T, w *world, field string, was, mine, theirs any) (lin, chen *phone, shop, asked record.ID) {
	t.Helper()
	lin, chen, shop = twoOn(w)
	if was != nil {
		lin.edit(shop, values(field, was))
		lin.sync()
		chen.pull()
	}
	lin.edit(shop, values(field, mine))
	chen.edit(shop, values(field, theirs))
	lin.push()
	w.pass(time.Second)
	out := chen.push()[0]
	require.NotEmpty(t, out.Clashes, "%+v", out)
	require.NotNil(t, out.Clashes[0].Conflict, "a person is asked")
	lin.pull()
	chen.pull()
	return lin, chen, shop, *out.Clashes[0].Conflict
}

// decide is what an app sends when somebody decides in the inbox: the field as
// he wants it, and the conflict as resolved, as one mutation.
func (p *phone) decide(asked, rec record.ID, field string, value any) record.ID {
	edits := p.edits(rec, values(field, value))
	e := p.change(asked)
	e.Kind, e.Set = "conflict", values("state", "resolved", "chosen", value)
	return p.typed(append(edits, e)...)
}

// A conflict has what stood before, and of each version who wrote it, on which
// device and when.
func TestInbox_saysWhoAndWhen(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, _, asked := clashed(t, w, "name", "兴旺", "兴旺超市", "兴旺百货")

	require.Equal(t, "兴旺", lin.text(asked, "base"))
	var rows []struct{ Value, Author, Device, At, Dot string }
	require.NoError(t, json.Unmarshal([]byte(lin.raw(asked, "values")), &rows))
	require.Len(t, rows, 2)
	by := map[string]string{}
	for _, r := range rows {
		by[r.Value] = r.Author + r.Device
		require.NotEmpty(t, r.At)
		require.NotEmpty(t, r.Dot)
	}
	require.Equal(t, lin.who.Person.String()+lin.who.Device.String(), by[`"兴旺超市"`])
	require.Equal(t, chen.who.Person.String()+chen.who.Device.String(), by[`"兴旺百货"`])
}

// Whoever writes the field and knows both has decided, whatever its policy;
// who knows only one of them, or none, has not.
func TestInbox_aKnowingEditCloses(t *testing.T) {
	t.Parallel()

	row := func(id byte, sku string, qty int) map[string]any {
		return map[string]any{"id": "0190cccc-0000-7000-8000-00000000000" + string(id), "sku": sku, "qty": qty}
	}
	tests := []struct {
		name, field       string
		was, mine, theirs any
		other             any // what somebody writes who knows nothing of it
		last              any
	}{
		{"later wins", "name", "兴旺", "兴旺超市", "兴旺百货", "新旺", "兴旺便利"},
		{"a text", "remark", "早上来", "下午来", "晚上来", "中午来", "下午或晚上来"},
		{"people decide", "terms", "30天", "60天", "90天", "现结", "45天"},
		{
			"a list", "goods",
			[]any{row('1', "米", 1), row('2', "面", 1)},
			[]any{row('1', "米", 2), row('2', "面", 1)},
			[]any{row('2', "面", 1)},
			[]any{row('1', "油", 7), row('2', "面", 1)},
			[]any{row('1', "米", 2)},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := termed(t)
			zhou := w.phone("zhou")
			lin, chen, shop, asked := clashed(t, w, tt.field, tt.was, tt.mine, tt.theirs)
			lin.changes(shop, func(e *record.Edit) { e.Add = values("collaborators", []any{zhou.who.Person}) })

			stranger := record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Set: values(tt.field, tt.other)}
			if tt.field != "terms" { // there one more version asks anew, and lists all
				zhou.sync()
				zhou.typed(stranger)
				require.NotEqual(t, record.Refused, zhou.push()[0].Result)
				lin.pull()
				require.Equal(t, "open", lin.text(asked, "state"), "nobody who knew of it has decided")
			}
			lin.edit(shop, values(tt.field, tt.last))
			require.NotEqual(t, record.Refused, lin.push()[0].Result)
			lin.pull()
			chen.pull()

			for _, p := range []*phone{lin, chen} {
				require.Equal(t, "resolved", p.text(asked, "state"))
				require.Equal(t, lin.who.Person.String(), p.text(asked, "resolver"))
				require.NotEmpty(t, p.text(asked, "decided_at"))
				for id, h := range p.base {
					require.False(t, h.kind == "conflict" && h.set["state"] == `"open"`, "%s is still asked", id)
				}
			}
		})
	}
}

// termed is a world whose customers have terms, which people decide, and goods.
func termed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	body, err := w.schema.Stored()
	require.NoError(t, err)
	next, err := record.ParseSchema(body)
	require.NoError(t, err)
	next.Version = "2"
	k := next.Kind("account")
	k.Fields = append(k.Fields, &record.Field{Name: "terms", Type: "text", Policy: record.Manual}, &record.Field{Name: "goods", Type: "rows", Policy: record.List})
	require.NoError(t, next.Check())
	require.NoError(t, w.engine.Publish(t.Context(), w.org, next))
	w.schema = next
	return w
}

// Who knows a part of a conflict and meets the rest asks the same anew: one
// question, however often somebody typed before he heard of it.
func TestInbox_oneQuestion(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	for _, name := range []string{"一", "二", "三"} {
		lin.edit(shop, values("name", name))
	}
	chen.edit(shop, values("name", "四"))
	chen.push()
	w.pass(time.Second)
	lin.push()
	lin.pull()

	open := 0
	for _, h := range lin.base {
		if h.kind == "conflict" && h.set["state"] == `"open"` {
			open++
			require.Contains(t, h.set["values"], "四")
		}
	}
	require.Equal(t, 1, open)
}

// Two decide at the same time: whoever is first stands, whatever the stamps
// say. The other is told who decided and when, and finds what he chose in the
// history.
func TestInbox_twoDecideAtOnce(t *testing.T) {
	t.Parallel()

	for _, linFirst := range []bool{true, false} {
		w := newWorld(t)
		lin, chen, shop, asked := clashed(t, w, "name", "兴旺", "兴旺超市", "兴旺百货")
		first, second := lin, chen
		if !linFirst {
			first, second = chen, lin
		}
		second.skew = time.Minute // his clock says that he is later
		first.decide(asked, shop, "name", "甲")
		second.decide(asked, shop, "name", "乙")

		require.Equal(t, record.Applied, first.push()[0].Result)
		frame := second.bytes(1)
		late := second.push()[0]
		again, err := second.send(frame)
		require.NoError(t, err)
		lin.pull()
		chen.pull()

		require.Equal(t, record.Merged, late.Result)
		for _, o := range []record.Outcome{late, again[0]} {
			require.Len(t, o.Clashes, 2, "of the field, and of the conflict")
			for _, c := range o.Clashes {
				require.Equal(t, "decided", c.Code)
				require.Equal(t, first.who.Person, c.By)
				require.NotEmpty(t, c.At)
				require.JSONEq(t, `"甲"`, string(c.Kept))
				require.JSONEq(t, `"乙"`, string(c.Lost))
				require.Equal(t, asked, *c.Conflict)
			}
		}
		for _, p := range []*phone{lin, chen} {
			require.Equal(t, "甲", p.text(shop, "name"))
			require.Equal(t, "甲", p.text(asked, "chosen"))
			require.Equal(t, first.who.Person.String(), p.text(asked, "resolver"))
			for id, h := range p.base {
				require.False(t, h.kind == "conflict" && h.set["state"] == `"open"`, "%s is asked", id)
			}
		}
		var body string
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT body FROM mutations WHERE org = $1 AND id = $2`, w.org, [16]byte(late.ID)).Scan(&body))
		require.Contains(t, body, "乙", "what he chose is in the log")

		second.decide(asked, shop, "name", "丙") // he knows it now, and may change it
		require.Equal(t, record.Applied, second.push()[0].Result)
		first.pull()
		require.Equal(t, "丙", first.text(shop, "name"))
		require.Equal(t, second.who.Person.String(), first.text(asked, "resolver"))
	}
}

// Whether a record that one has deleted and another edited stays is decided
// once, too.
func TestInbox_aDeleteIsDecidedOnce(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.edit(shop, values("short_name", "旺"))
	lin.push()
	chen.remove(shop)
	out := chen.push()[0]
	asked := *out.Clashes[0].Conflict
	lin.pull()
	chen.pull()
	keep := lin.change(asked)
	keep.Set = values("state", "resolved", "chosen", "false")
	lin.typed(keep)
	gone := chen.change(asked)
	gone.Set = values("state", "resolved", "chosen", "true")
	chen.typed(record.Edit{Op: record.OpDelete, Kind: "account", ID: shop, Seen: chen.seenAll(shop)}, gone)

	require.Equal(t, record.Applied, lin.push()[0].Result)
	late := chen.push()[0]
	chen.pull()

	require.Equal(t, record.Merged, late.Result)
	require.Equal(t, "decided", late.Clashes[0].Code)
	require.True(t, chen.has(shop), "it was decided to keep it")

	chen.remove(shop)
	require.Equal(t, record.Applied, chen.push()[0].Result, "he knows it now")
}

// What is deleted by somebody who had seen all of it asks nothing any more.
func TestInbox_aDeleteCloses(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop, asked := clashed(t, w, "name", nil, "甲", "乙")

	lin.remove(shop)
	require.Equal(t, record.Applied, lin.push()[0].Result)
	lin.pull()

	require.False(t, lin.has(shop))
	require.Equal(t, "expired", lin.text(asked, "state"))
}

// A conflict may be handed to whoever may see what it is about, and goes with
// the record to a new owner.
func TestInbox_delegate(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop, asked := clashed(t, w, "name", nil, "甲", "乙")
	give := func(p *phone, login string) record.Outcome {
		return p.changes(asked, func(e *record.Edit) { e.Set = values("owner", w.person(w.org, login)) })
	}

	require.Equal(t, "delegate", refusalCode(give(lin, "zhou")), "zhou may not see the shop")
	require.Equal(t, "delegate", refusalCode(give(lin, "he")), "the service desk has no conflicts")
	require.Equal(t, "owner", refusalCode(lin.changes(asked, func(e *record.Edit) { e.Set = values("owner", w.id()) })))
	require.Equal(t, record.Applied, give(lin, "chen").Result)
	chen.pull()
	require.Equal(t, chen.who.Person.String(), chen.text(asked, "owner"))

	chen.edit(shop, values("owner", w.person(w.org, "zhou")))
	require.Equal(t, record.Applied, chen.push()[0].Result)
	chen.pull()
	require.Equal(t, w.person(w.org, "zhou").String(), chen.text(asked, "owner"))
}

// A conflict that nobody decides in time is closed by the server, and what
// stands goes on standing; who decides later is heard all the same.
func TestInbox_expires(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop, asked := clashed(t, w, "name", nil, "甲", "乙")
	lin.decide(asked, shop, "name", "甲") // in the lift, and the phone is then lost for a while
	made, err := time.Parse(time.RFC3339, lin.text(asked, "created_at"))
	require.NoError(t, err)

	w.pass(made.Add(sync.DecideWithin).Sub(w.now()) - time.Millisecond)
	closed, err := w.engine.ExpireConflicts(t.Context(), w.org)
	require.NoError(t, err)
	require.Zero(t, closed)
	w.pass(time.Millisecond)
	closed, err = w.engine.ExpireConflicts(t.Context(), w.org)
	require.NoError(t, err)
	require.Equal(t, 1, closed)
	chen.pull()
	require.Equal(t, "expired", chen.text(asked, "state"))
	require.NotEmpty(t, chen.text(asked, "decided_at"))
	require.Empty(t, chen.text(asked, "resolver"))
	require.Equal(t, "乙", chen.text(shop, "name"))
	closed, err = w.engine.ExpireConflicts(t.Context(), w.org)
	require.NoError(t, err)
	require.Zero(t, closed)

	require.Equal(t, record.Applied, lin.push()[0].Result)
	chen.pull()
	require.Equal(t, "甲", chen.text(shop, "name"))
	require.Equal(t, "resolved", chen.text(asked, "state"))
}
