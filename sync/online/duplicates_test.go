package online_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/match/sieve"
	"roadbook/sync/online"
)

// alike asks what is alike to a customer of some values.
func (w *world) alike(login string, id record.ID, pairs ...any) []online.Alike {
	w.t.Helper()
	found, err := w.online.Duplicates(context.Background(), w.who(login), "account", id, values(pairs...))
	require.NoError(w.t, err)
	return found
}

// Everybody is told that there is one; who may not see it, no more than a hint.
func TestDuplicates_tellsNoMoreThanAHint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "兴旺超市", "phones", []string{"13800138000"}, "tax_no", "91310000MA1K35P12X", "remark", "secret")
	other := w.create("gao", "account", "name", "福来", "phones", []string{"138-0013-8000"})

	for _, login := range []string{"lin", "chen", "he", "admin"} {
		found := w.alike(login, record.NoID, "name", "兴旺超市有限公司", "phones", []string{"+86 13800138000"})
		require.Len(t, found, 2, login)
		at := func(id record.ID) (one online.Alike) {
			for _, a := range found {
				if a.ID == id {
					one = a
				}
			}
			return one
		}
		one := at(shop)
		require.True(t, one.Certain, login)
		require.Equal(t, []string{"name", "phones"}, one.Fields)
		require.Equal(t, "兴***市", one.Hint)
		require.Equal(t, "secret", one.Record.Values.Text("remark"))
	}
	for login, sees := range map[string]record.ID{"gao": other, "zhou": record.NoID} {
		found := w.alike(login, record.NoID, "name", "兴旺超市", "phones", []string{"13800138000"})
		require.Len(t, found, 2, login)
		for _, a := range found {
			if !a.ID.IsZero() {
				require.Equal(t, sees, a.ID, login)
				continue
			}
			require.Nil(t, a.Record)
			require.NotContains(t, string(js(a)), "旺超")
			require.NotContains(t, string(js(a)), "secret")
			require.NotContains(t, string(js(a)), shop.String())
		}
	}
	byTax := w.alike("gao", record.NoID, "tax_no", "9131 0000 ma1k35p12x")
	require.Len(t, byTax, 1)
	require.Equal(t, []string{"tax_no"}, byTax[0].Fields)
	require.True(t, byTax[0].Certain)
	require.Len(t, w.alike("lin", shop, "name", "兴旺超市", "phones", []string{"13800138000"}), 1, "not of itself")
	require.Empty(t, w.alike("lin", record.NoID, "name", "兴旺超市"), "a name alone tells nothing")
	require.Empty(t, w.alike("lin", record.NoID))

	w.write("lin", record.Edit{Op: record.OpDelete, Kind: "account", ID: shop})
	require.Len(t, w.alike("lin", record.NoID, "phones", []string{"13800138000"}), 1, "nor of what was deleted")
	other2 := w.newOrg("other")
	found, err := w.online.Duplicates(t.Context(), w.at(other2, "lin"), "account", record.NoID, values("phones", []string{"13800138000"}))
	require.NoError(t, err)
	require.Empty(t, found, "nor of another org")
}

// A switchboard's number: at most so many are told of.
func TestDuplicates_atMost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const most = 20
	for i := range most + 1 {
		w.create("lin", "account", "name", fmt.Sprint("店 ", i), "phones", []string{"4008208820"})
		if i >= most-2 {
			require.Len(t, w.alike("zhou", record.NoID, "phones", []string{"400 820 8820"}), min(i+1, most))
		}
	}
	var phones []string
	for i := range most + 1 {
		phones = append(phones, fmt.Sprintf("13800138%03d", i))
		w.create("lin", "account", "name", fmt.Sprint("铺 ", i), "phones", phones[i:])
	}
	require.Len(t, w.alike("zhou", record.NoID, "phones", phones), 8, "and of so many numbers as a shop may have")
}

func TestDuplicates_forWhom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)

	for _, ask := range []struct{ login, kind string }{{"lin", "visit"}, {"lin", "nothing"}, {"lin", ""}} {
		_, err := w.online.Duplicates(t.Context(), w.who(ask.login), ask.kind, record.NoID, values("name", "x"))
		require.Equal(t, "unknown_kind", errs.CodeOf(err), "%v", ask)
		_, err = w.online.Fingerprints(t.Context(), w.who(ask.login), ask.kind)
		require.Equal(t, "unknown_kind", errs.CodeOf(err), "%v", ask)
	}
}

