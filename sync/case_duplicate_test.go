package sync_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// shopValues is the same customer as two people type it.
func shopValues(i int) record.Values {
	return []record.Values{
		values("name", "兴旺超市", "phones", []string{"13800138000"}, "tags", []string{"冷链"}, "points", 3),
		values("name", "兴旺超市有限公司", "phones", []string{"+8613800138000", "02162345678"}, "tags", []string{"重点"}, "points", 4, "remark", "周一送货"),
	}[i]
}

// O-05. Two people create the same customer offline with a visit each. In both
// orders of arrival there is one customer with two visits on every device, a
// write to the other that comes weeks later arrives at the one that is left.
func TestDuplicate_twoCreatesAreOne(t *testing.T) {
	t.Parallel()

	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		w := newWorld(t)
		phones := []*phone{w.phone("lin"), w.phone("gao")}
		var shops, visits [2]record.ID
		for i, p := range phones {
			p.pull()
			shops[i] = p.create("account", shopValues(i))
			visits[i] = p.create("visit", values("account", shops[i], "summary", []string{"一", "二"}[i]))
			w.pass(time.Minute)
		}
		late := phones[order[1]]

		for _, i := range order {
			phones[i].push()
		}
		w.settles()
		phones[0].sync()
		phones[1].sync()
		phones[0].pull()

		survivor, dead := shops[0], shops[1]
		if bytes.Compare(dead[:], survivor[:]) < 0 {
			survivor, dead = dead, survivor
		}
		for i, p := range phones {
			require.Nil(t, p.base[dead], "phone %d: %v", i, order)
			require.NotNil(t, p.base[survivor], "phone %d: %v", i, order)
			for _, v := range visits {
				require.Equal(t, survivor.String(), p.text(v, "account"), "phone %d: %v", i, order)
			}
			require.JSONEq(t, `["冷链","重点"]`, p.base[survivor].set["tags"])
			require.JSONEq(t, `7`, p.base[survivor].set["points"])
			require.Equal(t, "周一送货", p.text(survivor, "remark"))
			redirect := p.base[dead.Derive("merge_redirect")]
			require.NotNil(t, redirect, "both are told where it goes on")
			require.JSONEq(t, `"`+survivor.String()+`"`, redirect.set["survivor"])
		}
		require.Len(t, phones[1].base[survivor].set["collaborators"], len(`["`)+36+len(`"]`), "gao works with lin from now on")
		var told bool
		for _, out := range late.outs {
			for _, c := range out.Clashes {
				told = told || c.Code == "duplicate" && string(c.Kept) == `"`+survivor.String()+`"`
			}
		}
		require.True(t, told, "and who came second, by the verdict")

		w.pass(21 * 24 * time.Hour)
		phones[1].typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: dead, Set: values("short_name", "旺")})
		phones[1].typed(record.Edit{Op: record.OpCreate, Kind: "contact", ID: w.id(), Set: values("account", dead, "name", "老板")})
		for _, out := range phones[1].push() {
			require.Equal(t, record.Applied, out.Result, "%+v", out.Refusal)
		}
		phones[0].pull()
		require.Equal(t, "旺", phones[0].text(survivor, "short_name"))
		require.Empty(t, w.inspect(false), "and all that is derived is right")
	}
}

// hung is what hangs on a customer, of every kind that can.
func (p *phone) hung(shop record.ID) (all []record.ID) {
	deal := p.create("opportunity", values("account", shop, "name", "冰柜"))
	return append(all,
		p.create("contact", values("account", shop, "name", "王")), deal,
		p.create("visit", values("account", shop, "summary", "好")), p.create("visit_plan", values("account", shop, "date", "2026-11-30")),
		p.create("follow_up", values("account", shop, "opportunity", deal, "content", "电话")), p.create("task", values("account", shop, "title", "送样")),
	)
}

