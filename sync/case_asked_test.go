package sync_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// asking are the open conflicts about a field that somebody holds, by the record
// that they are about.
func (p *phone) asking(field string) (about []string) {
	for id, h := range p.base {
		if h.kind == "conflict" && h.set["field"] == `"`+field+`"` && p.text(id, "state") == "open" {
			about = append(about, p.text(id, "record"))
			require.Equal(p.w.t, p.text(p.text2id(id, "record"), "owner"), p.text(id, "owner"), "it is its owner's")
		}
	}
	slices.Sort(about)
	return about
}

func (p *phone) text2id(id record.ID, field string) record.ID {
	return record.MustID(p.text(id, field))
}

// questioned is a customer of lin's about whose stage people are asked, and one
// that gao is about to enter, which is the same.
func questioned(w *world, stage string) (lin, gao *phone, ids []record.ID) {
	lin, gao = w.phone("lin"), w.phone("gao")
	chen := w.phone("chen")
	lin.pull()
	gao.pull()
	ids = w.ids(2)
	lin.makes(ids[1], "account", append(shopValues(0), values("stage", "prospect")...))
	lin.sync()
	lin.pull()
	chen.pull()
	chen.edit(ids[1], values("stage", "customer"))
	chen.sync()
	w.pass(time.Minute)
	lin.edit(ids[1], values("stage", "lost"))
	lin.sync()
	w.pass(time.Minute)
	set := shopValues(0)
	if stage != "" {
		set = append(set, values("stage", stage)...)
	}
	gao.makes(ids[0], "account", set)
	return lin, gao, ids
}

// Of a customer that is merged away people are asked as before: once, of the one
// that it goes on as, with all that stands against each other; whoever writes the
// field and knows that has answered. An undone merge asks of each what it was asked.
func TestDuplicate_questionsGoAlong(t *testing.T) {
	t.Parallel()

	for _, stage := range []string{"interested", ""} { // the other has something there as well, or nothing
		for _, answered := range []bool{false, true} {
			w := newWorld(t)
			lin, gao, ids := questioned(w, stage)
			gao.sync()
			w.settles()
			lin.pull()
			require.Equal(t, []string{ids[0].String()}, lin.asking("stage"), stage)
			for id, h := range lin.base {
				if h.kind == "conflict" && lin.text(id, "state") == "open" && h.set["field"] == `"stage"` {
					for _, value := range []string{"customer", "lost", stage} {
						require.Contains(t, h.set["values"], value)
					}
				}
			}
			if answered {
				lin.edit(ids[0], values("stage", "regular"))
				lin.sync()
				lin.pull()
				require.Empty(t, lin.asking("stage"))
			}
			require.Empty(t, w.inspect(false))

			gao.pull()
			no := gao.edit(ids[1].Derive("merge_redirect"), values("state", "split"))
			gao.sync()
			w.settles()
			lin.pull()
			require.Equal(t, record.Applied, gao.outs[no].Result, "%+v", gao.outs[no].Refusal)
			require.Equal(t, []string{ids[1].String()}, lin.asking("stage"), "it is lin's question again")
			gao.pull()
			require.Empty(t, gao.asking("stage"))
			lin.edit(ids[1], values("stage", "regular"))
			lin.sync()
			lin.pull()
			require.Empty(t, lin.asking("stage"))
			require.Empty(t, w.inspect(false))
		}
	}
}

// The survivor had a question of its own: with that of the other it is one, and
// each is its own again when the merge is undone.
func TestDuplicate_questionOfTheSurvivor(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, gao, ids := questioned(w, "interested")
	admin := w.phone("admin")
	made := gao.outbox
	made[0].Edits[0].Set = made[0].Edits[0].Set.With("name", []byte(`"另一家"`))
	gao.sync()
	admin.pull()
	admin.edit(ids[0], values("stage", "lost"))
	admin.sync()
	w.pass(time.Minute)
	gao.edit(ids[0], values("stage", "customer"))
	gao.sync()
	gao.pull()
	require.Equal(t, []string{ids[0].String()}, gao.asking("stage"))
	lin.pull()
	require.Equal(t, []string{ids[1].String()}, lin.asking("stage"))

	gao.edit(ids[0], values("name", "兴旺超市"))
	gao.sync()
	w.settles()
	gao.pull()
	require.Equal(t, []string{ids[0].String()}, gao.asking("stage"))
	gao.edit(ids[1].Derive("merge_redirect"), values("state", "split"))
	gao.sync()
	w.settles()
	gao.pull()
	lin.pull()
	require.Equal(t, []string{ids[0].String()}, gao.asking("stage"))
	require.Equal(t, []string{ids[1].String()}, lin.asking("stage"))

	gao.edit(ids[0], values("stage", "regular"))
	gao.sync()
	gao.pull()
	require.Empty(t, gao.asking("stage"), "whoever knows it answers it")
	require.Empty(t, w.inspect(false))
}

// What was asked of finance about the one that goes is asked about the survivor,
// and about itself again if that is undone, unless finance has declined.
func TestDuplicate_requestsGoAlong(t *testing.T) {
	t.Parallel()

	for answer, after := range map[string]string{"accepted": "open", "answered": "open", "declined": "declined", "": "open"} {
		w := newWorld(t)
		lin, gao, admin, fin := w.phone("lin"), w.phone("gao"), w.phone("admin"), w.phone("fin")
		fin.who.Roles = []string{"finance"}
		ids := w.ids(2)
		gao.makes(ids[1], "account", shopValues(1))
		gao.sync()
		gao.pull()
		gao.edit(ids[1], values("credit_limit", "5000"))
		gao.sync()
		lin.makes(ids[0], "account", shopValues(0))
		lin.sync()
		w.settles()
		admin.pull()
		fin.pull()
		var asked record.ID
		for id, h := range admin.base {
			if h.kind == "request" {
				asked = id
				require.Equal(t, ids[0].String(), admin.text(id, "record"))
			}
		}
		switch answer {
		case "accepted":
			fin.edit(ids[0], values("credit_limit", "5000"))
		case "answered":
			fin.edit(ids[0], values("credit_limit", "3000"))
		case "declined":
			fin.edit(asked, values("state", "declined"))
		}
		fin.sync()
		admin.pull()
		if answer != "" {
			require.Equal(t, answer, admin.text(asked, "state"))
		}

		admin.edit(ids[1].Derive("merge_redirect"), values("state", "split"))
		admin.sync()
		w.settles()
		admin.pull()
		require.True(t, admin.has(ids[1]))
		require.Equal(t, after, admin.text(asked, "state"), answer)
		require.Equal(t, ids[1].String(), admin.text(asked, "record"))
		fin.pull()
		fin.edit(ids[0], values("credit_limit", "9000"))
		fin.sync()
		admin.pull()
		require.Equal(t, after, admin.text(asked, "state"), "it is not about that one")
		fin.edit(ids[1], values("credit_limit", "5000"))
		fin.sync()
		admin.pull()
		if after == "open" {
			require.Equal(t, "accepted", admin.text(asked, "state"))
		}
		require.Empty(t, w.inspect(false))
	}
}
