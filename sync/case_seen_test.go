package sync_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync"
	"roadbook/version"
)

// What a mutation says it has seen must be there: not beyond the head, no
// replica that nobody knows, no write that nobody has sent, and none of its
// own that are still to come. It is refused alone.
func TestSeen_whatCannotBe(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	head := uint64(len(w.entries()))
	tests := []struct {
		name string
		seen version.Vector
		want string
	}{
		{"the head", version.Vector{version.Log: head}, ""},
		{"beyond the head", version.Vector{version.Log: head + 1}, "seen"},
		{"far beyond", version.Vector{version.Log: 1<<63 - 1}, "seen"},
		{"a replica that nobody knows", version.Vector{"0000001": 1}, "seen"},
		{"a name that no replica has", version.Vector{"k7f2": 1}, "seen"},
		{"nothing of a replica that nobody knows", version.Vector{"0000001": 0}, ""},
		{"a write that nobody has sent", version.Vector{chen.replica: 1}, "seen"},
		{"its own that came before", version.Vector{lin.replica: 1}, ""},
		{"its own that is still to come", version.Vector{lin.replica: 99}, "seen"},
	}
	for _, tt := range tests {
		lin.typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Seen: tt.seen, Set: values("visit_cycle_days", 7)})
	}

	out := lin.push()

	for i, tt := range tests {
		if tt.want == "" {
			require.NotEqual(t, record.Refused, out[i].Result, tt.name)
			continue
		}
		require.Equal(t, record.Refused, out[i].Result, tt.name)
		require.Equal(t, tt.want, refusalCode(out[i]), tt.name)
		require.Equal(t, errs.Invalid, out[i].Refusal.Kind, tt.name)
	}
}

// A field whose own edit has not come back shows that edit, so a later one has
// seen what the first had: what was pulled in between, hidden on the screen,
// is not overwritten in silence.
func TestSeen_ofAFieldWithAPendingEdit(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.edit(shop, values("short_name", "林一"))
	w.pass(time.Minute)
	chen.edit(shop, values("short_name", "陈", "grade", "A"))
	chen.sync()
	lin.pull()
	require.Equal(t, "陈", lin.text(shop, "short_name"), "it came, and the screen shows 林一")
	lin.edit(shop, values("short_name", "林二", "grade", "B"))
	require.Len(t, lin.outbox[1].Edits, 2, "the fields have seen different things")

	out := lin.push()

	require.Len(t, out[1].Clashes, 1)
	require.Equal(t, "short_name", out[1].Clashes[0].Field)
	require.JSONEq(t, `"林二"`, string(out[1].Clashes[0].Kept))
}

// The seq of a push answer is not what was seen: between the pull and the push
// somebody else may have written.
func TestSeen_isNotTheSeqOfAnAnswer(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	chen.edit(shop, values("short_name", "陈"))
	chen.push()
	lin.edit(shop, values("grade", "A"))
	lin.push()
	lin.edit(shop, values("short_name", "林"))

	out := lin.push()

	require.Len(t, out[0].Clashes, 1, "lin has never seen what chen wrote")
}

// The counterexample to lifting a stamp above the value that it replaces only.
// Anna and ben write with the same stamp; cara, whose clock runs behind, has
// read anna's and writes. Whatever the order of arrival, all settle on the
// same: cara's, which comes after the greatest that she can have read.
func TestStamp_liftedAboveTheLogAtSeen(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.pass(3 * time.Hour)
	ends := map[string]bool{}
	for i, order := range [][]string{{"anna", "ben", "cara"}, {"anna", "cara", "ben"}, {"ben", "anna", "cara"}} {
		org := w.newOrg(fmt.Sprint("order ", i))
		anna, ben, cara := w.phoneIn(org, "lin"), w.phoneIn(org, "chen"), w.phoneIn(org, "lin")
		if anna.replica > ben.replica {
			anna, ben = ben, anna // ben wins ties
		}
		first := map[string]*phone{"anna": anna, "ben": ben}
		shop := anna.create("account", values("name", "店", "owner", w.person(org, "lin")))
		anna.outbox[0].Stamp = stampAt(w, -2*time.Hour)
		anna.sync()
		ben.pull()
		for _, p := range first {
			p.edit(shop, values("short_name", map[*phone]string{anna: "anna", ben: "ben"}[p]))
			p.outbox[0].Stamp = stampAt(w, -time.Hour)
		}

		for _, who := range order {
			if p := first[who]; p != nil {
				p.push()
				continue
			}
			cara.pull()
			cara.edit(shop, values("short_name", "cara"))
			cara.outbox[0].Stamp = stampAt(w, -90*time.Minute)
			require.Equal(t, record.Applied, cara.push()[0].Result)
		}

		anna.pull()
		ends[anna.text(shop, "short_name")] = true
	}

	require.Equal(t, map[string]bool{"cara": true}, ends)
}