// A merge takes along whatever hangs on either customer, an undone one gives it
// back with what was typed since for the one that had gone; and the two are not
// found to be one again.
func TestDuplicate_undo(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	chen := w.phone("chen")
	phones := []*phone{w.phone("lin"), w.phone("zhou")}
	var shops, groups [2]record.ID
	var hung [2][]record.ID
	for i, p := range phones {
		p.pull()
		shops[i] = p.create("account", shopValues(i))
		groups[i] = p.create("account", values("name", []string{"东店", "西店"}[i], "parent", shops[i]))
		hung[i] = p.hung(shops[i])
		w.pass(time.Minute)
	}
	at, other := 0, 1 // the one that survives
	if bytes.Compare(shops[1][:], shops[0][:]) < 0 {
		at, other = 1, 0
	}
	survivor, dead := shops[at], shops[other]
	phones[0].push()
	phones[1].push()
	w.settles()
	all := slices.Concat(hung[0], hung[1])
	for _, p := range append(phones, chen) {
		p.pull()
		for _, id := range all {
			require.Equal(t, survivor.String(), p.text(id, "account"), p.kind(id))
		}
		require.False(t, p.has(dead))
	}
	require.Equal(t, survivor.String(), chen.text(groups[other], "parent"), "its branch is now the survivor's")
	require.Empty(t, w.inspect(false))

	late := w.id() // for the one that has gone, and one for the survivor
	phones[other].typed(record.Edit{Op: record.OpCreate, Kind: "visit", ID: late, Set: values("account", dead, "summary", "晚")})
	fresh := phones[other].create("visit", values("account", survivor, "summary", "新"))
	phones[other].edit(survivor, values("short_name", "旺"))
	phones[other].sync()
	require.Equal(t, survivor.String(), phones[other].text(late, "account"))
	undo := phones[other].edit(dead.Derive("merge_redirect"), values("state", "split"))
	phones[other].sync()
	require.Equal(t, record.Applied, phones[other].outs[undo].Result, "%+v", phones[other].outs[undo].Refusal)
	w.settles()

	for _, p := range append(phones, chen) {
		p.pull()
	}
	for i, p := range phones {
		require.True(t, chen.has(shops[i]), "both are there again")
		for _, id := range hung[i] {
			require.Equal(t, shops[i].String(), chen.text(id, "account"), chen.kind(id))
			require.Equal(t, shops[i].String(), p.text(id, "account"), p.kind(id))
		}
		require.Equal(t, shops[i].String(), chen.text(groups[i], "parent"))
		require.JSONEq(t, string(shopValues(i).Get("points")), chen.base[shops[i]].set["points"])
		require.JSONEq(t, string(shopValues(i).Get("tags")), chen.base[shops[i]].set["tags"])
		require.Equal(t, shopValues(i).Text("remark"), chen.text(shops[i], "remark"))
		require.Equal(t, shopValues(i).Text("name"), chen.text(shops[i], "name"))
	}
	require.Equal(t, dead.String(), chen.text(late, "account"))
	require.Equal(t, survivor.String(), chen.text(fresh, "account"))
	require.Equal(t, "旺", chen.text(survivor, "short_name"), "what was typed since stays")
	require.False(t, phones[other].has(survivor), "zhou works on his own again: %v", other)
	require.Empty(t, w.inspect(false))

	chen.typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: dead, Seen: chen.seen(dead), Add: values("phones", []string{"13800138000", "13800138001"})})
	chen.sync()
	require.True(t, chen.has(dead) && chen.has(survivor), "they are not one again")
	again := chen.edit(apartOf(survivor, dead), values("state", "merged"))
	chen.sync()
	w.settles()
	chen.pull()
	require.Equal(t, record.Merged, chen.outs[again].Result, "%+v", chen.outs[again].Refusal)
	require.False(t, chen.has(dead), "unless somebody above both says so")
	require.Equal(t, survivor.String(), chen.text(late, "account"))
	require.Empty(t, w.inspect(false))
}

// apartOf is the record that says what was decided of two.
func apartOf(a, b record.ID) record.ID {
	if bytes.Compare(b[:], a[:]) < 0 {
		a, b = b, a
	}
	return a.Derive("duplicate " + b.String())
}

