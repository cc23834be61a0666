package sync_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
)

// pot is a budget with so much in it, and pad a series of numbers.
func (w *world) pot(amount int) record.ID {
	id := w.id()
	w.propose(w.org, record.Edit{Op: record.OpCreate, Kind: "budget", ID: id, Set: values("name", "十一月", "discount", amount, "owner", person(w.org, "admin"))})
	return id
}

func (w *world) pad() record.ID {
	id := w.id()
	w.propose(w.org, record.Edit{Op: record.OpCreate, Kind: "series", ID: id, Set: values("name", "报价单", "prefix", "Q-", "owner", person(w.org, "admin"))})
	return id
}

// reserves asks for a share of a counter.
func (p *phone) reserves(counter record.ID, field string, amount any, serial int64) (id, mutation record.ID) {
	id = record.ReserveID(counter, field, p.who.Device, serial)
	return id, p.typed(record.Edit{Op: record.OpCreate, Kind: "reserve", ID: id, Set: values("record", counter, "field", field, "amount", amount, "serial", serial)})
}

func (p *phone) spends(reserve record.ID, by int) record.ID {
	e := p.change(reserve)
	e.Inc = values("left", -by)
	return p.typed(e)
}

func (p *phone) uses(reserve record.ID, n int) record.ID {
	e := p.change(reserve)
	e.Add = values("used", []int{n})
	return p.typed(e)
}

// Each thing that must not be done with a reserve is refused by itself, and
// nothing of it moves the counter.
func TestReserve_refusals(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	budget, series := w.pot(50), w.pad()
	lin, zhou, chen, admin := w.phone("lin"), w.phone("zhou"), w.phone("chen"), w.phone("admin")
	for _, p := range []*phone{lin, zhou, chen, admin} {
		p.pull()
	}
	mine, _ := lin.reserves(budget, "discount", 40, 1)
	pad, _ := lin.reserves(series, "issued", 3, 1)
	lin.sync()
	require.Equal(t, "10", lin.raw(budget, "discount"))
	require.Equal(t, "40", lin.raw(mine, "left"))
	require.Equal(t, `"Q-"`, lin.raw(pad, "prefix"))
	require.Equal(t, "1", lin.raw(pad, "first"))
	chen.pull()
	admin.pull()

	edit := func(p *phone, fill func(*record.Edit)) func() record.ID {
		return func() record.ID {
			e := p.change(mine)
			fill(&e)
			return p.typed(e)
		}
	}
	take := func(p *phone, counter record.ID, field string, amount any, serial int64) func() record.ID {
		return func() record.ID {
			_, m := p.reserves(counter, field, amount, serial)
			return m
		}
	}
	for _, tt := range []struct {
		name string
		p    *phone
		do   func() record.ID
		code string
	}{
		{"more than there is", zhou, take(zhou, budget, "discount", 11, 1), "floor"},
		{"nothing", zhou, take(zhou, budget, "discount", 0, 1), "reserve_amount"},
		{"a debt", zhou, take(zhou, budget, "discount", -5, 1), "reserve_amount"},
		{"more than a reserve holds", zhou, take(zhou, budget, "discount", 1001, 1), "reserve_amount"},
		{"a part", zhou, take(zhou, budget, "discount", 1.5, 1), "reserve_amount"},
		{"of a field that is no counter", zhou, take(zhou, budget, "name", 1, 1), "reserve"},
		{"of a field that is not there", zhou, take(zhou, budget, "no", 1, 1), "reserve"},
		{"of a record that is not there", zhou, take(zhou, w.id(), "discount", 1, 1), "parent"},
		{"a second one without a first", zhou, take(zhou, budget, "discount", 1, 2), "reserve"},
		{"a second one beside the first", lin, take(lin, budget, "discount", 1, 2), "reserve_open"},
		{"the same once more", lin, take(lin, budget, "discount", 40, 1), "reserve"},
		{"another's id", zhou, func() record.ID {
			return zhou.typed(record.Edit{Op: record.OpCreate, Kind: "reserve", ID: w.id(), Set: values("record", budget, "field", "discount", "amount", 1, "serial", 1)})
		}, "reserve"},
		{"with what the server says", zhou, func() record.ID {
			id := record.ReserveID(budget, "discount", zhou.who.Device, 1)
			return zhou.typed(record.Edit{Op: record.OpCreate, Kind: "reserve", ID: id, Set: values("record", budget, "field", "discount", "amount", 1, "serial", 1, "left", 9)})
		}, "reserve"},
		{"what is not left", lin, func() record.ID { return lin.spends(mine, 41) }, "floor"},
		{"more, without asking", lin, func() record.ID { return lin.spends(mine, -5) }, "reserve"},
		{"his, by his manager", chen, edit(chen, func(e *record.Edit) { e.Inc = values("left", -1) }), "reserve_holder"},
		{"given back by somebody else", chen, edit(chen, func(e *record.Edit) { e.Set = values("closed", "returned") }), "reserve_holder"},
		{"taken back by himself", lin, edit(lin, func(e *record.Edit) { e.Set = values("closed", "reclaimed") }), "reserve_holder"},
		{"made larger", lin, edit(lin, func(e *record.Edit) { e.Set = values("amount", 50) }), "reserve"},
		{"deleted", admin, func() record.ID { return admin.remove(mine) }, "reserve"},
		{"its budget deleted", admin, func() record.ID { return admin.remove(budget) }, "children"},
		{"a number before the range", lin, func() record.ID { return lin.uses(pad, 0) }, "number"},
		{"a number behind it", lin, func() record.ID { return lin.uses(pad, 4) }, "number"},
		{"a number of it", lin, func() record.ID { return lin.uses(pad, 2) }, ""},
		{"a number that was used", lin, func() record.ID { return lin.uses(pad, 2) }, "number_taken"},
		{"a number of an amount", lin, func() record.ID { return lin.uses(mine, 1) }, "reserve"},
		{"numbers that come back", admin, func() record.ID {
			e := admin.change(series)
			e.Inc = values("issued", -1)
			return admin.typed(e)
		}, "floor"},
	} {
		m := tt.do()
		tt.p.push()
		require.Equal(t, tt.code, refusalCode(tt.p.outs[m]), tt.name)
	}
	lin.pull()
	require.Equal(t, "10", lin.raw(budget, "discount"))
	require.Equal(t, "40", lin.raw(mine, "left"))
}

