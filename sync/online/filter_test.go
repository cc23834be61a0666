package online_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
	"roadbook/rules"
	"roadbook/sync/online"
)

// holds evaluates a filter over the values of a record, without keys and
// without SQL.
func holds(kind *record.Kind, e rules.Expr, r online.Record) bool {
	switch e := e.(type) {
	case rules.And:
		return !slices.ContainsFunc(e.Parts, func(p rules.Expr) bool { return !holds(kind, p, r) })
	case rules.Or:
		return slices.ContainsFunc(e.Parts, func(p rules.Expr) bool { return holds(kind, p, r) })
	case rules.Not:
		return !holds(kind, e.Part, r)
	case rules.In:
		return slices.ContainsFunc(e.Values, func(v rules.Literal) bool {
			return holds(kind, rules.Compare{Field: e.Field, Op: rules.Equal, Value: v}, r)
		})
	case rules.Has:
		elements, _ := record.ParseList(r.Values.Get(e.Field.Text))
		f := kind.Field(e.Field.Text)
		return slices.ContainsFunc(elements, func(raw json.RawMessage) bool { return compared(f.Type, raw, e.Value) == 0 })
	case rules.Compare:
		return stands(kind.Field(e.Field.Text), e, r.Values.Get(e.Field.Text))
	}
	panic("no such condition")
}

func stands(f *record.Field, e rules.Compare, raw json.RawMessage) bool {
	nothing := record.IsNull(raw) || f.Policy == record.Set && string(raw) == "[]"
	switch {
	case e.Value.Sort == rules.Null:
		return nothing == (e.Op == rules.Equal)
	case nothing:
		return e.Op == rules.NotEqual
	}
	order := compared(f.Type, raw, e.Value)
	switch e.Op {
	case rules.Equal:
		return order == 0
	case rules.NotEqual:
		return order != 0
	case rules.Less:
		return order < 0
	case rules.LessEqual:
		return order <= 0
	case rules.Greater:
		return order > 0
	case rules.GreaterEqual:
		return order >= 0
	case rules.StartsWith:
		return strings.HasPrefix(text(raw), e.Value.Text)
	}
	panic("no such comparison")
}

func text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

func compared(typ string, raw json.RawMessage, l rules.Literal) int {
	switch typ {
	case "money":
		var m struct{ Amount string }
		_ = json.Unmarshal(raw, &m)
		return rat(m.Amount).Cmp(rat(l.Text))
	case "number", "decimal":
		return rat(text(raw)).Cmp(rat(l.Text))
	case "evidence":
		var e struct {
			At time.Time `json:"time_device"`
		}
		_ = json.Unmarshal(raw, &e)
		return e.At.Compare(instant(l.Text))
	case "datetime":
		return instant(text(raw)).Compare(instant(l.Text))
	}
	return cmp.Compare(text(raw), l.Text)
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t.Truncate(time.Millisecond)
}

var (
	someNames  = []string{"", "a", "ab", "兴旺", "兴旺超市", "z", strings.Repeat("王", 64), strings.Repeat("王", 65), strings.Repeat("王", 64) + "a"}
	someTags   = []string{"冷链", "夜市", "vip"}
	someTimes  = []string{"2026-11-21T09:00:00Z", "2026-11-21T09:00:00.5Z", "2026-11-21T17:00:00+08:00", "2026-11-20T09:00:00.001Z", "1999-01-01T00:00:00Z"}
	someDays   = []string{"2026-11-20", "2026-11-21", "2027-01-01"}
	somePhones = []string{"13900139000", "13900139001", "01065551234"}
	someSums   = []string{"0", "-5", "12.5", "12.50", "99999", "0.0001", "-12.5"}
)

