package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/shipped"
)

// requests are the change requests on a phone, by what is asked for.
func (p *phone) requests() map[string]record.ID {
	all := map[string]record.ID{}
	for id, h := range p.base {
		if h.kind == "request" {
			all[p.text(id, "asked")] = id
		}
	}
	return all
}

// What a rep writes into a field that finance answers for changes nothing and
// refuses nothing: the rest applies, finance is asked, and its next write that
// knows of it is the answer, which the rep sees.
func TestOwned_finance(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	fin := w.phone("fin")
	fin.pull()
	fin.edit(shop, values("credit_limit", "50000"))
	require.Equal(t, record.Applied, fin.push()[0].Result, "who answers for a field may write it, also where his role writes nothing else")
	lin.pull()

	lin.edit(shop, values("credit_limit", "80000", "grade", "A"))
	out := lin.push()[0]
	require.Equal(t, record.Merged, out.Result)
	require.Equal(t, "requested", out.Clashes[0].Code)
	require.JSONEq(t, `"50000"`, string(out.Clashes[0].Kept))
	require.JSONEq(t, `"80000"`, string(out.Clashes[0].Lost))
	lin.pull()
	require.Equal(t, "50000", lin.text(shop, "credit_limit"))
	require.Equal(t, "A", lin.text(shop, "grade"))

	fin.pull()
	asked := fin.requests()[`"80000"`]
	require.Equal(t, *out.Clashes[0].Conflict, asked)
	require.Equal(t, "open", fin.text(asked, "state"))
	require.Equal(t, "finance", fin.text(asked, "by"))
	require.Equal(t, person(w.org, "lin").String(), fin.text(asked, "owner"))
	require.JSONEq(t, `"50000"`, fin.text(asked, "stood"))

	fin.edit(shop, values("credit_limit", "60000"))
	fin.push()
	lin.pull()
	require.Equal(t, "60000", lin.text(shop, "credit_limit"))
	require.Equal(t, "answered", lin.text(asked, "state"))
	require.Equal(t, person(w.org, "fin").String(), lin.text(asked, "resolver"))
}

// Finance declines, a rep asks for something else or takes it back, and nobody
// else decides.
func TestOwned_decisions(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	fin := w.phone("fin")
	lin.edit(shop, values("receivable", "1"))
	lin.edit(shop, values("receivable", "2"))
	lin.sync()
	all := lin.requests()
	require.Equal(t, "replaced", lin.text(all[`"1"`], "state"))

	chen.pull()
	fin.pull()
	for _, try := range []struct {
		p    *phone
		set  record.Values
		code string
	}{
		{chen, values("state", "declined"), "request"},
		{chen, values("state", "withdrawn"), "request"},
		{fin, values("state", "accepted"), "request"},
		{fin, values("state", "withdrawn"), "request"},
		{fin, values("asked", `"9"`), "request"},
		{lin, values("state", "declined"), "request"},
		{fin, values("state", "declined", "reason", "先回款"), ""},
		{lin, values("state", "withdrawn"), "answered"},
	} {
		try.p.edit(all[`"2"`], try.set)
		require.Equal(t, try.code, refusalCode(try.p.push()[0]), "%s %s", try.p.who.Person, try.set.AppendJSON(nil))
		try.p.pull()
	}
	lin.pull()
	require.Equal(t, "declined", lin.text(all[`"2"`], "state"))
	require.Equal(t, "先回款", lin.text(all[`"2"`], "reason"))

	lin.edit(shop, values("receivable", "3"))
	lin.sync()
	lin.edit(lin.requests()[`"3"`], values("state", "withdrawn"))
	require.Empty(t, refusalCode(lin.push()[0]))
	fin.pull()
	fin.edit(shop, values("receivable", "3"))
	fin.push()
	lin.pull()
	require.Equal(t, "withdrawn", lin.text(lin.requests()[`"3"`], "state"), "what was decided by hand stays as it was decided")
	require.Equal(t, "3", lin.text(shop, "receivable"))

	lin.create("request", values("record", shop, "field", "receivable", "state", "open"))
	require.Equal(t, "server_kind", refusalCode(lin.push()[0]))
	lin.remove(shop)
	require.Empty(t, refusalCode(lin.push()[0]), "requests about it are no reason to keep a record")
}

// A new customer may be typed with what finance answers for, and a request goes
// to the program that answers for a product, of whoever sees it.
func TestOwned_newAndCatalogue(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.propose(w.org, record.Edit{Op: record.OpCreate, Kind: "user", ID: person(w.org, "erp"), Set: values(
		"login", "erp", "name", "ERP", "roles", []string{"erp"}, "status", "active", "owner", person(w.org, "erp"))})
	product := w.id()
	w.propose(w.org, record.Edit{Op: record.OpCreate, Kind: "product", ID: product, Set: values(
		"name", "可乐", "stock", 40, "owner", person(w.org, "admin"))})
	lin, erp := w.phone("lin"), w.phone("erp")
	shop := lin.create("account", values("name", "新店", "credit_limit", "100"))
	lin.sync()
	require.Empty(t, lin.text(shop, "credit_limit"))
	require.Len(t, lin.requests(), 1)

	lin.edit(product, values("stock", 38))
	require.Equal(t, "requested", lin.push()[0].Clashes[0].Code)
	lin.edit(product, values("stock", 38, "name", "雪碧"))
	require.Equal(t, "catalogue", refusalCode(lin.push()[0]), "the rest is as it was")
	erp.pull()
	require.Equal(t, "open", erp.text(erp.requests()["38"], "state"))
	erp.edit(product, values("stock", 38))
	require.Equal(t, record.Applied, erp.push()[0].Result)
	lin.pull()
	require.Equal(t, "38", lin.raw(product, "stock"))
	require.Equal(t, "accepted", lin.text(lin.requests()["38"], "state"))
}

// A field that was the server's becomes owned when the schema is published anew:
// what stood there stays, and it can be asked for from then on.
func TestOwned_wasTheServers(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, _, shop := twoOn(w)
	old, err := record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	old.Version = "0"
	field := old.Kind("account").Field("credit_limit")
	field.Policy, field.By = record.Server, ""
	require.NoError(t, w.engine.Publish(t.Context(), w.org, old))
	w.propose(w.org, record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Set: values("credit_limit", "700")})
	lin.pull()
	lin.edit(shop, values("credit_limit", "800"))
	require.Equal(t, "server_field", refusalCode(lin.push()[0]))

	require.NoError(t, w.engine.Publish(t.Context(), w.org, shipped.Schema()))
	lin.pull()
	require.Equal(t, "700", lin.text(shop, "credit_limit"))
	lin.edit(shop, values("credit_limit", "800"))
	require.Equal(t, "requested", lin.push()[0].Clashes[0].Code)
}