// What is not certain is for people: both sides see that the two may be one, and
// no more of the other's than a hint. Whoever has a say in one may say that they
// are not; to make them one takes a say in both.
func TestDuplicate_suggested(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, gao, chen := w.phone("lin"), w.phone("gao"), w.phone("chen")
	zhou := w.phone("zhou")
	mine := lin.create("account", values("name", "兴旺超市", "phones", []string{"13800138000"}))
	lin.push()
	theirs := gao.create("account", values("name", "福来小吃店", "phones", []string{"138 0013 8000"}))
	gao.sync()
	lin.pull()

	note := apartOf(mine, theirs)
	for _, p := range []*phone{lin, gao} {
		require.True(t, p.has(note), "both see it")
		require.Equal(t, "open", p.text(note, "state"))
		require.Equal(t, "phones", p.text(note, "reason"))
		require.Contains(t, p.text(note, "hint"), "兴***市")
		require.NotContains(t, p.text(note, "hint"), "旺超", "and no more than a hint")
	}
	require.False(t, lin.has(theirs) || gao.has(mine), "neither sees the other's")

	no := lin.edit(note, values("state", "merged"))
	lin.sync()
	require.Equal(t, "denied", lin.outs[no].Refusal.Code, "nobody lets himself in")
	yes := gao.edit(note, values("state", "dismissed"))
	gao.sync()
	require.Equal(t, record.Applied, gao.outs[yes].Result)
	gao.typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: theirs, Seen: gao.seen(theirs), Set: values("name", "兴旺超市")})
	gao.sync()
	require.True(t, gao.has(theirs) && gao.text(note, "state") == "dismissed", "now they would be certain, and somebody has said that they are not one")

	ours := zhou.create("account", values("name", "大润发", "phones", []string{"13900139000"}))
	zhou.push()
	also := lin.create("account", values("name", "大润发超市", "phones", []string{"139 0013 9000"}))
	lin.sync()
	chen.pull()
	require.Equal(t, "open", chen.text(apartOf(ours, also), "state"))
	chen.edit(apartOf(ours, also), values("state", "merged"))
	chen.sync()
	w.settles()
	chen.pull()
	require.NotEqual(t, chen.has(ours), chen.has(also), "a manager of both makes them one")
	require.Empty(t, w.inspect(false))
}

// A number that everybody has makes no more work than some.
func TestDuplicate_suggestsFew(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	for range 6 {
		lin.create("account", values("name", "连锁便利店 "+w.id().String(), "phones", []string{"4008208820"}))
	}
	lin.sync()

	require.Equal(t, 1+2+3*3, lin.count("duplicate"))
}

// After a restore everything comes back in another order. Nobody is there twice,
// who was merged away does not rise, and what was said to be two stays two.
func TestDuplicate_rewound(t *testing.T) {
	t.Parallel()

	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		w := newWorld(t)
		b := w.backup()
		phones := []*phone{w.phone("lin"), w.phone("zhou")}
		var all [2][]record.Mutation
		var shops [2]record.ID
		for i, p := range phones {
			p.pull()
			shops[i] = p.create("account", shopValues(i))
			p.create("visit", values("account", shops[i], "summary", "好"))
			all[i] = append(all[i], p.outbox...)
		}
		phones[0].sync()
		phones[1].sync()
		phones[0].pull()
		survivor, dead := shops[0], shops[1]
		if bytes.Compare(dead[:], survivor[:]) < 0 {
			survivor, dead = dead, survivor
		}
		phones[0].typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: dead, Inc: values("points", 5)})
		all[0] = append(all[0], phones[0].outbox...)
		phones[0].sync()
		epoch := phones[0].epoch

		w.rewind(b)
		for _, i := range order {
			for range 2 { // and once more, because the answer was lost
				for _, out := range phones[i].give(phones[i].journal(all[i], epoch, 1)) {
					require.NotEqual(t, record.Refused, out.Result, "%+v", out.Refusal)
				}
			}
		}
		w.settles()

		for _, p := range phones {
			p.restart()
			p.pull()
			require.True(t, p.has(survivor), order)
			require.False(t, p.has(dead), order)
			require.Equal(t, 2, p.count("visit"))
			require.JSONEq(t, `12`, p.base[survivor].set["points"], "each is counted once")
		}
		require.Empty(t, w.inspect(false))
	}
}
