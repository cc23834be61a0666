package online_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/online"
)

// told is a history as text: op, and each field as before > after, with what
// was lost behind it.
func told(h online.History) (lines []string) {
	for _, c := range h.Changes {
		line := string(c.Op)
		for _, f := range c.Fields {
			if slices.Contains([]string{"created_at", "created_by", "received_at", "owner"}, f.Field) {
				continue
			}
			line += " " + f.Field + "=" + string(f.Before) + ">" + string(f.After)
			if f.Lost != nil {
				line += "!" + string(f.Lost)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func (w *world) history(login, kind string, id record.ID, after record.Seq, limit int) online.History {
	w.t.Helper()
	h, err := w.online.History(w.t.Context(), w.who(login), kind, id, after, limit)
	require.NoError(w.t, err)
	return h
}

// A history tells of every change what stood before and after, and what was
// typed and lost.
func TestHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "a", "tags", []string{"vip"}, "points", 5)
	one := w.write("lin", edit("account", shop, 0, "name", "b", "grade", "A"))
	w.pass(1)
	w.write("lin", record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Inc: values("points", -2), Add: values("tags", []string{"夜市"}), Remove: values("tags", []string{"vip"})})
	w.write("chen", edit("account", shop, one.Seq, "grade", nil))
	w.create("lin", "contact", "account", shop, "name", "王芳")
	w.write("zhou", edit("account", w.create("zhou", "account", "name", "z"), 0, "name", "y"))
	w.write("lin", edit("account", shop, 0, "last_contact_at", "2026-11-21T09:00:00Z"))
	w.write("lin", edit("account", shop, 0, "last_contact_at", "2026-11-20T09:00:00Z"))

	want := []string{
		`edit last_contact_at="2026-11-21T09:00:00Z">"2026-11-21T09:00:00Z"!"2026-11-20T09:00:00Z"`,
		`edit last_contact_at=null>"2026-11-21T09:00:00Z"`,
		`edit`, // a contact was hung under it
		`edit grade="A">null`,
		`edit points=5>3 tags=["vip"]>["夜市"]`,
		`edit grade=null>"A" name="a">"b"`,
		`create name=null>"a" points=null>5 tags=null>["vip"]`,
	}
	all := w.history("chen", "account", shop, 0, 0)
	require.Equal(t, want, told(all))
	require.Zero(t, all.After)
	require.Equal(t, person(w.org, "chen"), all.Changes[3].Person)
	require.True(t, all.Changes[2].Server)
	require.Equal(t, one.Seq, all.Changes[5].Seq)
	require.Equal(t, one.ID, all.Changes[5].ID)

	var paged []string
	for after := record.Seq(0); ; {
		h := w.history("lin", "account", shop, after, 3)
		paged = append(paged, told(h)...)
		if after = h.After; after == 0 {
			break
		}
	}
	require.Equal(t, want, paged)

	for _, login := range []string{"zhou", "gao"} {
		_, err := w.online.History(t.Context(), w.who(login), "account", shop, 0, 0)
		require.Equal(t, errs.Missing, errs.KindOf(err))
	}
	_, err := w.online.History(t.Context(), w.who("lin"), "account", shop, 0, online.MaxChanges+1)
	require.Equal(t, "limit", errs.CodeOf(err))
	require.Len(t, w.history("lin", "account", shop, 0, online.MaxChanges).Changes, len(want))
}

// What is hidden from somebody is in no history that he reads.
func TestHistory_hidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zhou := person(w.org, "zhou")
	w.propose(w.org, edit("user", zhou, 0, "mobile", "13900139000"))

	require.Equal(t, `edit mobile=null>"13900139000"`, told(w.history("chen", "user", zhou, 0, 1))[0])
	require.Equal(t, `edit`, told(w.history("lin", "user", zhou, 0, 1))[0])
}

