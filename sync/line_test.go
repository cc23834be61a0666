package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// The line, end to end: an edit travels from one phone to another.
func TestLine(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, zhou := w.phone("lin"), w.phone("chen"), w.phone("zhou")
	for _, p := range []*phone{lin, chen, zhou} {
		p.pull()
	}
	shop := lin.create("account", values("name", "兴旺超市", "phones", []string{"13800138000"}))
	out := lin.push()
	require.Equal(t, record.Applied, out[0].Result, "%+v", out[0].Refusal)

	for _, p := range []*phone{lin, chen, zhou} {
		p.pull()
	}
	require.Equal(t, "兴旺超市", lin.text(shop, "name"))
	require.Equal(t, "兴旺超市", chen.text(shop, "name"), "his manager holds it")
	require.False(t, zhou.has(shop), "his colleague does not")

	chen.edit(shop, values("short_name", "兴旺"))
	lin.edit(shop, values("remark", "老板姓王"))
	chen.sync()
	lin.sync()
	chen.sync()
	for _, p := range []*phone{lin, chen} {
		require.Equal(t, "兴旺", p.text(shop, "short_name"))
		require.Equal(t, "老板姓王", p.text(shop, "remark"))
	}
	require.False(t, chen.pages[0].Changes[0].Full, "only what is new travels")
}

// Who made a record is what the token says, whatever the form says.
func TestCommit_nobodySignsForSomebodyElse(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	shop := lin.create("account", values("name", "兴旺超市", "created_by", person(w.org, "zhou").String()))

	lin.sync()

	require.Equal(t, person(w.org, "lin").String(), lin.text(shop, "created_by"))
}