// The sieve has the keys of all customers of the org, whoever's they are, and
// tells nothing to another org. It is made anew when ten minutes are over and
// something has changed, and not before.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kind := w.schema.Kind("account")
	shop := func(name, phone string) record.Values { return values("name", name, "phones", []string{phone}) }
	ask := func(login string) (*sieve.Sieve, online.Sieve) {
		out, err := w.online.Fingerprints(t.Context(), w.who(login), "account")
		require.NoError(t, err)
		read, err := sieve.Read(out.Bytes)
		require.NoError(t, err)
		return read, out
	}
	all := func(s *sieve.Sieve, set record.Values) bool {
		for _, k := range kind.MatchesOf(set) {
			if !s.May(k) {
				return false
			}
		}
		return true
	}
	none, empty := ask("lin")
	require.False(t, all(none, shop("兴旺超市", "13800138000")))
	require.Len(t, empty.Bytes, 20)

	one := w.create("lin", "account", "name", "兴旺超市", "phones", []string{"13800138000"})
	w.create("gao", "account", "name", "福来", "phones", []string{"13900139000"})
	_, same := ask("zhou")
	require.Equal(t, empty.Tag, same.Tag, "it is ten minutes old at most")
	w.pass(10*time.Minute - time.Nanosecond)
	_, same = ask("zhou")
	require.Equal(t, empty.Tag, same.Tag)
	w.pass(time.Nanosecond)
	full, made := ask("zhou")
	require.NotEqual(t, empty.Tag, made.Tag)
	require.True(t, all(full, shop("兴旺超市有限公司", "+86 138 0013 8000")) && all(full, shop("福来", "13900139000")))
	require.NotContains(t, string(made.Bytes), "13800138000")
	found := 0
	for i := range 1000 {
		if all(full, shop("没有", fmt.Sprintf("1370000%04d", i))) {
			found++
		}
	}
	require.Less(t, found, 20, "one key of 256 seems to be there")

	w.pass(time.Hour)
	_, again := ask("lin")
	require.Equal(t, made.Tag, again.Tag, "nothing has changed")
	w.write("lin", record.Edit{Op: record.OpDelete, Kind: "account", ID: one})
	w.pass(time.Hour)
	less, _ := ask("lin")
	require.False(t, all(less, shop("兴旺超市", "13800138000")), "what is deleted is not in it")

	theirs := w.newOrg("other")
	w.propose(theirs, record.Edit{
		Op: record.OpCreate, Kind: "account", ID: w.id(), Set: append(shop("福来", "13900139000"), values("owner", person(theirs, "lin"))...),
	})
	out, err := w.online.Fingerprints(t.Context(), w.at(theirs, "lin"), "account")
	require.NoError(t, err)
	read, err := sieve.Read(out.Bytes)
	require.NoError(t, err)
	require.True(t, all(read, shop("福来", "13900139000")))
	require.NotEqual(t, again.Bytes[4:20], out.Bytes[4:20], "its salt is its own")
}

// The id of a customer that was merged away leads to the one that goes on, for
// whoever may see that.
func TestGet_mergedAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.create("lin", "account", "name", "兴旺超市", "phones", []string{"13800138000"})
	other := w.create("lin", "account", "name", "兴旺超市", "phones", []string{"13800138000"})

	a, err := w.online.Get(t.Context(), w.who("lin"), "account", one)
	require.NoError(t, err)
	b, err := w.online.Get(t.Context(), w.who("lin"), "account", other)
	require.NoError(t, err)

	require.NotEqual(t, one, other)
	require.Equal(t, a.ID, b.ID)
	require.Contains(t, []record.ID{one, other}, a.ID)
	for _, id := range []record.ID{one, other} {
		_, err = w.online.Get(t.Context(), w.who("zhou"), "account", id)
		require.Equal(t, errs.Missing, errs.KindOf(err))
	}
}