// someWorld is an org with records of many values, some of them missing.
func someWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	pick := func(from []string) string { return from[w.rng.IntN(len(from))] }
	fill := func(set record.Values, name string, value any) record.Values {
		if w.rng.IntN(4) == 0 {
			return set
		}
		return append(set, record.Value{Field: name, Raw: js(value)})
	}
	for i := range 40 {
		who := []string{"lin", "zhou", "gao"}[w.rng.IntN(3)]
		account, contact, deal := w.id(), w.id(), w.id()
		set := values("name", pick(someNames[1:]))
		set = fill(set, "short_name", pick(someNames))
		set = fill(set, "grade", pick([]string{"A", "B", "C"}))
		set = fill(set, "tags", []string{pick(someTags), pick(someTags)})
		set = fill(set, "phones", []string{pick(somePhones)})
		set = fill(set, "last_contact_at", pick(someTimes))
		edits := []record.Edit{{Op: record.OpCreate, Kind: "account", ID: account, Set: set}}
		set = values("account", account)
		set = fill(set, "name", pick(someNames))
		set = fill(set, "birthday", pick(someDays))
		set = fill(set, "mobiles", []string{pick(somePhones)})
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "contact", ID: contact, Set: set})
		set = values("account", account)
		set = fill(set, "amount", map[string]string{"amount": pick(someSums), "currency": pick([]string{"CNY", "USD"})})
		set = fill(set, "stage", pick([]string{"lead", "won", "lost"}))
		set = fill(set, "close_date", pick(someDays))
		set = fill(set, "next_step_at", pick(someTimes))
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "opportunity", ID: deal, Set: set})
		if i%2 == 0 {
			set = values("account", account, "check_in", map[string]string{"time_device": pick(someTimes)}, "status", "open")
			edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "visit", ID: w.id(), Set: set})
		}
		w.write(who, edits...)
		switch i % 5 {
		case 0:
			w.write(who, edit("account", account, 1, "grade", nil, "name", pick(someNames[1:])))
		case 1:
			w.write(who, record.Edit{Op: record.OpEdit, Kind: "account", ID: account, Remove: values("tags", someTags[:2]), Add: values("phones", somePhones)})
		case 2:
			w.write(who, record.Edit{Op: record.OpDelete, Kind: "contact", ID: contact})
		case 3:
			w.propose(w.org, edit("account", account, 0, "owner", person(w.org, "zhou")))
		}
	}
	return w
}

// term draws one comparison that makes sense of a field.
func term(t *rapid.T, w *world, kind string) string {
	pick := func(from ...string) string { return rapid.SampledFrom(from).Draw(t, "value") }
	op := pick("==", "!=", "<", "<=", ">", ">=")
	equal := pick("==", "!=")
	quoted := strconv.Quote
	if rapid.IntRange(0, 9).Draw(t, "nothing") == 0 {
		return map[string]string{"account": "grade", "contact": "mobiles", "opportunity": "amount", "visit": "check_in"}[kind] + " " + equal + " null"
	}
	terms := map[string][]string{
		"account": {
			"name " + op + " " + quoted(pick(someNames[:7]...)), "name.startsWith(" + quoted(pick(someNames[:7]...)) + ")",
			"short_name " + equal + " " + quoted(pick(someNames[:7]...)), "grade " + equal + " " + quoted(pick("A", "B", "Z")),
			"grade in [" + quoted(pick("A", "B")) + ", " + quoted(pick("B", "C")) + "]", "grade in []", quoted(pick(someTags...)) + " in tags",
			quoted(pick(somePhones...)) + " in phones", "last_contact_at " + op + " timestamp(" + quoted(pick(someTimes...)) + ")",
			"owner " + equal + " " + quoted(person(w.org, pick("lin", "zhou")).String()), "owner == null",
		},
		"contact":     {"birthday " + op + " " + quoted(pick(someDays...)), quoted(pick(somePhones...)) + " in mobiles", "name " + op + " " + quoted(pick(someNames[:7]...)), "account != null"},
		"opportunity": {"amount " + op + " " + pick(someSums...), "stage " + equal + " " + quoted(pick("won", "lost")), "close_date " + op + " " + quoted(pick(someDays...)), "next_step_at " + op + " " + quoted(pick(someTimes...))},
		"visit":       {"check_in " + op + " timestamp(" + quoted(pick(someTimes...)) + ")", "status == \"open\"", "result == null"},
	}
	return pick(terms[kind]...)
}

func condition(t *rapid.T, w *world, kind string, depth int) string {
	switch rapid.IntRange(0, 5).Draw(t, "form") {
	case 0:
		if depth > 0 {
			return "!(" + condition(t, w, kind, depth-1) + ")"
		}
	case 1, 2:
		if depth > 0 {
			op := rapid.SampledFrom([]string{" && ", " && ", " || "}).Draw(t, "op")
			return "(" + condition(t, w, kind, depth-1) + op + condition(t, w, kind, depth-1) + ")"
		}
	}
	return term(t, w, kind)
}