// What lost against somebody's concurrent change can be brought back, by whoever
// sees it, as a change that has seen what stands there.
func TestRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "a")
	first := w.write("lin", edit("account", shop, 0, "short_name", "lins", "grade", "A"))
	w.pass(1e9)
	w.write("chen", edit("account", shop, w.get("chen", "account", shop).Seq, "short_name", "chens"))
	dot := w.history("lin", "account", shop, 0, 0).Changes[1].Dot
	require.Equal(t, first.Seq, w.history("lin", "account", shop, 0, 0).Changes[1].Seq)
	key := w.id()

	out, err := w.online.Restore(t.Context(), w.who("lin"), key, "account", shop, "short_name", dot)
	require.NoError(t, err)
	again, err := w.online.Restore(t.Context(), w.who("lin"), key, "account", shop, "short_name", dot)
	require.NoError(t, err)

	require.Equal(t, record.Applied, out.Result)
	require.True(t, again.Repeated)
	require.Equal(t, out.Seq, again.Seq)
	rec := w.get("lin", "account", shop)
	require.Equal(t, out.Seq, rec.Seq)
	require.JSONEq(t, `"lins"`, string(rec.Values.Get("short_name")))
	other, err := w.online.Restore(t.Context(), w.who("lin"), key, "account", shop, "grade", dot)
	require.NoError(t, err)
	require.Equal(t, "rewritten", other.Refusal.Code, "another field under the same key")
	_, err = w.online.Restore(t.Context(), w.who("zhou"), w.id(), "account", shop, "short_name", dot)
	require.Equal(t, errs.Missing, errs.KindOf(err))
	nothing := dot
	nothing.N = 99
	for _, field := range []string{"name", "tags", "points", "nosuch"} {
		_, err = w.online.Restore(t.Context(), w.who("lin"), w.id(), "account", shop, field, dot)
		require.Equal(t, "restore", errs.CodeOf(err), field)
	}
	_, err = w.online.Restore(t.Context(), w.who("lin"), w.id(), "account", shop, "short_name", nothing)
	require.Equal(t, "restore", errs.CodeOf(err))
}

// A value that has lost is in the history of the change that lost, and comes
// back by its dot.
func TestRestore_lost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "a")
	w.write("lin", edit("account", shop, 0, "last_contact_at", "2026-11-21T09:00:00Z"))
	lost := w.write("chen", edit("account", shop, 0, "created_at", "2020-01-01T00:00:00Z", "short_name", "s"))
	require.Equal(t, record.Merged, lost.Result)
	h := w.history("lin", "account", shop, 0, 1)
	i := slices.IndexFunc(h.Changes[0].Fields, func(f online.FieldChange) bool { return f.Field == "created_at" })
	require.JSONEq(t, `"2020-01-01T00:00:00Z"`, string(h.Changes[0].Fields[i].Lost))

	out, err := w.online.Restore(t.Context(), w.who("lin"), w.id(), "account", shop, "short_name", h.Changes[0].Dot)

	require.NoError(t, err)
	require.NotEqual(t, record.Refused, out.Result)
}

// It tells on which device a change was typed, when, and when it arrived; and
// what somebody typed into a text that was merged.
func TestHistory_whereFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create("lin", "account", "name", "a", "remark", "一\n二")
	made := w.history("lin", "account", shop, 0, 0).Changes[0]
	w.pass(time.Second)
	w.write("lin", edit("account", shop, made.Seq, "remark", "甲\n二"))
	w.write("chen", edit("account", shop, made.Seq, "remark", "一\n乙"))

	all := w.history("lin", "account", shop, 0, 0).Changes

	require.Equal(t, []record.ID{w.who("chen").Device, w.who("lin").Device, w.who("lin").Device},
		[]record.ID{all[0].Device, all[1].Device, all[2].Device})
	require.True(t, all[0].Came.After(all[2].Came))
	require.JSONEq(t, `"甲\n乙"`, string(all[0].Fields[0].After))
	require.JSONEq(t, `"一\n乙"`, string(all[0].Fields[0].Typed))
	require.JSONEq(t, `"甲\n二"`, string(all[0].Fields[0].Before))
	require.Nil(t, all[1].Fields[0].Typed)
}
