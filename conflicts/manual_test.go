package conflicts_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

func TestManual_laws(t *testing.T) {
	t.Parallel()

	never := law{"while versions differ none of them is in force that was not before", func(t *rapid.T, history []*typed) {
		for _, now := range settle(t, history, byPlace) {
			slot := now.rec.Slot("terms")
			if slot == nil {
				continue // nobody has said anything yet
			}
			for _, v := range slot.Versions {
				if string(v.Raw) != string(slot.Versions[0].Raw) {
					require.Equal(t, string(valueOrNone(slot.Versions[len(slot.Versions)-1].From)), string(now.rec.Raw("terms")))
				}
			}
		}
	}}

	laws(t, setting("terms", drawText), deterministic, placeOrName, anyOrder(settled), repeatedAtOnce,
		nothingLost, toldSo, knowing, asModel("terms"), replacedForGood("terms"), never)
}

// All legal orders of up to four writes end the same.
func TestManual_everyOrderOfFour(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		history := drawHistory(t, 4, setting("terms", drawText))
		want := last(settle(t, history, byPlace)).rec
		for _, order := range orders(history) {
			require.Equal(t, settled(want), settled(last(settle(t, order, byName)).rec), "%v", order)
		}
		reloaded(t, want)
	})
}

// wrote lets somebody write terms with what he had read, where "30 days" stood.
func wrote(t require.TestingT, rec *record.Record, by record.ReplicaID, value string, seq, read record.Seq) conflicts.Report {
	w := writeAt(by, 5, seq)
	w.Seen.Log = read
	w.Stood = func(string) (json.RawMessage, error) { return json.RawMessage(`"30 days"`), nil }
	report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("terms", value)}), w)
	require.NoError(t, err)
	return report
}

func TestManual(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	wrote(t, rec, cara, `"30 days"`, 2, base)
	first := wrote(t, rec, anna, `"60 days"`, 3, 2)
	require.Equal(t, "60 days", rec.Text("terms"), "one alone is in force")
	require.False(t, first.Merged)

	second := wrote(t, rec, ben, `"cash"`, 4, 2)
	require.Equal(t, "30 days", rec.Text("terms"), "what stood before stays in force")
	require.Len(t, second.Clashes, 1)
	require.True(t, second.Clashes[0].Ask)
	require.JSONEq(t, `"cash"`, string(second.Clashes[0].Lost))
	require.JSONEq(t, `"30 days"`, string(second.Clashes[0].Kept))
	require.JSONEq(t, `"60 days"`, string(second.Was.Get("terms")), "history has what was in force")
	require.Len(t, second.Clashes[0].Versions, 2)

	third := wrote(t, rec, 7, `null`, 5, 2)
	require.Equal(t, "30 days", rec.Text("terms"), "to clear it is a version, too")
	require.Len(t, third.Clashes[0].Versions, 3)
	require.Len(t, third.Settled, 1)
	require.Nil(t, third.Settled[0].By, "it is asked anew")

	decided := wrote(t, rec, cara, `"cash"`, 6, 5)
	require.Equal(t, "cash", rec.Text("terms"))
	require.Empty(t, decided.Clashes)
	require.Len(t, decided.Settled[0].Writers, 3)
	require.JSONEq(t, `"cash"`, string(decided.Settled[0].By))
}

// Two who say the same have nothing to decide; who gives his up for the other's
// has decided.
func TestManual_agreed(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	wrote(t, rec, anna, `"cash"`, 2, base)
	same := wrote(t, rec, ben, `"cash"`, 3, base)
	require.Equal(t, "cash", rec.Text("terms"))
	require.True(t, same.Merged)
	require.Empty(t, same.Clashes)

	w := writeAt(ben, 9, 4)
	w.By.N = 2
	w.Stood = func(string) (json.RawMessage, error) { return nil, nil }
	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("terms", `"60 days"`)}), w)
	require.NoError(t, err)
	require.Empty(t, rec.Text("terms"), "nothing stood before")
	w.By.N, w.By.Seq = 3, 5
	back, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("terms", `"cash"`)}), w)
	require.NoError(t, err)
	require.Equal(t, "cash", rec.Text("terms"))
	require.Len(t, back.Settled, 1)
	require.JSONEq(t, `"cash"`, string(back.Settled[0].By))
}

// So many versions stand against each other, and no more.
func TestVersions_limit(t *testing.T) {
	t.Parallel()

	for field, value := range map[string]func(i int) string{
		"step":  func(i int) string { return string(quoted(steps[i%len(steps)])) },
		"terms": func(i int) string { return fmt.Sprint(`"`, i, `"`) },
	} {
		rec := &record.Record{Kind: anyShop, Seq: base}
		for i := range conflicts.MaxVersions + 1 {
			w := writeAt(record.ReplicaID(10+i), 5, record.Seq(3+i))
			w.Stood = func(string) (json.RawMessage, error) { return nil, nil }
			_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals(field, value(i))}), w)
			if i < conflicts.MaxVersions {
				require.NoError(t, err)
			} else {
				requireCode(t, err, "undecided", field)
			}
		}
		require.Len(t, rec.Slot(field).Versions, conflicts.MaxVersions)
	}
}

// A write that comes back after a restore, when somebody who had replaced it
// knowingly is back already, does not stand against him.
func TestManual_comesBackLate(t *testing.T) {
	t.Parallel()

	rec := &record.Record{Kind: anyShop, Seq: base}
	knows := writeAt(ben, 6, 3)
	knows.Awaited = map[record.ReplicaID]uint64{anna: 1}
	knows.Seen.Dots = map[record.ReplicaID]uint64{anna: 1}
	_, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("terms", `"cash"`)}), knows)
	require.NoError(t, err)

	report, err := conflicts.Apply(rec, edit(record.Edit{Set: vals("terms", `"60 days"`)}), writeAt(anna, 5, 4))

	require.NoError(t, err)
	require.Equal(t, "cash", rec.Text("terms"))
	require.Empty(t, report.Clashes)
}
