package crowd_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	stdsync "sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/api/crowd"
	"roadbook/errs"
	"roadbook/record"
)

func device(n int) (id record.ID) {
	binary.BigEndian.PutUint32(id[12:], uint32(n+1))
	return id
}

var small = crowd.Limits{Served: 2, Waiting: 3, Within: 10 * time.Second, Usual: 100 * time.Millisecond}

// after is when somebody who was sent away is to come again.
func after(t *testing.T, err error) time.Duration {
	t.Helper()
	var full *crowd.Full
	require.ErrorAs(t, err, &full)
	require.Equal(t, errs.Busy, errs.KindOf(err))
	require.Equal(t, "crowded", errs.CodeOf(err))
	return full.RetryAfter()
}

func enter(t *testing.T, c *crowd.Class, who int) func() {
	t.Helper()
	leave, err := c.Enter(t.Context(), device(who))
	require.NoError(t, err)
	return leave
}

// queued lets devices wait, one after the other, and says what becomes of each.
func queued(t *testing.T, c *crowd.Class, who ...int) map[int]chan error {
	t.Helper()
	fates := map[int]chan error{}
	for _, n := range who {
		fate := make(chan error, 1)
		fates[n] = fate
		go func() {
			leave, err := c.Enter(t.Context(), device(n))
			fate <- err
			if err == nil {
				leave()
			}
		}()
		synctest.Wait()
		time.Sleep(time.Millisecond) // of the bubble: so that no two ask in the same moment
	}
	return fates
}

func TestClass_servesAndQueues(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c := crowd.NewClass(small, time.Now)
		first, second := enter(t, c, 0), enter(t, c, 1)
		fates := queued(t, c, 2, 3, 4)

		_, err := c.Enter(t.Context(), device(5))
		require.Equal(t, time.Second, after(t, err), "the queue is full")

		first()
		first() // twice is once
		for n, fate := range fates {
			require.NoError(t, <-fate, n)
		}
		second()
		enter(t, c, 6)()
	})
}

// Whoever was sent away stands before all who came later, and has one of them
// sent away if the queue is full.
func TestClass_nobodyIsStarved(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c := crowd.NewClass(small, time.Now)
		first, second := enter(t, c, 0), enter(t, c, 1)
		fates := queued(t, c, 2, 3, 4)
		_, err := c.Enter(t.Context(), device(5))
		after(t, err)
		time.Sleep(11 * time.Second)
		for _, fate := range fates {
			require.GreaterOrEqual(t, after(t, <-fate), time.Second, "they have waited as long as one may")
		}

		late := queued(t, c, 10, 11, 12)
		old := queued(t, c, 5)
		require.Error(t, <-late[12], "who came last goes")
		older := queued(t, c, 2)
		require.Error(t, <-late[11])

		var order []int
		note := func(n int, fate chan error) {
			require.NoError(t, <-fate)
			order = append(order, n)
		}
		require.Empty(t, older[2])
		first()
		note(2, older[2])
		note(5, old[5])
		note(10, late[10])
		require.Equal(t, []int{2, 5, 10}, order)
		second()
	})
}

func TestClass_theQueueIsLeftByWhoeverGivesUp(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c := crowd.NewClass(small, time.Now)
		first, second := enter(t, c, 0), enter(t, c, 1)
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := c.Enter(ctx, device(2))
			gone <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)

		fates := queued(t, c, 3)
		first()
		require.NoError(t, <-fates[3])
		second()
	})
}

// Appointments are given as fast as the work gets done: a thousand that come
// together are told a thousand moments, and none further off than a person
// waits.
func TestClass_appointmentsAreSpread(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c := crowd.NewClass(small, time.Now)
		defer enter(t, c, 0)()
		defer enter(t, c, 1)()
		queued(t, c, 2, 3, 4)
		perSecond := map[int]int{}
		for n := range 8000 {
			_, err := c.Enter(t.Context(), device(10+n))
			s := int((after(t, err) + time.Second - 1) / time.Second)
			require.LessOrEqual(t, s, 300)
			if perSecond[s]++; n < 5000 {
				require.LessOrEqual(t, perSecond[s], 21, "two at once, 100 ms each: 20 in a second")
			}
		}
		require.Len(t, perSecond, 300)
		most := 0
		for s, n := range perSecond {
			if s > 150 {
				most = max(most, n)
			}
		}
		require.Less(t, most, 60, "what is too far off is spread")
	})
}

// A thousand devices ask in the same instant, and again whenever they are told
// to: each is served after a few times, and the last not long after the work
// could have been done at best.
func TestClass_nineOClock(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		const devices, each = 1000, 60 * time.Millisecond
		c := crowd.NewClass(crowd.Limits{Served: 2, Waiting: 64, Within: 5 * time.Second, Usual: each}, time.Now)
		begin := time.Now()
		var mu stdsync.Mutex
		var tries []int
		var all stdsync.WaitGroup
		for n := range devices {
			all.Go(func() {
				for try := 1; ; try++ {
					leave, err := c.Enter(t.Context(), device(n))
					if err == nil {
						time.Sleep(each)
						leave()
						mu.Lock()
						defer mu.Unlock()
						tries = append(tries, try)
						return
					}
					var full *crowd.Full
					if !errors.As(err, &full) {
						t.Error(err)
						return
					}
					time.Sleep((full.RetryAfter() + time.Second - 1).Truncate(time.Second))
				}
			})
		}
		all.Wait()

		require.Len(t, tries, devices)
		require.LessOrEqual(t, slices.Max(tries), 8, "as often as a device tries")
		best := devices / 2 * each
		require.Less(t, time.Since(begin), 2*best)
	})
}

// However many strangers ask, what is kept of them is bounded.
func TestClass_memoryIsBounded(t *testing.T) {
	t.Parallel()

	var now time.Time
	c := crowd.NewClass(crowd.Limits{Served: 1, Usual: time.Second}, func() time.Time { return now })
	leave, err := c.Enter(t.Context(), device(0))
	require.NoError(t, err)
	defer leave()
	for n := range 50_000 {
		_, err := c.Enter(t.Context(), device(n))
		require.Error(t, err)
	}
	require.Equal(t, 10_000, c.Places())
	now = now.Add(time.Hour)
	_, err = c.Enter(t.Context(), device(1))
	require.Error(t, err)
	require.Equal(t, 1, c.Places(), "those who have not come again are forgotten")
	_, err = c.Enter(t.Context(), record.NoID)
	require.Error(t, err)
	require.Equal(t, 1, c.Places(), "a stranger has no place")
}

func TestStore(t *testing.T) {
	t.Parallel()

	s := crowd.NewStore(10)
	one, other := s.Share(), s.Share()
	require.NoError(t, one.Take(6))
	buf := make([]byte, 4)
	r := other.Reader(strings.NewReader("abcdefgh"))
	_, err := r.Read(buf)
	require.NoError(t, err)
	_, err = r.Read(buf)
	require.Equal(t, 5*time.Second, after(t, err), "one byte past it")
	require.EqualValues(t, 10, s.Held())
	one.Free()
	one.Free()
	require.NoError(t, other.Take(6), "there is room again")
	one.Hold(100)
	require.Error(t, other.Take(1), "what is there already counts, however much it is")
	one.Free()
	other.Free()
	require.Zero(t, s.Held())
}
