package reactions_test

import (
	"context"
	"errors"
	"strconv"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/feed"
	"roadbook/sync/reactions"
)

// A reaction begins where the log ends; from there on it sees what is accepted
// of its kinds, in order, and what follows is committed.
func TestReaction_seesWhatIsAccepted(t *testing.T) {
	t.Parallel()

	w, re := newWorld(t), &welcomes{}
	r := w.runner(re)
	w.shop("before")
	require.NoError(t, w.to(r, re))
	one := w.shop("one")
	w.propose(record.Edit{Op: record.OpCreate, Kind: "task", ID: seedID.Derive("other"), Set: values("title", "of another kind")})
	refused := w.propose(record.Edit{Op: record.OpEdit, Kind: "account", ID: seedID.Derive("nobody"), Set: values("name", "x")})
	two := w.shop("two")

	require.NoError(t, w.to(r, re))
	require.NoError(t, w.to(r, re))

	require.Equal(t, record.Refused, refused.Result)
	require.Len(t, re.seen, 2)
	require.Less(t, re.seen[0], re.seen[1])
	w.followed(one, two)
}

// More changes than are taken at once, and a log longer than is looked through at
// once.
func TestReaction_takesMany(t *testing.T) {
	t.Parallel()

	w, re := newWorld(t), &welcomes{}
	r := w.runner(re)
	require.NoError(t, w.to(r, re))
	var shops []record.ID
	for i := range reactions.AtOnce + 1 {
		shops = append(shops, w.shop(time.Duration(i).String()))
	}

	more, err := r.Step(t.Context(), w.org, re)
	require.NoError(t, err)
	require.True(t, more)
	require.Len(t, re.seen, reactions.AtOnce)
	require.NoError(t, w.to(r, re))

	w.followed(shops...)
}

// A server that dies between the commit of what follows and its own move does it
// again, and it is there once.
func TestReaction_isDoneOnceWhateverDies(t *testing.T) {
	t.Parallel()

	w, re := newWorld(t), &welcomes{}
	r := w.runner(re)
	require.NoError(t, w.to(r, re))
	var shops []record.ID
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(rt, "shops") {
			shops = append(shops, w.shop(strconv.Itoa(len(shops))))
		}
		deaths := rapid.SliceOfN(rapid.IntRange(0, 8), 0, 4).Draw(rt, "deaths")
		for _, after := range deaths {
			ctx, die := context.WithCancel(t.Context())
			left := after
			re.later = func() error {
				if left--; left < 0 {
					die()
				}
				return nil
			}
			_, _ = r.Step(ctx, w.org, re)
			die()
		}
		re.later = nil

		require.NoError(rt, w.to(r, re))
		require.Equal(rt, len(shops), w.count("SELECT count(*) FROM told"))
	})
	w.followed(shops...)
}

// A change at which a reaction fails is tried again; after so many tries it is
// kept for a person, and holds up nothing. A panic is a failure.
func TestReaction_passesOverWhatItCannotDo(t *testing.T) {
	t.Parallel()

	w, re := newWorld(t), &welcomes{}
	r := w.runner(re)
	require.NoError(t, w.to(r, re))
	one := w.shop("one")
	w.shop("bad")
	bad := record.Seq(w.count("SELECT seq FROM heads WHERE org = $1", w.org))
	three := w.shop("three")
	re.fails = func(c *reactions.Change) error {
		if c.Seq == bad {
			panic("no such thing")
		}
		return nil
	}

	for range reactions.MaxTries - 1 {
		require.ErrorContains(t, w.to(r, re), "no such thing")
	}
	w.followed(one)
	require.Zero(t, w.count("SELECT count(*) FROM reactions_failed"))
	require.NoError(t, w.to(r, re), "at the last try it gives up")

	w.followed(one, three)
	require.Len(t, w.faults, 1)
	require.Equal(t, int(bad), w.count("SELECT seq FROM reactions_failed WHERE org = $1 AND name = 'welcomes'", w.org))
}

// What the database is to blame for is nobody's try.
func TestReaction_waitsForTheDatabase(t *testing.T) {
	t.Parallel()

	w, re := newWorld(t), &welcomes{}
	r := w.runner(re)
	require.NoError(t, w.to(r, re))
	shop := w.shop("one")
	for range reactions.MaxTries + 1 {
		ctx, cancel := context.WithCancel(t.Context())
		re.fails = func(*reactions.Change) error { cancel(); return ctx.Err() }
		_, err := r.Step(ctx, w.org, re)
		require.Error(t, err)
	}
	re.fails = nil

	require.NoError(t, w.to(r, re))

	w.followed(shop)
	require.Zero(t, w.count("SELECT count(*) FROM reactions_failed"))
}

// Two servers share the work without doing it twice.
func TestReaction_onTwoServers(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	one, other := &welcomes{}, &welcomes{}
	require.NoError(t, w.to(w.runner(one), one))
	var shops []record.ID
	for i := range 30 {
		shops = append(shops, w.shop(time.Duration(i).String()))
	}
	var both stdsync.WaitGroup
	for _, re := range []*welcomes{one, other} {
		r := w.runner(re)
		both.Go(func() {
			for range 40 {
				if _, err := r.Step(t.Context(), w.org, re); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()

	require.NoError(t, w.to(w.runner(one), one))
	w.followed(shops...)
	require.Len(t, append(one.seen, other.seen...), len(shops), "each was seen by one of them")
}

// One reaction that cannot go on does not hold up another.
type grumpy struct{ welcomes }

func (grumpy) Name() string { return "grumpy" }

func (grumpy) React(context.Context, reactions.View, *reactions.Change) (reactions.Effects, error) {
	return reactions.Effects{}, errors.New("not today")
}

// The runner is woken by the feed, and finds at a tick what nobody told it.
func TestRunner_runs(t *testing.T) {
	t.Parallel()

	w, re := newWorld(t), &welcomes{}
	require.NoError(t, w.to(w.runner(re), re))
	f := feed.New(nil)
	ctx, cancel := context.WithCancel(t.Context())
	ticks, done := make(chan time.Time), make(chan struct{})
	moved := f.FollowAll()
	r := w.runner(&grumpy{}, re)
	r.Fault = nil
	reacted := make(chan struct{}, 8)
	re.later = func() error { reacted <- struct{}{}; return nil }
	go func() {
		defer close(done)
		r.Run(ctx, moved, ticks)
	}()

	one := w.shop("told")
	f.Moved(w.org, record.Seq(w.count("SELECT seq FROM heads WHERE org = $1", w.org)))
	await(t, reacted)
	two := w.shop("not told")
	ticks <- time.Time{}
	await(t, reacted)
	cancel()
	<-done

	require.NoError(t, w.to(w.runner(re), re))
	w.followed(one, two)
}

func await(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		require.Fail(t, "nothing came")
	}
}

// What is behind is found for reactions that have not begun as well.
func TestStore_behind(t *testing.T) {
	t.Parallel()

	w, re := newWorld(t), &welcomes{}
	s := store.New(w.pool)
	orgs, err := s.Behind(t.Context(), []string{"welcomes"})
	require.NoError(t, err)
	require.Equal(t, []record.OrgID{w.org}, orgs)
	require.NoError(t, w.to(w.runner(re), re))

	orgs, err = s.Behind(t.Context(), []string{"welcomes"})
	require.NoError(t, err)
	require.Empty(t, orgs)
	w.shop("one")
	orgs, err = s.Behind(t.Context(), []string{"welcomes"})
	require.NoError(t, err)
	require.Equal(t, []record.OrgID{w.org}, orgs)
}
