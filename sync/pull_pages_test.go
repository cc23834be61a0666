package sync_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/sync"
	"roadbook/sync/wire"
)

// hold is what a phone holds, to compare.
func (p *phone) hold() string {
	p.w.t.Helper()
	lines := make([]string, 0, len(p.base))
	for id, h := range p.base {
		lines = append(lines, fmt.Sprint(id, h.kind, h.seq, h.set, h.in))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Pages of any size, in any number of steps, end the same: a phone that takes
// a byte at a time holds what one holds that takes everything at once.
func TestPull_pagesOfAnySize(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	rng := rand.New(rand.NewPCG(4, 4))
	phones := make([]*phone, 5)
	for i := range phones {
		phones[i] = w.phone("chen")
		phones[i].max = []int{1, 200, 1000, 5000, 900_000}[i]
		phones[i].stages = i%2 == 0
	}
	var shops []record.ID
	for round := range 6 {
		shops = append(shops, w.shops([]string{"lin", "zhou", "chen"}[round%3], 3)...)
		for range 12 {
			shop := shops[rng.IntN(len(shops))]
			switch rng.IntN(5) {
			case 0:
				w.gives(shop, []string{"lin", "zhou", "gao"}[rng.IntN(3)])
			case 1:
				w.office("user", w.person(w.org, "zhou"), values("unit", []any{nil, w.person(w.org, "team")}[rng.IntN(2)]))
			default:
				w.office("account", shop, values("short_name", fmt.Sprint(rng.IntN(1000)), "grade", "B"))
			}
		}
		for _, p := range phones {
			for range rng.IntN(4) {
				p.pullPage() // some have begun when more happens
			}
		}
	}

	for _, p := range phones {
		p.pull()
	}

	for _, p := range phones {
		require.Equal(t, phones[4].hold(), p.hold(), "pages of %d bytes", p.max)
		require.Equal(t, p.ownDigests(), p.pages[len(p.pages)-1].Digests, "pages of %d bytes", p.max)
	}
	require.Greater(t, len(phones[4].base), 10)
}

// ownDigests sums up what the phone holds, scope by scope.
func (p *phone) ownDigests() map[string]wire.Digest {
	tallies := map[string]*wire.Tally{}
	for _, name := range p.granted() {
		tallies[name] = &wire.Tally{}
	}
	for id, h := range p.base {
		for scope := range h.in {
			tallies[scope].Add(wire.Sum(id, h.seq, digestKey(scope)))
		}
	}
	digests := map[string]wire.Digest{}
	for name, tally := range tallies {
		digests[name] = tally.Digest()
	}
	return digests
}

// granted are the scopes that the phone's owner holds now.
func (p *phone) granted() (names []string) {
	rows, err := p.w.pool.Query(p.w.t.Context(), `SELECT s.name FROM grants g JOIN scopes s ON s.org = g.org AND s.id = g.scope
		WHERE g.org = $1 AND g.holder IN ($2, $3) AND g.until IS NULL`, p.who.Org, p.who.Person, p.who.Device)
	require.NoError(p.w.t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(p.w.t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(p.w.t, rows.Err())
	return names
}

// Case 7. A grant commits between two writes while the device is paginating:
// all records come, each once, and the digest is equal.
func TestCase07_aGrantBetweenTwoPages(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	gao := w.phone("gao")
	mine, theirs := w.shops("gao", 3), w.shops("lin", 3)
	gao.max = 1
	met := map[record.ID]int{}
	page := gao.pullPage()
	w.office("account", theirs[0], values("grade", "A"))
	w.office("unit", w.person(w.org, "team"), values("manager", w.person(w.org, "gao")))
	w.office("account", theirs[1], values("grade", "A"))
	for {
		for _, c := range page.Changes {
			met[c.ID]++
		}
		if page.Complete && !page.Filling {
			break
		}
		page = gao.pullPage()
	}

	for _, shop := range append(mine, theirs...) {
		require.Equal(t, 1, met[shop])
	}
	require.Equal(t, gao.ownDigests(), page.Digests)
}

// A change of hidden fields alone moves the record's seq and says no more.
func TestPull_hiddenChange(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen := w.phone("lin"), w.phone("chen")
	lin.pull()
	chen.pull()
	gao := w.person(w.org, "gao")
	w.office("user", gao, values("mobile", "13800138000"))

	lin.pull()
	chen.pull()

	body := js(lin.pages[0].Changes[0])
	require.Contains(t, string(body), `"set":{}`)
	require.NotContains(t, string(js(lin.pages)), "13800138000")
	require.Empty(t, lin.raw(gao, "mobile"))
	require.Equal(t, lin.base[gao].seq, chen.base[gao].seq)
	require.Equal(t, "13800138000", chen.text(gao, "mobile"))
}

// A cursor is good for the one whom it was given to, and for nobody else; one
// that is not genuine answers 410 foreign, and never anything worse.
func TestPull_foreignCursor(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin := w.phone("lin")
	lin.pull()
	other := sync.New(sync.Config{Store: w.engine.Store, Key: []byte("another key"), Now: w.now, Draw: w.draw})
	t.Cleanup(other.Close)
	raw, err := base64.RawURLEncoding.DecodeString(lin.cursor)
	require.NoError(t, err)
	bent := slices.Clone(raw)
	bent[12] ^= 1
	text := base64.RawURLEncoding.EncodeToString
	elsewhere := lin.who
	elsewhere.Org = w.newOrg("elsewhere")
	tests := []struct {
		name   string
		engine *sync.Engine
		who    access.Caller
		cursor string
	}{
		{"another person's", w.engine, access.Caller{Org: lin.who.Org, Person: w.person(w.org, "zhou"), Device: lin.who.Device}, lin.cursor},
		{"another device's", w.engine, access.Caller{Org: lin.who.Org, Person: lin.who.Person, Device: w.id()}, lin.cursor},
		{"of another org", w.engine, elsewhere, lin.cursor},
		{"of another key", other, lin.who, lin.cursor},
		{"bent", w.engine, lin.who, text(bent)},
		{"cut short", w.engine, lin.who, text(raw[:len(raw)-1])},
		{"a byte too many", w.engine, lin.who, text(append(raw, 0))},
		{"no base64", w.engine, lin.who, "!!!"},
		{"nearly nothing", w.engine, lin.who, "AA"},
		{"too long", w.engine, lin.who, strings.Repeat("A", 10_000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := tt.engine.Pull(t.Context(), tt.who, &wire.PullRequest{Replica: lin.replica, Cursor: tt.cursor})

			require.Equal(t, errs.Stale, errs.KindOf(err), err)
			require.Equal(t, "foreign", errs.CodeOf(err))
		})
	}
}

// Verdicts come on the complete page only, of the own replica only, and once.
func TestPull_outcomes(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, tablet := w.phone("lin"), w.phone("lin")
	shops := w.shops("lin", 2, lin, tablet)
	first := lin.edit(shops[0], values("grade", "A"))
	second := lin.edit(shops[1], values("grade", "Z"))
	lin.edit(shops[1], values("grade", "B"))
	sent, err := lin.send(lin.bytes(3)) // and the answer is lost
	require.NoError(t, err)
	lin.max = 1

	page := lin.pullPage()
	require.False(t, page.Complete)
	require.Empty(t, page.Outcomes)
	page = lin.pullPage()
	require.True(t, page.Complete)
	require.Len(t, page.Outcomes, 3)
	require.Equal(t, first, page.Outcomes[0].ID)
	require.Equal(t, second, page.Outcomes[1].ID)
	require.Equal(t, "type", refusalCode(page.Outcomes[1]))
	require.Equal(t, sent[0].Receipt, page.Outcomes[0].Receipt)
	require.Empty(t, lin.outbox)
	require.Empty(t, lin.pullPage().Outcomes, "the cursor has acknowledged them")

	_, err = w.engine.Pull(t.Context(), tablet.who, &wire.PullRequest{Replica: lin.replica})
	require.Equal(t, "replica", errs.CodeOf(err), "another's replica is refused")
}

// The schema comes with the first page and whenever it changes, without the
// kinds and fields that are not for the actor.
func TestPull_schema(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, he := w.phone("lin"), w.phone("he")
	lin.pull()
	he.pull()
	lin.pull()
	require.Empty(t, lin.pages[0].Schema, "nothing has changed")
	next, err := record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	next.Version = "2"
	require.NoError(t, w.engine.Publish(t.Context(), w.org, next))

	for _, p := range []*phone{lin, he} {
		p.pull()
		var schema record.Schema
		require.NoError(t, json.Unmarshal(p.pages[0].Schema, &schema))
		names := map[string]bool{}
		for _, k := range schema.Kinds {
			names[k.Name] = true
			for _, f := range k.Fields {
				names[k.Name+"."+f.Name] = true
			}
		}
		require.Equal(t, "2", schema.Version)
		require.True(t, names["user.name"])
		require.Equal(t, p == he, names["user.mobile"])
		require.Equal(t, p == lin, names["visit"])
		p.pull()
		require.Empty(t, p.pages[0].Schema)
	}
}

// The service desk sees everybody's customers, contacts and tasks, and nothing
// else of them; finance sees the same and writes nothing.
func TestPull_deskAndFinance(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, he, fin := w.phone("lin"), w.phone("he"), w.phone("fin")
	shop := lin.create("account", values("name", "店"))
	lin.create("contact", values("account", shop, "name", "王"))
	lin.create("task", values("account", shop, "title", "报价"))
	lin.create("visit", values("account", shop))
	lin.create("opportunity", values("account", shop))
	lin.push()
	for _, p := range []*phone{he, fin} {
		p.pull()
		kinds := map[string]int{}
		for _, h := range p.base {
			kinds[h.kind]++
		}
		require.Equal(t, map[string]int{"account": 1, "contact": 1, "task": 1, "user": 7, "unit": 1}, kinds)
		require.Equal(t, p.pages[len(p.pages)-1].Digests, p.ownDigests())
	}

	he.edit(shop, values("short_name", "客服改的"))
	he.create("visit", values("account", shop))
	fin.edit(shop, values("short_name", "财务改的"))
	fin.create("account", values("name", "财务建的"))
	desk, finance := he.push(), fin.push()

	require.Equal(t, record.Applied, desk[0].Result)
	require.Equal(t, "denied", refusalCode(desk[1]))
	require.Equal(t, "denied", refusalCode(finance[0]))
	require.Equal(t, "denied", refusalCode(finance[1]))
}
