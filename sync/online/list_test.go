package online_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/query"
	"roadbook/record"
	"roadbook/sync/online"
)

func (w *world) list(login string, q online.Query) online.Page {
	w.t.Helper()
	page, err := w.online.List(w.t.Context(), w.who(login), q)
	require.NoError(w.t, err, "%+v", q)
	return page
}

// all reads a list to its end.
func (w *world) all(login string, q online.Query) (ids []record.ID) {
	w.t.Helper()
	for {
		page := w.list(login, q)
		for _, r := range page.Records {
			ids = append(ids, r.ID)
		}
		if q.After = page.After; q.After == "" {
			return ids
		}
	}
}

// Lists show what their reader sees now: his own, his people's, what is shared
// with him, and nothing that was deleted.
func TestList_sees(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lins := w.create("lin", "account", "name", "a", "grade", "A")
	zhous := w.create("zhou", "account", "name", "b", "grade", "A", "collaborators", []record.ID{person(w.org, "lin")})
	gaos := w.create("gao", "account", "name", "c", "grade", "A")
	gone := w.create("lin", "account", "name", "d", "grade", "A")
	w.write("lin", record.Edit{Op: record.OpDelete, Kind: "account", ID: gone, Seen: edit("", gone, w.get("lin", "account", gone).Seq).Seen})

	for _, q := range []online.Query{{}, {Filter: `grade == "A"`}, {Sort: "-name"}, {Sort: "-seq"}, {Filter: `name >= "a"`, Sort: "-grade"}} {
		q.Kind = "account"
		require.Equal(t, []record.ID{zhous, lins}, w.all("lin", q), "%+v", q)
		require.Equal(t, []record.ID{zhous, lins}, w.all("chen", q), "%+v", q)
		require.Equal(t, []record.ID{gaos}, w.all("gao", q), "%+v", q)
		require.Equal(t, []record.ID{gaos, zhous, lins}, w.all("fin", q), "%+v", q)
	}
	other := w.newOrg("other")
	page, err := w.online.List(t.Context(), w.at(other, "admin"), online.Query{Kind: "account"})
	require.NoError(t, err)
	require.Empty(t, page.Records)
	_, err = w.online.List(t.Context(), w.who("fin"), online.Query{Kind: "visit"})
	require.Equal(t, errs.Missing, errs.KindOf(err), "a kind that is not for his role")
}

// What a person may not see can be neither read, nor filtered or sorted by: it
// is as if it were not there.
func TestList_hidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zhou := person(w.org, "zhou")
	w.propose(w.org, edit("user", zhou, 0, "mobile", "13900139000"))
	q := online.Query{Kind: "user", Filter: `mobile == "139 0013 9000"`}

	require.Equal(t, []record.ID{zhou}, w.all("chen", q))
	_, err := w.online.List(t.Context(), w.who("lin"), q)
	require.ErrorContains(t, err, "at character 1: there is no field of this name")
	q.Filter = `nonsense == "x"`
	_, other := w.online.List(t.Context(), w.who("lin"), q)
	require.EqualError(t, other, err.Error(), "as of a field that nobody has")
	_, err = w.online.List(t.Context(), w.who("lin"), online.Query{Kind: "user", Sort: "mobile"})
	require.Equal(t, "sort", errs.CodeOf(err))
	for _, r := range w.list("lin", online.Query{Kind: "user"}).Records {
		require.Nil(t, r.Values.Get("mobile"))
	}
}

// What a filter compares must be comparable; the refusal says where.
func TestList_refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct{ kind, filter, says string }{
		{"account", `points == 1`, "at character 1: there is no field"}, // nobody looks up by it
		{"account", `external_ids == "x"`, "at character 1: there is no field"},
		{"account", `name == "a" && nosuch == 1`, "at character 16: there is no field"},
		{"account", `name == 5`, "at character 9: this field is compared with text"},
		{"account", `name.startsWith(5)`, "at character 17: this field is compared with text"},
		{"account", `grade < "B"`, "at character 7: the values of this field have no order"},
		{"account", `grade.startsWith("B")`, "have no beginning"},
		{"account", `tags == "x"`, "at character 1: this field holds several values"},
		{"account", `"A" in grade`, "at character 8: this field holds one value"},
		{"account", `name < null`, "nothing is before or after nothing"},
		{"account", `last_contact_at > 5`, "compared with a time"},
		{"account", `last_contact_at > "yesterday"`, "no value of this field"},
		{"account", `owner == "lin"`, "no value of this field"},
		{"account", `name == "` + string(slices.Repeat([]rune("王"), 65)) + `"`, "longer than can be looked up"},
		{"account", `name.startsWith("` + string(slices.Repeat([]rune("王"), 65)) + `")`, "longer than can be looked up"},
		{"opportunity", `amount > "5"`, "at character 10: this field is compared with a number"},
		{"opportunity", `amount > 0.12345678`, "no value of this field"},
		{"opportunity", `close_date > timestamp("2026-11-21T09:00:00Z")`, "compared with text"},
		{"contact", `birthday == "1980-02-30"`, "no value of this field"},
	}
	for _, tt := range tests {
		_, err := w.online.List(t.Context(), w.who("lin"), online.Query{Kind: tt.kind, Filter: tt.filter})
		require.Equal(t, "filter", errs.CodeOf(err), tt.filter)
		require.ErrorContains(t, err, tt.says, tt.filter)
	}
	for _, sort := range []string{"points", "tags", "owner", "nosuch", "--name", "name,grade", "created_at"} {
		_, err := w.online.List(t.Context(), w.who("lin"), online.Query{Kind: "account", Sort: sort})
		require.Equal(t, "sort", errs.CodeOf(err), sort)
	}
}

// A page has as many records as were asked for, within limits, and names the
// next one only if there is more.
func TestList_pages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 5 {
		w.create("lin", "account", "name", fmt.Sprint(i))
	}
	q := online.Query{Kind: "account", Sort: "name", Limit: 2}

	one := w.list("lin", q)
	require.Len(t, one.Records, 2)
	q.After = one.After
	two := w.list("lin", q)
	require.Len(t, two.Records, 2)
	q.After = two.After
	three := w.list("lin", q)
	require.Len(t, three.Records, 1)
	require.Empty(t, three.After)

	for _, other := range []online.Query{
		{Kind: "account", Sort: "-name", After: one.After},
		{Kind: "account", Sort: "name", Filter: `name == "1"`, After: one.After},
		{Kind: "contact", Sort: "id", After: one.After},
		{Kind: "account", Sort: "name", After: one.After[:len(one.After)-2]},
		{Kind: "account", Sort: "name", After: "!"},
	} {
		_, err := w.online.List(t.Context(), w.who("lin"), other)
		require.Equal(t, "page", errs.CodeOf(err), "%+v", other)
	}
	require.Len(t, w.list("lin", online.Query{Kind: "account", Limit: query.MaxLimit}).Records, 5)
	for _, limit := range []int{-1, query.MaxLimit + 1} {
		_, err := w.online.List(t.Context(), w.who("lin"), online.Query{Kind: "account", Limit: limit})
		require.Equal(t, "limit", errs.CodeOf(err))
	}
}
