package pg_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
)

func TestGate(t *testing.T) {
	t.Parallel()

	db := pgtest.DB(t)
	is, err := pg.LifeOf(t.Context(), db)
	require.NoError(t, err)
	system := is[:len(is)-len("/00000001")]
	open := func(g *pg.Gate) error {
		pool, err := pg.Open(t.Context(), db.Config().ConnString(), pg.MaxConns(1), g.Through())
		if err == nil {
			pool.Close()
		}
		return err
	}
	approving := func(life string) *pg.Gate {
		g := pg.NewGate()
		g.Approve(life)
		return g
	}
	told := func(g *pg.Gate) bool {
		select {
		case <-g.Other():
			return true
		default:
			return false
		}
	}

	for name, c := range map[string]struct {
		gate       *pg.Gate
		open, told bool
	}{
		"nothing is approved":               {pg.NewGate(), true, false},
		"this one is":                       {approving(is), true, false},
		"one before it is":                  {approving(system + "/00000000"), false, true},
		"another cluster is":                {approving("7/00000001"), false, true},
		"one behind it is: it was given up": {approving(system + "/0000000A"), false, false},
		"what comes after one before it":    {pg.After(system + "/00000000"), true, false},
		"what comes after it":               {pg.After(is), false, false},
	} {
		err := open(c.gate)
		require.Equal(t, c.open, err == nil, "%s: %v", name, err)
		if err != nil {
			require.Equal(t, errs.Busy, errs.KindOf(err), name)
		}
		require.Equal(t, c.told, told(c.gate), name)
	}
}