// Whatever is asked for, a list holds exactly the records that its reader sees
// and of which the filter holds, each once, in order; whether they are sorted
// or walked, and however long its pages are.
func TestList_filters(t *testing.T) {
	t.Parallel()
	w := someWorld(t)
	type shelf struct{ login, kind string }
	visible := map[shelf][]online.Record{}
	for _, login := range []string{"lin", "chen", "fin"} {
		for _, kind := range []string{"account", "contact", "opportunity", "visit"} {
			if login == "fin" && (kind == "opportunity" || kind == "visit") {
				continue
			}
			s := shelf{login, kind}
			for _, id := range w.all(login, online.Query{Kind: kind, Sort: "id"}) {
				visible[s] = append(visible[s], w.get(login, kind, id))
			}
			require.NotEmpty(t, visible[s], "%+v", s)
		}
	}
	logins := []string{"lin", "chen", "fin"}
	sorts := map[string][]string{
		"account": {"name", "grade", "last_contact_at"}, "contact": {"birthday", "name"},
		"opportunity": {"amount", "close_date", "next_step_at"}, "visit": {"check_in", "status"},
	}
	rapid.Check(t, func(t *rapid.T) {
		login := rapid.SampledFrom(logins).Draw(t, "login")
		kind := rapid.SampledFrom([]string{"account", "contact", "opportunity", "visit"}).Draw(t, "kind")
		if login == "fin" && (kind == "opportunity" || kind == "visit") {
			kind = "account"
		}
		q := online.Query{Kind: kind, Limit: rapid.IntRange(1, 30).Draw(t, "limit")}
		q.Filter = condition(t, w, kind, 2)
		q.Sort = rapid.SampledFrom(append([]string{"", "id", "seq", "-seq"}, sorts[kind]...)).Draw(t, "sort")
		if q.Sort != "" && rapid.Bool().Draw(t, "desc") {
			q.Sort = "-" + strings.TrimPrefix(q.Sort, "-")
		}
		service := w.online.Looking(rapid.SampledFrom([]int{1, 5, 1000}).Draw(t, "gather"), rapid.SampledFrom([]int{1, 10, 1000}).Draw(t, "walk"))

		var got []online.Record
		for {
			page, err := service.List(w.t.Context(), w.who(login), q)
			require.NoError(t, err, "%+v", q)
			require.LessOrEqual(t, len(page.Records), q.Limit)
			got = append(got, page.Records...)
			if q.After = page.After; q.After == "" {
				break
			}
		}

		e, err := rules.Parse(q.Filter)
		require.NoError(t, err)
		var want []online.Record
		for _, r := range visible[shelf{login, kind}] {
			if holds(w.schema.Kind(kind), e, r) {
				want = append(want, r)
			}
		}
		requireSame(t, want, got, fmt.Sprintf("%+v", q))
		requireSorted(t, w.schema.Kind(kind), q.Sort, got)
	})
}

func requireSame(t *rapid.T, want, got []online.Record, about string) {
	byID := func(a, b online.Record) int { return slices.Compare(a.ID[:], b.ID[:]) }
	got = slices.SortedFunc(slices.Values(got), byID)
	require.Len(t, got, len(want), about)
	for i := range want {
		require.Equal(t, want[i].ID, got[i].ID, about)
		require.Equal(t, want[i].Seq, got[i].Seq, about)
		require.JSONEq(t, string(js(want[i].Values)), string(js(got[i].Values)), about)
	}
}

func requireSorted(t *rapid.T, kind *record.Kind, sort string, got []online.Record) {
	name, desc := strings.CutPrefix(sort, "-")
	f := kind.Field(name)
	for i := 1; i < len(got); i++ {
		a, b := got[i-1], got[i]
		order := slices.Compare(a.ID[:], b.ID[:])
		if f != nil {
			x, y := a.Values.Get(name), b.Values.Get(name)
			switch {
			case record.IsNull(x):
				require.True(t, record.IsNull(y), "those without a value come last")
				continue
			case record.IsNull(y):
				continue
			}
			l := rules.Literal{Text: text(y)}
			switch f.Type {
			case "money":
				var m struct{ Amount string }
				_ = json.Unmarshal(y, &m)
				l.Text = m.Amount
			case "evidence":
				l.Text = text(must(record.ParseValues(y)).Get("time_device"))
			}
			order = compared(f.Type, x, l)
			if f.Type == "text" && order != 0 && strings.HasPrefix(text(x), strings.Repeat("王", 64)) && strings.HasPrefix(text(y), strings.Repeat("王", 64)) {
				continue // what comes after 64 characters does not count
			}
		}
		switch {
		case name == "seq":
		case desc || sort == "":
			require.GreaterOrEqual(t, order, 0, "%s: %s before %s", sort, js(a), js(b))
		default:
			require.LessOrEqual(t, order, 0, "%s: %s before %s", sort, js(a), js(b))
		}
	}
}

func must(vs record.Values, err error) record.Values {
	if err != nil {
		panic(err)
	}
	return vs
}