func stampAt(w *world, d time.Duration) version.Stamp { return version.StampAt(w.now().Add(d)) }

// A stamp is made honest before it counts: cut back to two minutes ahead of
// the server's clock, lifted above the author's last and above all that he can
// have read; and one that cannot be is refused.
func TestStamp_honest(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	at := func(p *phone, s version.Stamp) record.Outcome {
		p.edit(shop, values("visit_cycle_days", 7))
		p.outbox[0].Stamp = s
		return p.push()[0]
	}
	limit := w.now().Add(2 * time.Minute).UnixMilli()

	ahead := at(lin, version.Stamp{MS: limit + 1})
	fits := at(chen, version.Stamp{MS: limit})
	past := at(lin, version.Stamp{})
	chen.pull()
	read := at(chen, version.Stamp{MS: 5})

	require.True(t, ahead.Clamped)
	require.Equal(t, version.Stamp{MS: limit}, *ahead.Stamp)
	require.False(t, fits.Clamped)
	require.Equal(t, version.Stamp{MS: limit}, *fits.Stamp)
	require.Equal(t, ahead.Stamp.Next(), *past.Stamp, "above his own last")
	require.Equal(t, past.Stamp.Next(), *read.Stamp, "above what he has read")
}

// A log position and the vector spelled out for it say the same: what the log
// has up to there. So both give the same verdict on the same history.
func TestSeen_logAndVectorAgree(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	one := newGossip(w, "one")
	two := newGossip(w, "two")
	for seed := range uint64(25) {
		histories := map[*gossip]record.Outcome{}
		for _, g := range []*gossip{one, two} {
			rng := rand.New(rand.NewPCG(seed, 3))
			shop := g.history(rng)
			seen := version.Vector{version.Log: uint64(shop.seqs[rng.IntN(len(shop.seqs))])}
			if g == two {
				seen = g.spelled(seen.Seq())
			}
			histories[g] = g.judge(rng, shop.id, seen)
		}

		a, b := histories[one], histories[two]
		if a.Receipt != "" {
			require.NotEqual(t, a.Receipt, b.Receipt, "a receipt is good in one org only")
		}
		a.Receipt, b.Receipt, a.Over, b.Over = "", "", nil, nil
		require.JSONEq(t, string(js(a)), string(js(b)), "seed %d", seed)
		require.Equal(t, one.fields(), two.fields(), "seed %d", seed)
	}
}

// gossip is an org whose people write the same as those of its twin, under the
// same ids and stamps.
type gossip struct {
	*world

	org    record.OrgID
	phones []*phone
	made   int
	clock  time.Time
	shop   record.ID
}

type told struct {
	id   record.ID
	seqs []record.Seq
}

func newGossip(w *world, name string) *gossip {
	g := &gossip{world: w, clock: w.now()}
	w.rng = rand.New(rand.NewPCG(5, 5)) // the same replicas in both, which decide ties
	person := w.person
	w.person = func(_ record.OrgID, login string) record.ID { return person(0, login) }
	defer func() { w.person = person }()
	g.org = w.newOrg(name)
	for _, login := range []string{"lin", "chen", "lin", "chen"} {
		g.phones = append(g.phones, w.phoneIn(g.org, login))
	}
	return g
}

func (g *gossip) id() record.ID {
	g.made++
	return record.ID{1}.Derive(fmt.Sprint(g.made))
}

