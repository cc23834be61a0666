package sync_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
)

// changes is an edit of one record to be filled in, typed and sent.
func (p *phone) changes(id record.ID, fill func(*record.Edit)) record.Outcome {
	p.w.t.Helper()
	e := p.change(id)
	fill(&e)
	p.typed(e)
	return p.push()[0]
}

// Deltas of a counter add up whatever anybody had seen; one that would take it
// below its floor is refused and never cut down.
func TestPolicy_counter(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	by := func(p *phone, n any) record.Outcome {
		return p.changes(shop, func(e *record.Edit) { e.Inc = values("points", n) })
	}

	require.Equal(t, record.Applied, by(lin, 5).Result)
	require.Equal(t, record.Applied, by(chen, 7).Result)
	below := by(lin, -13)
	require.Equal(t, record.Applied, by(chen, -12).Result)
	set := lin.changes(shop, func(e *record.Edit) { e.Set = values("points", 3) })
	half := by(lin, 1.5)
	huge := by(lin, 1<<53)
	lin.pull()

	require.Equal(t, "0", lin.raw(shop, "points"))
	require.Equal(t, "floor", refusalCode(below))
	require.Equal(t, errs.Clash, below.Refusal.Kind)
	require.JSONEq(t, `{"points":12}`, string(below.Records[0].Set), "he is shown what there is")
	require.Equal(t, "counter_set", refusalCode(set))
	require.Equal(t, "type", refusalCode(half))
	require.Equal(t, "type", refusalCode(huge))
}

// A create that sets a counter and a set is an increment and adds, so that two
// who make the same record add up.
func TestPolicy_createOfTheSameRecord(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	shop := w.id()
	create := func(p *phone, name, tag string, points int) record.Outcome {
		p.typed(record.Edit{Op: record.OpCreate, Kind: "account", ID: shop, Set: values(
			"name", name, "tags", []string{tag}, "points", points, "owner", w.person(w.org, "lin"))})
		return p.push()[0]
	}

	first, second := create(lin, "甲", "a", 2), create(chen, "乙", "b", 3)
	lin.pull()

	require.Equal(t, record.Applied, first.Result)
	require.Equal(t, record.Merged, second.Result, "an edit that has seen nothing")
	require.Equal(t, "5", lin.raw(shop, "points"))
	require.JSONEq(t, `["a","b"]`, lin.raw(shop, "tags"))
}

// The first value that the log accepted stays, against others and against its
// own author, seen or not; he is told, and the rest of his edit applies.
func TestPolicy_onceIsNeverOverwritten(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	plan := lin.create("visit_plan", values("account", shop, "date", "2026-11-23"))
	lin.sync()
	chen.pull()
	reason := func(p *phone, why string) record.Outcome {
		return p.changes(plan, func(e *record.Edit) { e.Set = values("reason", why, "order", len(why)) })
	}

	first := reason(lin, "task")
	other := reason(chen, "cycle")
	lin.pull()
	own := reason(lin, "complaint")
	same := reason(lin, "task")
	lin.pull()

	require.Equal(t, record.Applied, first.Result)
	for _, o := range []record.Outcome{other, own} {
		require.Equal(t, record.Merged, o.Result)
		require.Equal(t, "reason", o.Clashes[0].Field)
		require.JSONEq(t, `"task"`, string(o.Clashes[0].Kept))
	}
	require.Equal(t, record.Applied, same.Result, "who says the same has no quarrel")
	require.Equal(t, "task", lin.text(plan, "reason"))
	require.Equal(t, "4", lin.raw(plan, "order"))
}

// The larger value stays, the smaller of one that keeps the smallest, whether
// or not its author had seen the other.
func TestPolicy_extremesMergeByValue(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	task := lin.create("task", values("title", "报价", "account", shop))
	lin.sync()
	chen.pull()
	at := func(day int) string { return fmt.Sprintf("2026-11-%02dT08:00:00Z", day) }
	set := func(p *phone, id record.ID, field string, day int) record.Outcome {
		return p.changes(id, func(e *record.Edit) { e.Set = values(field, at(day)) })
	}

	set(lin, shop, "last_contact_at", 10)
	set(chen, shop, "last_contact_at", 12)
	lin.pull()
	lower := set(lin, shop, "last_contact_at", 11)
	set(lin, task, "done_at", 10)
	set(chen, task, "done_at", 9)
	lin.pull()
	higher := set(lin, task, "done_at", 10)
	lin.pull()

	require.Equal(t, at(12), lin.text(shop, "last_contact_at"))
	require.Equal(t, at(9), lin.text(task, "done_at"))
	for _, o := range []record.Outcome{lower, higher} {
		require.Equal(t, record.Merged, o.Result, "he is told that it was not taken")
	}
}

