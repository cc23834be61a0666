package device_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
)

// What lies outside of what a device is shown goes when it is told so, and not
// when it has asked: until then the server counts on its being here.
func TestPull_whatIsNotWanted(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	pg := page("c1", full(acme, 7, "name", "Acme"), full(bolt, 8, "at", "2026-03-31"))
	pg.Changes[1].Kind = "visit"
	pg.Schema = []byte(`{"version":"4","kinds":[
		{"kind":"visit","month":"at","fields":[]},{"kind":"account","fields":[]}]}`)
	pg.Want = &wire.Want{From: "2026-03"}
	p.give(s, pg)
	require.NoError(t, p.Want(wire.Want{From: "2026-04"}))
	require.Len(t, p.List("visit"), 1)

	next := page("c2")
	next.Want = &wire.Want{From: "2026-04"}
	p.give(s, next)
	p.reopen()

	require.Empty(t, p.List("visit"))
	require.Len(t, p.List("account"), 1, "what has no date belongs to every period")
	next = page("c3", full(bolt, 8, "at", "2026-05-31"))
	next.Changes[0].Kind = "visit"
	next.Want = &wire.Want{From: "2026-04", Kinds: []string{"visit"}}
	p.give(s, next)
	require.Len(t, p.List("visit"), 1, "it goes before what comes")
	require.Empty(t, p.List("account"))
}

// A kind that is withdrawn goes as a whole, a map with all its keys.
func TestPull_withdraw(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	pg := page("c1", full(acme, 7, "name", "Acme", "external_ids.erp", "7"), full(bolt, 8, "summary", "ok"))
	pg.Changes[1].Kind = "visit"
	p.give(s, pg)

	next := page("c2")
	next.Withdraw = []wire.Withdraw{{Kind: "visit"}, {Kind: "account", Fields: []string{"external_ids"}}}
	p.give(s, next)
	p.reopen()

	require.Empty(t, p.List("visit"))
	require.Equal(t, "Acme", p.text(acme, "name"))
	require.Empty(t, p.text(acme, "external_ids.erp"))
}

// A field that comes into sight again is on the form before its value is
// here. What is typed into it meanwhile has not seen that value.
func TestPull_typedBeforeTheValueCame(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	first := page("c1", full(acme, 7, "name", "Acme"))
	first.Schema = []byte(`{"version":"4","kinds":[{"kind":"account","fields":[{"field":"name","type":"text","policy":"lww"},{"field":"short_name","type":"text","policy":"lww"}]}]}`)
	p.give(s, first)
	grown := page("c2")
	grown.Filling, grown.Schema = true, []byte(`{"version":"5","kinds":[{"kind":"account","fields":[
		{"field":"name","type":"text","policy":"lww"},{"field":"short_name","type":"text","policy":"lww"},{"field":"remark","type":"text","policy":"lww"}]}]}`)
	s.next("/v1/sync/pull", answer(grown), answer("cut"))
	_, err := p.Pull(t.Context())
	require.Error(t, err)

	p.set(acme, "remark", "typed")
	require.Zero(t, p.last().Edits[0].Seen.Seq())
	p.set(acme, "short_name", "A")
	require.EqualValues(t, 7, p.last().Edits[0].Seen.Seq(), "empty, and nothing else is known of it")
	p.set(acme, "name", "ACME")
	require.EqualValues(t, 7, p.last().Edits[0].Seen.Seq(), "this has been here all along")
}

// Pins are asked for by name until they are taken back; none at all is said so.
func TestPin(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	require.NoError(t, p.Want(wire.Want{From: "2026-03"}))
	require.NoError(t, p.Pin(acme))
	require.NoError(t, p.Pin(acme))
	require.NoError(t, p.Pin(bolt))
	p.reopen()
	refusing := page("c1")
	refusing.PinsRefused = []record.ID{bolt}
	s.next("/v1/sync/pull", answer(refusing))
	r, err := p.Pull(t.Context())
	require.NoError(t, err)
	require.Equal(t, []record.ID{bolt}, r.NotPinned)
	require.Equal(t, &wire.Want{From: "2026-03", Pins: []record.ID{acme, bolt}}, s.pulls()[0].Want)

	require.NoError(t, p.Unpin(acme))
	require.NoError(t, p.Unpin(bolt))
	p.reopen()
	p.pull()
	require.Equal(t, &wire.Want{From: "2026-03", Pins: []record.ID{}}, s.pulls()[1].Want)

	ids := newIDs()
	for range wire.MaxPins {
		require.NoError(t, p.Pin(ids()))
	}
	require.ErrorContains(t, p.Pin(acme), "at most 20")
}
