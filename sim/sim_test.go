package sim_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/modules/people"
	"roadbook/sim"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
)

// Histories of a usual run of the tests; “make soak” plays others.
const (
	seeds = 60
	steps = 40
	tries = 400
)

func newRunner(t *testing.T) *sim.Runner {
	t.Helper()
	pool := pgtest.DB(t)
	return &sim.Runner{Tries: tries, Config: sim.Config{
		Pool: pool, Org: "sim",
		Engine: func(now func() time.Time, draw func() int32) *sync.Engine {
			return sync.New(sync.Config{
				Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: []byte("a key of these tests, 32 bytes.."),
				Now: now, Draw: draw, Fault: func(err error) { t.Log("fault:", err) }, Still: true, AtOnce: 2,
			})
		},
	}}
}

func TestSeeds(t *testing.T) {
	t.Parallel()

	r := newRunner(t)
	for seed := range uint64(seeds) {
		if _, f := r.Seed(t.Context(), seed+1, steps); f != nil {
			require.Fail(t, f.Error())
		}
	}
}

// Each bug that was found, and cases by name.
func TestScripts(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("testdata/*.script")
	require.NoError(t, err)
	r := newRunner(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		s, err := sim.Parse(string(text))
		require.NoError(t, err, file)
		if f := r.Play(t.Context(), s); f != nil {
			require.Fail(t, file+": "+f.Error())
		}
	}
}

// The script of a seed is data, and plays as the seed did.
func TestScript_is_the_history(t *testing.T) {
	t.Parallel()

	r := newRunner(t)
	for seed := range uint64(3) {
		s, f := r.Seed(t.Context(), seed+1, steps)
		require.Nil(t, f)
		read, err := sim.Parse(s.String())

		require.NoError(t, err)
		require.Equal(t, s.String(), read.String(), strconv.FormatUint(seed, 10))
	}
}