// What is given back comes back, what is taken back from a lost phone too, and
// what that sends afterwards is refused and overspends nothing.
func TestReserve_backAndLost(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	budget, series := w.pot(100), w.pad()
	lin, zhou, chen := w.phone("lin"), w.phone("zhou"), w.phone("chen")
	for _, p := range []*phone{lin, zhou, chen} {
		p.pull()
	}
	mine, _ := lin.reserves(budget, "discount", 30, 1)
	pad, _ := lin.reserves(series, "issued", 5, 1)
	his, _ := zhou.reserves(budget, "discount", 20, 1)
	lin.sync()
	zhou.sync()
	lin.spends(mine, 12)
	for _, n := range []int{2, 3} {
		lin.uses(pad, n)
	}
	lin.edit(mine, values("closed", "returned"))
	lin.edit(pad, values("closed", "returned"))
	late := lin.spends(mine, 1)
	lin.sync()
	require.Equal(t, "reserve_closed", refusalCode(lin.outs[late]))
	require.Equal(t, "68", lin.raw(budget, "discount"), "100 − 30 − 20 + 18")
	require.Equal(t, "0", lin.raw(mine, "left"))
	require.Equal(t, "18", lin.raw(mine, "back"))
	require.Equal(t, "1 4-5", lin.text(pad, "gaps"))
	again, _ := lin.reserves(budget, "discount", 10, 2)
	next, _ := lin.reserves(series, "issued", 2, 2)
	lin.sync()
	require.Equal(t, "10", lin.raw(again, "left"))
	require.Equal(t, "6", lin.raw(next, "first"), "a number is given once")

	promised := zhou.spends(his, 15) // without a network
	chen.pull()
	chen.edit(his, values("closed", "reclaimed"))
	require.Equal(t, record.Applied, chen.push()[0].Result)
	zhou.sync()
	require.Equal(t, "reserve_closed", refusalCode(zhou.outs[promised]))
	require.Equal(t, "78", zhou.raw(budget, "discount"), "68 − 10 + 20")
}

// Whatever is reserved, spent, given back, taken back, repeated and copied in
// whatever order: what is spent, what is reserved and what is left are always
// what there was; no number is given twice; and what a device promises from its
// own reserve stands, unless it was copied or its reserve was taken back.
func TestReserve_laws(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	chen, admin := w.phone("chen"), w.phone("admin")
	rapid.Check(t, func(t *rapid.T) {
		phones := []*phone{w.phone("lin"), w.phone("zhou"), w.phone("gao")}
		h := &hoard{
			t: t, w: w, budget: w.pot(all), series: w.pad(), phones: phones, chen: chen, admin: admin,
			promised: map[record.ID]int{}, numbers: map[string]record.ID{}, lost: map[record.ID]bool{}, of: map[record.ID]record.ID{},
			serial: map[*phone]int64{}, padSerial: map[*phone]int64{},
		}
		for _, p := range phones {
			p.sync()
		}
		for range rapid.IntRange(4, 14).Draw(t, "steps") {
			h.step(rapid.SampledFrom(phones).Draw(t, "phone"))
		}
		for _, p := range phones {
			p.sync()
		}
		h.check()
	})
}

