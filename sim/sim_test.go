package sim_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/sim"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
)

// Histories of a usual run of the tests; “make soak” plays others.
const (
	seeds      = 100
	alikeSeeds = 50
	steps      = 40
	tries      = 400
)

func newRunner(t *testing.T, rules ...sync.Rule) *sim.Runner {
	t.Helper()
	pool := pgtest.DB(t)
	return &sim.Runner{Tries: tries, Config: sim.Config{
		Pool: pool, Org: "sim",
		Engine: func(server int, now func() time.Time, draw func() int32) *sync.Engine {
			return sync.New(sync.Config{
				Store: store.New(pool), Rules: rules, Key: []byte("a key of these tests, 32 bytes.."),
				Now: now, Draw: draw, Fault: func(err error) { t.Log("fault:", err) }, Still: true, AtOnce: 2, Memory: server * 20_000,
			})
		},
	}}
}

func TestSeeds(t *testing.T) {
	t.Parallel()

	r := newRunner(t, people.Rule{})
	for seed := range uint64(seeds) {
		if _, f := r.Seed(t.Context(), seed+1, steps); f != nil {
			require.Fail(t, f.Error())
		}
	}
}

// Histories in which many people make the same customers, say that they are two
// after all, and go on writing to those that are gone.
func TestSeeds_alike(t *testing.T) {
	t.Parallel()

	r := newRunner(t, people.Rule{})
	r.Alike = true
	for seed := range uint64(alikeSeeds) {
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
	r := newRunner(t, people.Rule{})
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

// One seed gives one history: another run of it, in another org, thinks up and
// does the same, step by step, and so does its script, read from text.
func TestSeed_is_one_history(t *testing.T) {
	t.Parallel()

	r := newRunner(t, people.Rule{})
	for seed := range uint64(3) {
		first, f := r.Seed(t.Context(), seed+1, steps)
		require.Nil(t, f)
		second, f := r.Seed(t.Context(), seed+1, steps)
		require.Nil(t, f)
		read, err := sim.Parse(first.String())

		require.NoError(t, err)
		require.Equal(t, first.String(), second.String())
		require.Equal(t, first.String(), read.String())
		require.Nil(t, r.Play(t.Context(), read))
	}
}

// forgets is the rule of people, but for what others share with one.
type forgets struct{ people.Rule }

func (f forgets) Check(ctx context.Context, view sync.View, was, now *record.Record) (sync.Effects, error) {
	e, err := f.Rule.Check(ctx, view, was, now)
	for person, scopes := range e.Grants {
		e.Grants[person] = slices.DeleteFunc(scopes, func(s string) bool { return strings.HasPrefix(s, "shared:") })
	}
	return e, err
}

// A server that forgets some of people's rights is found out, in a few steps.
func TestSeed_that_goes_wrong(t *testing.T) {
	t.Parallel()

	r := newRunner(t, forgets{})

	_, f := r.Seed(t.Context(), 1, steps)

	require.NotNil(t, f)
	require.Contains(t, f.Error(), "seed 1: ")
	require.Less(t, len(f.Script.Steps), 5, "%s", f)
	require.Greater(t, f.Whole, 5)
}

// What a script cannot be is said, and a step that nobody knows.
func TestParse_nonsense(t *testing.T) {
	t.Parallel()

	for _, text := range []string{"seed x", "lin pulls now", "1 lin", "0 lin pulls", "1 lin pulls | lose"} {
		_, err := sim.Parse(text)
		require.Error(t, err, text)
	}
	s, err := sim.Parse("# a remark\nseed 3\nstrict\n1 lin flies\n")
	require.NoError(t, err)
	require.NotNil(t, newRunner(t, people.Rule{}).Play(t.Context(), s))
}
