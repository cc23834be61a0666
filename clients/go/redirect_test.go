package device_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/record"
	"roadbook/sync/wire"
)

// gone is a record that goes on as acme, third is what acme may go on as.
var (
	gone  = record.MustID("0190a0b0-0000-7000-8000-0000000000de")
	third = record.MustID("0190a0b0-0000-7000-8000-00000000003d")
)

// redirect leads from one record to another.
func redirect(dead, survivor record.ID, seq record.Seq, state string) wire.Change {
	set := texts("dead", dead.String())
	set = append(set, texts("survivor", survivor.String())...)
	return wire.Change{Kind: "merge_redirect", ID: dead.Derive("merge_redirect"), Seq: seq, Full: true, Set: append(set, texts("state", state)...)}
}

func deleted(id record.ID, seq record.Seq) wire.Change {
	return wire.Change{Kind: "account", ID: id, Seq: seq, Gone: wire.GoneDeleted}
}

func (p *phone) ids(kind string) (ids []record.ID) {
	for _, v := range p.List(kind) {
		ids = append(ids, v.ID)
	}
	return ids
}

// Once it is known that two are one, one is shown, under either id, with what
// was typed for the other before that was known. What was typed is not written
// anew: the server leads it on.
func TestRedirect_oneIsShown(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, withSchema("c1", full(acme, 7, "name", "Acme"), full(gone, 8, "name", "ACME")))
	visit := p.create("visit", device.Values{"account": gone, "summary": "before"})
	require.NoError(t, p.Edit("account", gone, func(dr *device.Draft) { dr.Set("remark", "typed before"); dr.Inc("points", 2) }))
	require.Len(t, p.List("account"), 2)
	sent := p.Outbox()

	p.give(s, page("c2", deleted(gone, 9), redirect(gone, acme, 9, "merged")))

	for range 2 { // and after a restart
		require.Equal(t, []record.ID{acme}, p.ids("account"))
		for _, id := range []record.ID{acme, gone} {
			v, there := p.Get(id)
			require.True(t, there)
			require.Equal(t, acme, v.ID)
			require.True(t, v.Pending)
			require.Equal(t, "Acme", v.Text("name"))
			require.Equal(t, "typed before", v.Text("remark"))
			require.Equal(t, int64(2), v.Number("points"))
		}
		require.Equal(t, acme.String(), p.text(visit, "account"), "what refers to the other refers to the one")
		require.Equal(t, sent, p.Outbox())
		note, _ := p.Get(gone.Derive("merge_redirect"))
		require.Equal(t, gone.String(), note.Text("dead"), "the note itself says what it says")
		p.reopen()
	}

	p.set(gone, "name", "from an old screen")
	require.Equal(t, acme, p.last().Edits[0].ID, "what is typed from now on is for the one")
	require.Equal(t, logSeen(7), p.last().Edits[0].Seen, "as it was seen")
	require.NoError(t, p.Delete("account", gone))
	require.Equal(t, acme, p.last().Edits[0].ID)
	require.Empty(t, p.List("account"))
}

// A customer that was made here and merged away before it came back is shown
// once: its create is in the other already.
func TestRedirect_ofWhatWasMadeHere(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, withSchema("c1"))
	mine := p.create("account", device.Values{"name": "ACME", "points": 2})
	p.push()

	p.give(s, page("c2", full(acme, 101, "name", "Acme"), redirect(mine, acme, 101, "merged")))

	require.Equal(t, []record.ID{acme}, p.ids("account"))
	v, there := p.Get(mine)
	require.True(t, there)
	require.Equal(t, acme, v.ID)
	require.Equal(t, "Acme", v.Text("name"))
	require.Zero(t, v.Number("points"), "it is counted by the server, and not once more")
}

// Merges follow each other; whoever says that one was a mistake has both again.
// Without the redirect nothing leads on.
func TestRedirect_followsAndEnds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, withSchema("c1", full(third, 7, "name", "Third"), redirect(gone, acme, 8, "merged"), redirect(acme, third, 9, "merged")))
	v, there := p.Get(gone)
	require.True(t, there)
	require.Equal(t, third, v.ID)

	p.give(s, page("c2", full(acme, 10, "name", "Acme"), redirect(acme, third, 10, "split")))
	v, _ = p.Get(gone)
	require.Equal(t, acme, v.ID)
	require.Equal(t, record.SortedIDs([]record.ID{acme, third}), p.ids("account"))

	p.give(s, page("c3", full(gone, 11, "name", "Gone"), wire.Change{
		Kind: "merge_redirect", ID: gone.Derive("merge_redirect"), Seq: 11, Set: texts("state", "split"),
	}))
	require.Equal(t, "Gone", p.text(gone, "name"))
	require.Len(t, p.List("account"), 3)

	p.give(s, page("c4", redirect(gone, acme, 12, "merged")))
	require.Equal(t, "Acme", p.text(gone, "name"))
	p.give(s, page("c5", wire.Change{Kind: "merge_redirect", ID: gone.Derive("merge_redirect"), Seq: 13, Gone: wire.GoneDeleted}))
	require.Equal(t, "Gone", p.text(gone, "name"), "and when the redirect has gone")
}

// What makes no sense does no harm: a ring, a redirect without an end, a chain
// that is longer than any server makes.
func TestRedirect_broken(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	bare := redirect(third, acme, 8, "merged")
	bare.Set = texts("state", "merged")
	first := withSchema("c1", full(acme, 7, "name", "Acme"), redirect(gone, acme, 8, "merged"), redirect(acme, gone, 8, "merged"), bare)
	at := third
	for i := range 20 {
		next := third.Derive(fmt.Sprint(i))
		first.Changes = append(first.Changes, redirect(at, next, 9, "merged"))
		at = next
	}

	p.give(s, first)

	for _, id := range []record.ID{acme, gone, third} {
		require.NotPanics(t, func() { p.Get(id) })
	}
	require.Equal(t, "Acme", p.text(acme, "name"))
	require.NotPanics(t, func() { p.List("account") })
}

// A page may end between the redirect and the news that the other has gone.
func TestRedirect_beforeTheOtherHasGone(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)

	p.give(s, withSchema("c1", full(acme, 7, "name", "Acme"), full(gone, 8, "name", "ACME"), redirect(gone, acme, 9, "merged")))

	require.Equal(t, []record.ID{acme}, p.ids("account"))
}