// say has a phone write one mutation, with an id and a stamp that the twin org
// has as well.
func (g *gossip) say(p *phone, rng *rand.Rand, e record.Edit) record.Outcome {
	p.typed(e)
	p.outbox[0].ID = g.id()
	p.names[p.n] = p.outbox[0].ID
	p.outbox[0].Stamp = version.StampAt(g.clock.Add(time.Duration(g.made)*time.Second - time.Duration(rng.IntN(60))*time.Minute))
	return p.push()[0]
}

// history is a customer that three phones write to, each having seen some of
// it.
func (g *gossip) history(rng *rand.Rand) told {
	g.shop = g.id()
	h := told{id: g.shop}
	o := g.say(g.phones[0], rng, record.Edit{Op: record.OpCreate, Kind: "account", ID: h.id, Set: values("name", "店")})
	h.seqs = append(h.seqs, o.Seq)
	for range 2 + rng.IntN(6) {
		seen := version.Vector{version.Log: uint64(h.seqs[rng.IntN(len(h.seqs))])}
		o := g.say(g.phones[rng.IntN(3)], rng, g.anything(rng, h.id, seen))
		h.seqs = append(h.seqs, o.Seq)
	}
	return h
}

func (g *gossip) anything(rng *rand.Rand, shop record.ID, seen version.Vector) record.Edit {
	e := record.Edit{Op: record.OpEdit, Kind: "account", ID: shop, Seen: seen}
	text := fmt.Sprint("v", g.made)
	place := map[string]any{"lat": float64(g.made) / 100, "lng": 1, "crs": "wgs84"}
	switch rng.IntN(8) {
	case 0:
		e.Op = record.OpDelete
	case 1:
		e.Set = values("address", text)
	case 2:
		e.Set = values("location", place)
	case 3:
		e.Add = values("tags", []string{"a", "b"})
	case 4:
		e.Remove = values("tags", []string{"a"})
	default:
		e.Set = values("name", text, "short_name", text, "address", text, "external_ids.erp", text)[:1+rng.IntN(4)]
	}
	return e
}

// judge has somebody write who has not written to this customer before.
func (g *gossip) judge(rng *rand.Rand, shop record.ID, seen version.Vector) record.Outcome {
	return g.say(g.phones[3], rng, g.anything(rng, shop, seen))
}

// spelled is the vector that says the same as a place in the log.
func (g *gossip) spelled(seq int64) version.Vector {
	rows, err := g.pool.Query(g.t.Context(), `SELECT replica, max(n) FROM mutations WHERE org = $1 AND seq <= $2 GROUP BY 1`, g.org, seq)
	require.NoError(g.t, err)
	defer rows.Close()
	v := version.Vector{}
	for rows.Next() {
		var id record.ReplicaID
		var n int64
		require.NoError(g.t, rows.Scan(&id, &n))
		v[store.ReplicaName(id)] = uint64(n)
	}
	require.NoError(g.t, rows.Err())
	return v
}

// fields is what the last customer has come to.
func (g *gossip) fields() (text string) {
	require.NoError(g.t, g.pool.QueryRow(g.t.Context(),
		`SELECT state || fields::text FROM records WHERE org = $1 AND id = $2`, g.org, g.shop).Scan(&text))
	return text
}

// A vector may name a write that is judged in the same transaction.
func TestSeen_aWriteOfTheSameGather(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.edit(shop, values("short_name", "林一"))
	lin.edit(shop, values("grade", "A"))
	chen.typed(record.Edit{
		Op: record.OpEdit, Kind: "account", ID: shop, Set: values("short_name", "陈"),
		Seen: version.Vector{version.Log: uint64(chen.base[shop].seq), lin.replica: 2},
	})

	all := []sync.Together{{Who: lin.who, Frame: lin.frame()}, {Who: chen.who, Frame: chen.frame()}}
	w.engine.PushTogether(t.Context(), w.org, all)

	require.NoError(t, all[1].Err)
	require.Equal(t, record.Applied, all[1].Answer.Outcomes[0].Result, "he had met it outside the log")
	require.Equal(t, all[0].Answer.Outcomes[0].Stamp.Next(), *all[1].Answer.Outcomes[0].Stamp, "above that write, and no higher")
}
