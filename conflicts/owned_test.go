package conflicts_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

// onlyAsks reports whether somebody writes a field for which others answer: cara
// is no owner of any.
func onlyAsks(w *typed) bool { return w.by == cara && w.edit.Set.Get("credit") != nil }

// What stands is the greatest of what owners wrote and no owner replaced
// knowingly; what others wrote does not come into it, and is asked for until an
// owner knows of it.
func TestOwned_laws(t *testing.T) {
	t.Parallel()

	owners := law{"the greatest stands of what owners wrote and none of them replaced", func(t *rapid.T, history []*typed) {
		var written []step
		for _, s := range settle(t, history, byPlace) {
			if !onlyAsks(s.typed) && sets(s.typed, "credit") {
				written = append(written, s)
			}
			if front := frontier(written); len(front) > 0 {
				require.Equal(t, valueOrNone(front[len(front)-1].typed.edit.Set.Get("credit")), s.rec.Raw("credit"))
			} else {
				require.Nil(t, s.rec.Raw("credit"))
			}
		}
	}}
	asked := law{"what is asked stays until an owner knows of it, or it stands", func(t *rapid.T, history []*typed) {
		steps := settle(t, history, byPlace)
		for i, ask := range steps {
			if !onlyAsks(ask.typed) || len(ask.report.Clashes) == 0 {
				continue
			}
			require.True(t, ask.report.Clashes[0].Request)
			open := true
			for _, s := range steps[i+1:] {
				raw := string(ask.typed.edit.Set.Get("credit"))
				open = open && (!sets(s.typed, "credit") || !s.write.Covers(ask.write.By)) && raw != string(record.OrNull(s.rec.Raw("credit")))
			}
			slot := last(steps).rec.Slot("credit")
			require.Equal(t, open, slices.ContainsFunc(slot.Versions, func(v record.Version) bool { return v.By.Same(ask.write.By) }), "%v", ask.typed)
		}
	}}
	answered := law{"every request that is not open any more was answered once", func(t *rapid.T, history []*typed) {
		open, steps := map[uint64]bool{}, settle(t, history, byPlace)
		for _, s := range steps {
			for _, a := range s.report.Answers {
				require.True(t, open[a.To.N], "%v", a.To)
				delete(open, a.To.N)
			}
			if len(s.report.Clashes) > 0 && s.report.Clashes[0].Request {
				open[s.write.By.N] = true
			}
		}
		for n := range open {
			slot := last(steps).rec.Slot("credit")
			require.True(t, slices.ContainsFunc(slot.Versions, func(v record.Version) bool { return v.By.Replica == cara && v.By.N == n }))
		}
	}}

	laws(t, setting("credit", drawText), deterministic, placeOrName, anyOrder(settled), repeatedAtOnce, repeatedEver(settled),
		nothingLost, toldSo, owners, asked, answered)
}

// asksFor lets somebody without a role write credit at a place in the log.
func asksFor(t require.TestingT, rec *record.Record, by record.ReplicaID, value string, seq record.Seq) conflicts.Report {
	w := writeAt(by, 5, seq)
	w.By.N, w.Roles = uint64(seq), []string{"rep"}
	report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("credit", value)}), w)
	require.NoError(t, err)
	return report
}

func TestOwned(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	finance := func(value string, seq, read record.Seq) conflicts.Report {
		w := writeAt(cara, 5, seq)
		w.By.N, w.Seen.Log, w.Roles = uint64(seq), read, []string{"finance"}
		report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("credit", value)}), w)
		require.NoError(t, err)
		return report
	}

	asked := asksFor(t, rec, anna, `"60"`, 2)
	require.Empty(t, rec.Text("credit"), "it is asked for, and not there")
	require.True(t, asked.Merged)
	require.Equal(t, `"60"`, string(asked.Clashes[0].Lost))
	require.False(t, asked.Clashes[0].Ask)

	require.Empty(t, finance(`"50"`, 3, base).Answers, "finance had not heard of it")
	require.Equal(t, "50", rec.Text("credit"))
	more := asksFor(t, rec, anna, `"70"`, 4)
	require.Equal(t, conflicts.Replaced, more.Answers[0].State)
	require.Len(t, rec.Slot("credit").Versions, 1, "one of each person")
	asksFor(t, rec, ben, `"80"`, 5)

	same := finance(`"70"`, 6, base)
	require.Equal(t, []conflicts.Answer{{Field: anyShop.Field("credit"), To: record.Writer{Replica: anna, N: 4, Stamp: same.Answers[0].To.Stamp, Seq: 4}, State: conflicts.Accepted}}, same.Answers)
	require.Len(t, rec.Slot("credit").Versions, 1, "of the other nobody in finance knows")
	known := finance(`"75"`, 7, 6)
	require.Equal(t, conflicts.Answered, known.Answers[0].State)
	require.Empty(t, rec.Slot("credit").Versions)
	require.True(t, asksFor(t, rec, ben, `"75"`, 8).Merged, "what stands need not be asked for")
	require.Empty(t, rec.Slot("credit").Versions)
	reloaded(t, rec)
}

// So many requests are remembered; the next makes room for itself, and nobody is
// told that the oldest was answered.
func TestOwned_limit(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	for i := range conflicts.MaxRequests + 1 {
		report := asksFor(t, rec, record.ReplicaID(10+i), fmt.Sprint(`"`, i, `"`), record.Seq(3+i))
		require.Empty(t, report.Answers)
		require.Len(t, rec.Slot("credit").Versions, min(i+1, conflicts.MaxRequests))
	}
	require.JSONEq(t, `"1"`, string(rec.Slot("credit").Versions[0].Raw))
	reloaded(t, rec)
}

// A request that comes back after a restore, when whoever answered it is back
// already, is not asked again.
func TestOwned_comesBackLate(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	knows := writeAt(ben, 6, 3)
	knows.Roles = []string{"finance"}
	knows.Awaited, knows.Seen.Dots = map[record.ReplicaID]uint64{anna: 4}, map[record.ReplicaID]uint64{anna: 4}
	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("credit", `"50"`)}), knows)
	require.NoError(t, err)

	report := asksFor(t, rec, anna, `"60"`, 4)

	require.Empty(t, report.Clashes)
	require.True(t, report.Merged)
	require.Equal(t, "50", rec.Text("credit"))
}

// An owner writes, others ask: what stands is the owner's.
func ExampleOwned() {
	slot := record.Slot{Field: "credit_limit"}
	finance := &conflicts.Write{By: record.Writer{Replica: 1, N: 1, Seq: 2}}
	rep := &conflicts.Write{By: record.Writer{Replica: 2, N: 1, Seq: 3}, Seen: conflicts.Seen{Log: 2}}

	conflicts.Owned(&slot, json.RawMessage(`"50000.00"`), true, finance)
	conflicts.Owned(&slot, json.RawMessage(`"80000.00"`), false, rep)

	fmt.Printf("%s stands, %s is asked for", slot.Raw, slot.Versions[0].Raw)
	// Output: "50000.00" stands, "80000.00" is asked for
}
