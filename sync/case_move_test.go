package sync_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"roadbook/record"
	"roadbook/sync"
	"roadbook/version"
)

// sizeOfMove is how large case 8 is: a few hundred visits in an ordinary run,
// 5,000 of them and 50 phones if ROADBOOK_FULL is set.
func sizeOfMove() (visits, phones, atOnce int) {
	if os.Getenv("ROADBOOK_FULL") != "" {
		return 5000, 50, 1000
	}
	return 240, 8, 40
}

// commits has the server make many records, as many mutations.
func (w *world) commits(edits []record.Edit) {
	w.t.Helper()
	batch := make([]sync.Proposal, len(edits))
	for i, e := range edits {
		batch[i].Mutation = record.Mutation{ID: w.id(), Stamp: version.StampAt(w.now()), Edits: []record.Edit{e}}
	}
	outcomes, err := w.engine.Commit(context.Background(), w.org, batch)
	require.NoError(w.t, err)
	for _, o := range outcomes {
		require.Equal(w.t, record.Applied, o.Result, "%+v", o.Refusal)
	}
}

// Case 8. An account with thousands of visits moves, and moves again, while
// phones push edits to them and pull: in the end everybody holds what SQL says
// he must, every edit is judged, and nothing has waited for itself.
func TestCase08_anAccountMovesUnderEdits(t *testing.T) {
	t.Parallel()

	visits, count, atOnce := sizeOfMove()
	w := newWorld(t)
	w.engine.MoveAtOnce(atOnce)
	shop := w.shops("lin", 1)[0]
	all, edits := make([]record.ID, visits), make([]record.Edit, visits)
	for i := range all {
		all[i] = w.id()
		owner := w.person(w.org, []string{"lin", "zhou"}[i%2])
		edits[i] = record.Edit{Op: record.OpCreate, Kind: "visit", ID: all[i], Set: values("account", shop, "owner", owner)}
	}
	w.commits(edits)
	phones := make([]*phone, count)
	for i := range phones {
		phones[i] = w.phone([]string{"lin", "chen", "admin", "zhou"}[i%4])
		phones[i].pull()
	}
	gao := w.phone("gao")
	gao.pull()

	var g errgroup.Group
	for i, p := range phones {
		mine := slices.DeleteFunc(slices.Clone(all), func(id record.ID) bool { return !p.has(id) })
		g.Go(func() error {
			for round := range 3 {
				for n := range 15 {
					p.edit(mine[(i*31+round*15+n)%len(mine)], values("summary", fmt.Sprintf("%d/%d/%d", i, round, n)))
				}
				outcomes, err := p.send(p.bytes(p.ready()))
				if err != nil {
					return err
				}
				p.settle(outcomes)
			}
			return nil
		})
	}
	g.Go(func() error {
		for _, to := range []string{"gao", "zhou", "gao"} {
			_, err := w.engine.Commit(context.Background(), w.org, []sync.Proposal{{Mutation: record.Mutation{
				ID: w.id(), Stamp: version.StampAt(w.now()),
				Edits: []record.Edit{{Op: record.OpEdit, Kind: "account", ID: shop, Set: values("owner", w.person(w.org, to))}},
			}}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, g.Wait())
	require.NoError(t, w.engine.Resume(t.Context()))

	s := &story{world: w, t: t, pairs: map[string]bool{pairOf(shop, "", ""): true}}
	for _, p := range append(phones, gao) {
		p.pull()
		require.Empty(t, p.outbox)
		s.checkPhone(&player{phone: p, name: p.who.Person.String()}, p.pages[len(p.pages)-1])
	}
	require.Equal(t, visits+1, gao.count("visit")+gao.count("account"), "gao has all of it now")
	records := s.records()
	s.checkScopes(records)
	s.checkIndex(records)
	require.Zero(t, w.rows(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
	require.Zero(t, w.rows(`SELECT count(*) FROM rescopes WHERE org = $1`, w.org))
}
