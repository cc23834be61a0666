package sync_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// A conflict about a field that is not for everybody carries none of its values:
// whoever sees the record sees the conflict.
func TestInbox_ofAHiddenField(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	stored, err := w.schema.Stored()
	require.NoError(t, err)
	next, err := record.ParseSchema(stored)
	require.NoError(t, err)
	next.Version = "2"
	next.Kind("account").Field("tax_no").Readers = []string{"manager"}
	require.NoError(t, w.engine.Publish(t.Context(), w.org, next))
	other := w.phone("chen")
	for _, p := range []*phone{chen, other, lin} {
		p.pull()
	}
	chen.edit(shop, values("tax_no", "91310000MA1K"))
	other.edit(shop, values("tax_no", "91310000MB2L"))
	chen.push()
	asked := *other.push()[0].Clashes[0].Conflict
	lin.pull()
	require.True(t, lin.has(asked))
	require.NotContains(t, lin.raw(asked, "values"), "9131")

	chen.pull()
	chen.edit(shop, values("tax_no", "91310000MC3M"))
	chen.sync()
	lin.pull()

	require.Equal(t, "resolved", lin.text(asked, "state"))
	for _, page := range lin.pages {
		text, err := json.Marshal(page)
		require.NoError(t, err)
		require.NotContains(t, string(text), "9131")
	}
}

// Who has decided, and that it was asked at all, is not for anybody to change.
func TestInbox_isNotForged(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop, asked := clashed(t, w, "name", "兴旺", "兴旺超市", "兴旺百货")
	inbox := func(p *phone, set record.Values) record.Outcome {
		e := p.change(asked)
		e.Kind, e.Set = "conflict", set
		id := p.typed(e)
		p.sync()
		return p.outs[id]
	}
	lin.remove(asked)
	lin.sync()
	chen.pull()
	require.True(t, chen.has(asked), "it is not deleted")
	for _, set := range []record.Values{
		values("resolver", chen.who.Person), values("state", "open"), values("state", "expired"), values("state", nil),
		values("state", "open", "chosen", "兴旺"),
	} {
		out := inbox(lin, set)
		require.Equal(t, record.Refused, out.Result, "%v", set)
		require.Equal(t, "inbox", out.Refusal.Code)
	}

	lin.decide(asked, shop, "name", "兴旺超市")
	lin.sync()
	inbox(lin, values("chosen", "兴旺百货", "resolver", chen.who.Person))
	lin.pull()

	require.Equal(t, lin.who.Person.String(), lin.text(asked, "resolver"))
	require.Equal(t, record.Refused, inbox(lin, values("state", "open")).Result)
}

// Who changes his mind has decided anew: a third who did not know of that is told.
func TestInbox_aChangeOfMind(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop, asked := clashed(t, w, "name", "兴旺", "兴旺超市", "兴旺百货")
	late := w.phone("lin")
	lin.decide(asked, shop, "name", "兴旺超市")
	lin.sync()
	late.pull()
	late.decide(asked, shop, "name", "三")
	chen.pull()
	chen.decide(asked, shop, "name", "兴旺百货")
	chen.sync()

	late.sync()
	lin.pull()

	require.Equal(t, "兴旺百货", lin.text(shop, "name"))
	require.Equal(t, "兴旺百货", lin.text(asked, "chosen"))
	require.Equal(t, chen.who.Person.String(), lin.text(asked, "resolver"))
}

// A question about a delete goes to the new owner as well, though it is about no
// field.
func TestInbox_ofADeleteIsHandedOver(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.edit(shop, values("name", "兴旺"))
	lin.sync()
	chen.remove(shop)
	asked := *chen.push()[0].Clashes[0].Conflict
	chen.pull()
	chen.edit(shop, values("owner", w.person(w.org, "gao")))
	chen.sync()
	w.settles()
	lin.pull()
	gao := w.phone("gao")
	gao.pull()

	require.False(t, lin.has(asked))
	require.Equal(t, gao.who.Person.String(), gao.text(asked, "owner"))
}