// all is what is in the pot.
const all = 100

// hoard follows what devices promise.
type hoard struct {
	t              *rapid.T
	w              *world
	phones         []*phone
	chen, admin    *phone
	budget, series record.ID
	promised       map[record.ID]int       // by mutation: what it spends
	numbers        map[string]record.ID    // by number: the mutation that used it
	lost           map[record.ID]bool      // reserves that were taken back
	of             map[record.ID]record.ID // by mutation: its reserve
	serial         map[*phone]int64
	padSerial      map[*phone]int64
}

func (h *hoard) open(p *phone, counter record.ID, field string, serial int64) (record.ID, bool) {
	id := record.ReserveID(counter, field, p.who.Device, serial)
	return id, serial > 0 && p.has(id) && p.raw(id, "closed") == ""
}

func (h *hoard) step(p *phone) {
	t, chen := h.t, h.chen
	mine, open := h.open(p, h.budget, "discount", h.serial[p])
	pad, padOpen := h.open(p, h.series, "issued", h.padSerial[p])
	switch rapid.SampledFrom([]string{"take", "take", "spend", "spend", "spend", "number", "pad", "back", "sync", "reclaim", "push"}).Draw(t, "does") {
	case "take":
		if !open {
			h.serial[p]++
			_, m := p.reserves(h.budget, "discount", rapid.IntRange(1, 60).Draw(t, "amount"), h.serial[p])
			p.sync()
			if p.outs[m].Result == record.Refused {
				h.serial[p]--
			}
		}
	case "pad":
		if !padOpen {
			h.padSerial[p]++
			p.reserves(h.series, "issued", 3, h.padSerial[p])
			p.sync()
		}
	case "spend":
		if left := h.left(p, mine); open && left > 0 {
			by := rapid.IntRange(1, left).Draw(t, "by")
			m := p.spends(mine, by)
			h.promised[m] = by
			h.of[m] = mine
		}
	case "number":
		if n, ok := h.nextNumber(p, pad); padOpen && ok {
			m := p.uses(pad, n)
			text := p.text(pad, "prefix") + fmt.Sprint(n)
			require.Empty(t, h.numbers[text], "a number was given twice: %s", text)
			h.numbers[text] = m
			h.of[m] = pad
		}
	case "back":
		if open {
			p.edit(mine, values("closed", "returned"))
			p.sync()
		}
	case "reclaim":
		chen.pull()
		if open && chen.has(mine) {
			chen.edit(mine, values("closed", "reclaimed"))
			chen.push()
			h.lost[mine] = true
		}
	case "push":
		p.push()
	case "sync":
		p.sync()
	}
}

// check compares what stands with what was promised: what is left in the pot, in
// reserves, and what was spent are what there was, and what was promised from a
// reserve that nobody took back stands.
func (h *hoard) check() {
	h.admin.pull()
	sum := 0
	amount := func(id record.ID, field string) int {
		n := 0
		_, _ = fmt.Sscan(h.admin.raw(id, field), &n)
		return n
	}
	for _, p := range h.phones {
		for serial := int64(1); serial <= h.serial[p]; serial++ {
			sum += amount(record.ReserveID(h.budget, "discount", p.who.Device, serial), "left")
		}
		for m, reserve := range h.of {
			if out, mine := p.outs[m]; mine {
				require.True(h.t, h.lost[reserve] || out.Result != record.Refused, "promised, and refused: %v", out.Refusal)
				if out.Result != record.Refused {
					sum += h.promised[m]
				}
			}
		}
	}
	require.Equal(h.t, all, sum+amount(h.budget, "discount"))
	require.GreaterOrEqual(h.t, amount(h.budget, "discount"), 0)
}

// left is what a phone believes to have: what it has pulled, without what it has
// spent since.
func (h *hoard) left(p *phone, mine record.ID) int {
	left := 0
	_, _ = fmt.Sscan(p.raw(mine, "left"), &left)
	for _, m := range p.pending(mine) {
		left -= h.promised[m.by]
	}
	return left
}

func (h *hoard) nextNumber(p *phone, pad record.ID) (int, bool) {
	first := 0
	_, _ = fmt.Sscan(p.raw(pad, "first"), &first)
	for n := first; first > 0 && n < first+3; n++ {
		if h.numbers[p.text(pad, "prefix")+fmt.Sprint(n)].IsZero() {
			return n, true
		}
	}
	return 0, false
}