// An add makes a new dot even if the element is there, so that somebody who
// removes it at the same time does not take it away.
func TestPolicy_addOfWhatIsThere(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	tags := func(p *phone, add, remove any) record.Outcome {
		return p.changes(shop, func(e *record.Edit) {
			if add != nil {
				e.Add = values("tags", add)
			}
			if remove != nil {
				e.Remove = values("tags", remove)
			}
		})
	}
	tags(lin, []string{"冷链", "老客户"}, nil)
	lin.pull()
	chen.pull()

	tags(lin, []string{"冷链"}, nil)
	out := tags(chen, nil, []string{"冷链", "老客户", "没有过"})
	lin.pull()

	require.Equal(t, record.Merged, out.Result, "one of them stays, and he is told")
	require.JSONEq(t, `["冷链"]`, lin.raw(shop, "tags"))
}

// An address and its point merge as one, and a member that an edit does not
// name goes back to what its author had on his screen, his own that lost
// included: nobody ever gets an address with somebody else's point.
func TestPolicy_groupKeepsAPairThatSomebodySaw(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	point := func(lat float64) map[string]any { return map[string]any{"lat": lat, "lng": 120, "crs": "wgs84"} }
	lin.edit(shop, values("address", "旧址", "location", point(1)))
	lin.sync()
	chen.pull()

	chen.edit(shop, values("location", point(2)))
	chen.push()
	lin.edit(shop, values("address", "林的地址"))
	w.pass(time.Minute)
	lin.edit(shop, values("location", point(3)))
	first, second := lin.outbox[0], lin.outbox[1]
	first.Stamp.MS -= 60 * 60 * 1000 // it loses, and is on his screen all the same
	lin.outbox[0] = first
	require.Equal(t, first.Edits[0].Seen, second.Edits[0].Seen, "fields of one group show one thing")
	out := lin.push()
	chen.pull()

	require.Equal(t, record.Merged, out[0].Result)
	require.Equal(t, record.Merged, out[1].Result)
	require.Equal(t, "林的地址", chen.text(shop, "address"))
	require.JSONEq(t, `{"lat":3,"lng":120,"crs":"wgs84"}`, chen.raw(shop, "location"))
}

// Each key of a map is a field of its own.
func TestPolicy_mapKeys(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	set := func(p *phone, key, value string) record.Outcome {
		return p.changes(shop, func(e *record.Edit) { e.Set = values(key, value) })
	}

	require.Equal(t, record.Applied, set(lin, "external_ids.erp", "L1").Result)
	require.Equal(t, record.Applied, set(chen, "external_ids.crm", "C1").Result)
	clash := set(chen, "external_ids.erp", "C2")
	whole := set(lin, "external_ids", "x")
	own := set(lin, "match_keys.x", "y")
	lin.pull()
	chen.pull()

	require.Equal(t, "external_ids.erp", clash.Clashes[0].Field)
	require.Equal(t, "unknown_field", refusalCode(whole), "a map is set key by key")
	require.Equal(t, "server_field", refusalCode(own))
	require.Equal(t, "C1", lin.text(shop, "external_ids.crm"))
	require.Equal(t, lin.text(shop, "external_ids.erp"), chen.text(shop, "external_ids.erp"))
}

// `over` names, record by record, the writes that the author had seen: what a
// restored server needs to judge the same again.
func TestPush_over(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	chen.edit(shop, values("grade", "A"))
	chen.sync()
	lin.pull()
	chen.edit(shop, values("grade", "B")) // lin has not seen this one
	chen.push()
	lin.edit(shop, values("short_name", "林"))

	out := lin.push()

	require.NotContains(t, out[0].Over[shop], lin.replica, "his own go without saying")
	require.NotContains(t, out[0].Over[shop], chen.replica, "a replica's last write stands for all, and he had not seen that")

	lin.pull()
	lin.edit(shop, values("short_name", "林二"))
	out = lin.push()
	require.Equal(t, uint64(2), out[0].Over[shop][chen.replica])
}

// A repeat tells values under the rights of today: who has lost a record is
// told no more of it than which fields clashed.
func TestPush_repeatAfterARevoke(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.edit(shop, values("short_name", "林"))
	chen.edit(shop, values("short_name", "陈的秘密"))
	chen.push()
	body := lin.bytes(1)
	lin.push()
	w.propose(w.org, record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Set: values("owner", w.person(w.org, "gao"))})

	again, err := lin.send(body)

	require.NoError(t, err)
	require.Len(t, again[0].Clashes, 1)
	require.JSONEq(t, `"林"`, string(again[0].Clashes[0].Lost), "what he typed is his")
	require.NotContains(t, string(js(again)), "秘密")
	require.True(t, record.IsNull(again[0].Clashes[0].Kept))
}
