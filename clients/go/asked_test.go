package device_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/record"
)

const ownedSchema = `{"version":"4","kinds":[{"kind":"account","fields":[
	{"field":"name","type":"text","policy":"lww"},
	{"field":"credit","type":"text","policy":"owned","by":"finance"},
	{"field":"visits","type":"text","policy":"owned","by":"rep"}]}]}`

// What others answer for is shown as it stands, and what was typed there as
// asked for, until the verdict on it has come back; of one's own field nothing
// is asked.
func TestView_asked(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	first := page("c1", full(acme, 7, "credit", "50", "visits", "3"))
	first.Schema = []byte(ownedSchema)
	p.give(s, first)

	require.NoError(t, p.Edit("account", acme, func(dr *device.Draft) {
		dr.Set("name", "ACME")
		dr.Set("credit", "80")
		dr.Set("visits", "4")
	}))

	v, _ := p.Get(acme)
	require.Equal(t, "ACME", v.Text("name"))
	require.Equal(t, "50", v.Text("credit"))
	require.Equal(t, "4", v.Text("visits"))
	require.JSONEq(t, `{"credit":"80"}`, string(v.Asked.AppendJSON(nil)))
	require.Equal(t, "80", p.last().Edits[0].Set.Text("credit"), "it is sent as typed")

	made := p.create("account", device.Values{"name": "new", "credit": "90", "visits": nil})
	v, _ = p.Get(made)
	require.Nil(t, v.Raw("credit"))
	require.Equal(t, "90", v.Asked.Text("credit"))

	p.push()
	p.give(s, page("c2", part(acme, 9, "name", "ACME"), full(made, 9, "name", "new")))
	for _, id := range []record.ID{acme, made} {
		v, _ = p.Get(id)
		require.Empty(t, v.Asked, "the request is a record of its own now")
	}
}
