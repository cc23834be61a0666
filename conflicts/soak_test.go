package conflicts_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/conflicts"
	"roadbook/record"
)

// shortHistories is how many a usual run of the tests plays;
// ROADBOOK_HISTORIES=1000000 plays others, from ROADBOOK_SEED on.
const shortHistories = 20_000

// anyOrderFields are those of which the order of arrival changes nothing.
var anyOrderFields = []string{
	"name", "stage", "step", "terms", "tags", "size", "points", "last", "first", "credit", "answers.q1", "street", "point",
}

// Three to six devices write all policies into one record, on clocks that say
// what they like, and meet in whatever order: the laws of each policy hold, alone
// and beside the others.
func TestLaws_soak(t *testing.T) {
	t.Parallel()

	from, most := uint64(1), shortHistories
	if n, err := strconv.Atoi(os.Getenv("ROADBOOK_HISTORIES")); err == nil {
		most = n
	}
	if n, err := strconv.ParseUint(os.Getenv("ROADBOOK_SEED"), 10, 64); err == nil {
		from = n
	}
	writes, clashes := 0, 0
	for seed := from; seed < from+uint64(most); seed++ {
		h := roll(seed)
		steps := h.obeys(t)
		writes += len(steps)
		for _, s := range steps {
			clashes += len(s.report.Clashes)
		}
		if t.Failed() {
			t.Fatalf("seed %d: %v", seed, h.log)
		}
	}
	t.Logf("%d histories from seed %d: %d mutations, %d clashes", most, from, writes, clashes)
}

// rolled is a history that follows from a seed.
type rolled struct {
	rng *rand.Rand
	log []*typed
}

func roll(seed uint64) *rolled {
	h := &rolled{rng: rand.New(rand.NewPCG(seed, 11))}
	phones := make([]*phone, 3+h.rng.IntN(4))
	for i := range phones {
		phones[i] = &phone{name: record.ReplicaID(i + 1), place: base}
	}
	for range 3 + h.rng.IntN(6) {
		p := phones[h.rng.IntN(len(phones))]
		if h.rng.IntN(2) == 0 {
			p.pull(h.log)
		}
		w := p.write(h.rng.Int64N(4))
		w.edit = h.edit(w)
		if w.edit.Op == record.OpCreate {
			w.read, w.place = vector{}, 0
		}
		if h.rng.IntN(2) == 0 {
			h.log = p.push(h.log)
		}
	}
	for _, p := range phones {
		h.log = p.push(h.log)
	}
	return h
}

func (h *rolled) of(values ...string) json.RawMessage {
	return json.RawMessage(values[h.rng.IntN(len(values))])
}

// edit is a change of a few fields, of any policy.
func (h *rolled) edit(w *typed) record.Edit {
	e := record.Edit{Op: record.OpEdit}
	if h.rng.IntN(6) == 0 {
		e.Op = record.OpCreate
	}
	own := fmt.Sprintf(`"%d:%d"`, w.by, w.n)
	set := func(field string, raw json.RawMessage) { e.Set = append(e.Set, record.Value{Field: field, Raw: raw}) }
	all := []func(){
		func() { set("name", h.of(own, `"red"`, `null`)) },
		func() { set("stage", h.of(own, `"red"`, `null`)) },
		func() { set("note", h.of(own, `"one\ntwo"`, `"two\nthree"`)) },
		func() { set("step", quoted(steps[h.rng.IntN(len(steps))])) },
		func() { set("terms", h.of(own, `"cash"`, `null`)) },
		func() { set("last", h.of("1", "5", "9")) },
		func() { set("first", h.of("1", "5", "9")) },
		func() { set("check_in", h.of(own, `"here"`)) },
		func() { set("credit", h.of(own, `"50"`, `null`)) },
		func() { set("answers.q1", h.of(own, `true`, `null`)) },
		func() { set("street", h.of(own, `null`)) },
		func() { set("point", h.of(own, `null`)) },
		func() { e.Add = append(e.Add, record.Value{Field: "tags", Raw: h.of(`["a"]`, `["b","c"]`)}) },
		func() { e.Remove = append(e.Remove, record.Value{Field: "tags", Raw: h.of(`["a"]`, `["b","c"]`)}) },
		func() { e.Inc = append(e.Inc, record.Value{Field: "points", Raw: h.of("1", "-2", "7")}) },
	}
	for _, i := range h.rng.Perm(len(all))[:1+h.rng.IntN(4)] {
		if e.Op != record.OpCreate || i < 12 { // in a create a list adds, a number counts
			all[i]()
		}
	}
	return e
}

// order lets the same writes arrive otherwise.
func (h *rolled) order() []*typed {
	arrived, order := vector{}, []*typed(nil)
	for range h.log {
		next := ready(h.log, arrived)
		w := next[h.rng.IntN(len(next))]
		arrived[w.by] = w.n
		order = append(order, w)
	}
	return order
}

// obeys holds a history to the laws.
func (h *rolled) obeys(t require.TestingT) []step {
	one, same, other := settle(t, h.log, byPlace), settle(t, h.log, byName), settle(t, h.order(), byName)
	for i := range one {
		alike(t, stored0(one[i].rec), stored0(same[i].rec), "the same comes to the same, whichever way it is said what was seen")
	}
	for _, field := range anyOrderFields {
		alike(t, string(last(one).rec.Raw(field)), string(last(other).rec.Raw(field)), "%s in another order", field)
	}
	for _, s := range one {
		h.repeats(t, s)
		h.keeps(t, s, one)
	}
	return one
}

// repeats: what comes twice running counts once, but for a count, whose dot the
// engine judges once, and for a text, which has laws of its own.
func (h *rolled) repeats(t require.TestingT, s step) {
	again, e := s.rec.Clone(), s.typed.edit
	e.Inc = nil
	e.Set = slices.DeleteFunc(slices.Clone(e.Set), func(v record.Value) bool { return v.Field == "note" })
	_, err := conflicts.Apply(again, &e, s.write)
	require.NoError(t, err)
	alike(t, stored0(s.rec), stored0(again), "it came twice: %v", s.typed)
}

// keeps: what somebody typed stands, or history or a clash has it.
func (h *rolled) keeps(t require.TestingT, s step, all []step) {
	for _, v := range s.typed.edit.Set {
		if record.IsNull(v.Raw) || v.Field == "note" || string(last(all).rec.Raw(v.Field)) == string(v.Raw) {
			continue
		}
		kept := slices.ContainsFunc(all, func(o step) bool {
			return string(o.report.Was.Get(v.Field)) == string(v.Raw) || slices.ContainsFunc(o.report.Clashes, func(c conflicts.Clash) bool {
				return c.Field.Name == v.Field && string(c.Lost) == string(v.Raw)
			})
		})
		kept = kept || v.Field == "last" || v.Field == "first" // a smaller one of two that agree was typed by both
		if !kept {
			require.Fail(t, "a value is gone", "%s of %v", v.Field, s.typed)
		}
	}
}

// stored0 is a record's fields as they lie in the database.
func stored0(r *record.Record) string { return string(r.AppendFields(nil)) }

// alike is require.Equal for very many texts.
func alike(t require.TestingT, a, b, format string, args ...any) {
	if a != b {
		require.Equal(t, a, b, append([]any{format}, args...)...)
	}
}
