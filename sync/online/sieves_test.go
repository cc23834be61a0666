package online_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/online"
)

// tray is some sieves of which a test says when each has been made.
type tray struct {
	online.Sieves

	t       *testing.T
	head    record.Seq
	now     time.Time
	built   int
	release chan error // what comes of one
	ended   []error    // why the contexts of those that were made have ended
	ctx     context.Context
}

func newTray(t *testing.T) *tray {
	t.Helper()
	return &tray{Sieves: online.NewSieves(), t: t, head: 1, now: time.Unix(0, 0), release: make(chan error), ctx: t.Context()}
}

type answered struct {
	text string
	err  error
}

// asks asks for one by name, and says later what came.
func (y *tray) asks(ctx context.Context, name string) chan answered {
	answer := make(chan answered, 1)
	go func() {
		text, err := y.Get(ctx, name, y.head, y.now, func(ctx context.Context) (string, error) {
			y.built++
			n := y.built
			select {
			case err := <-y.release:
				return fmt.Sprint(name, n), err
			case <-ctx.Done():
				y.ended = append(y.ended, ctx.Err())
				return "", ctx.Err()
			}
		})
		answer <- answered{text, err}
	}()
	synctest.Wait()
	return answer
}

func (y *tray) makes(err error) {
	y.release <- err
	synctest.Wait()
}

func got(answer chan answered) (answered, bool) {
	select {
	case a := <-answer:
		return a, true
	default:
		return answered{}, false
	}
}

// While a sieve is made anew everybody but who asked for that gets the one from
// before, at once; and what others ask for is made beside it.
func TestSieves_nobodyWaitsForAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newTray(t)
		first := y.asks(y.ctx, "a")
		y.makes(nil)
		require.Equal(t, answered{"a1", nil}, <-first)

		y.head, y.now = 2, y.now.Add(10*time.Minute)
		first = y.asks(y.ctx, "a")
		_, is := got(first)
		require.False(t, is, "it is made for him")
		for range 3 {
			require.Equal(t, answered{"a1", nil}, <-y.asks(y.ctx, "a"))
		}
		other := y.asks(y.ctx, "b")
		require.Equal(t, 3, y.built)
		y.makes(nil)
		y.makes(nil)
		require.Equal(t, answered{"a2", nil}, <-first)
		require.Equal(t, answered{"b3", nil}, <-other)
		require.Equal(t, answered{"a2", nil}, <-y.asks(y.ctx, "a"), "from now on")
	})
}

// Where there was none, all who ask wait for one that is made once.
func TestSieves_madeOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newTray(t)
		var all []chan answered
		for range 5 {
			all = append(all, y.asks(y.ctx, "a"))
		}
		y.makes(nil)
		for _, a := range all {
			require.Equal(t, answered{"a1", nil}, <-a)
		}
		require.Equal(t, 1, y.built)
	})
}

// It is given up when nobody waits for it any more, and not before; who comes
// then has it made.
func TestSieves_givenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newTray(t)
		ctx, leave := context.WithCancel(y.ctx)
		other, leaveToo := context.WithCancel(y.ctx)
		one, two := y.asks(ctx, "a"), y.asks(other, "a")

		leave()
		synctest.Wait()
		require.ErrorIs(t, (<-one).err, context.Canceled)
		require.Empty(t, y.ended, "somebody waits")
		leaveToo()
		synctest.Wait()
		require.ErrorIs(t, (<-two).err, context.Canceled)
		require.Equal(t, []error{context.Canceled}, y.ended)

		three := y.asks(y.ctx, "a")
		y.makes(nil)
		require.Equal(t, answered{"a2", nil}, <-three)
	})
}

// What went wrong is told to those who waited for it, and tried again by who
// asks next.
func TestSieves_failed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newTray(t)
		one := y.asks(y.ctx, "a")
		y.makes(errors.New("the database is gone"))
		require.ErrorContains(t, (<-one).err, "gone")
		_, err := y.Get(y.ctx, "a", y.head, y.now, func(context.Context) (string, error) { panic("a bug") })
		require.ErrorContains(t, err, "a bug")

		two := y.asks(y.ctx, "a")
		y.makes(nil)
		require.Equal(t, answered{"a2", nil}, <-two)
	})
}

// So many are kept, and the oldest makes room for one more; so many are made at
// once, and one more waits.
func TestSieves_atMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		y := newTray(t)
		at := y.now
		name := func(i int) string { return fmt.Sprint("org ", i, " #") }
		for i := range online.MaxSieves {
			y.now = at.Add(time.Duration(i) * time.Second)
			first := y.asks(y.ctx, name(i))
			y.makes(nil)
			<-first
		}
		for i := range online.MaxSieves {
			require.Equal(t, answered{fmt.Sprint(name(i), i+1), nil}, <-y.asks(y.ctx, name(i)), "all are kept")
		}
		y.now = y.now.Add(time.Second)
		more := y.asks(y.ctx, "more")
		y.makes(nil)
		<-more
		require.Equal(t, online.MaxSieves+1, y.built)
		<-y.asks(y.ctx, name(1))
		require.Equal(t, online.MaxSieves+1, y.built, "the second is there")
		y.asks(y.ctx, name(0))
		require.Equal(t, online.MaxSieves+2, y.built, "the first had to go")

		for i := range online.MaxMaking {
			y.asks(y.ctx, fmt.Sprint("x", i))
		}
		require.Equal(t, online.MaxSieves+1+online.MaxMaking, y.built, "one that is made is the first's")
		for range online.MaxMaking + 1 {
			y.makes(nil)
		}
		require.Equal(t, online.MaxSieves+2+online.MaxMaking, y.built)
	})
}

// However the keys are cut into pages, also between customers that share one,
// the sieve is the same.
func TestFingerprints_pages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 3 {
		w.create("lin", "account", "name", fmt.Sprint("店 ", i), "phones", []string{"4008208820", fmt.Sprint("1380013800", i)})
	}
	whole, err := w.online.Fingerprints(t.Context(), w.who("lin"), "account")
	require.NoError(t, err)
	require.Greater(t, len(whole.Bytes), 20)

	for n := 1; n < 16; n++ {
		paged, err := w.online.Reading(n).Fingerprints(t.Context(), w.who("lin"), "account")
		require.NoError(t, err)
		require.Equal(t, whole.Tag, paged.Tag, n)
	}
}

// BenchmarkFingerprints is the sieve of so many customers, two keys each, made
// anew.
func BenchmarkFingerprints(b *testing.B) {
	for _, customers := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(customers), func(b *testing.B) {
			w := newWorld(b)
			_, err := w.pool.Exec(b.Context(), `
				INSERT INTO lookups (org, field, val, rec)
				SELECT $1, $2, p || translate(substr(encode(sha256((p || n)::bytea), 'base64'), 1, 12), '+/', '-_'), md5(n::text)::uuid
				  FROM generate_series(1, $3::int) n, unnest('{c,l}'::text[]) p`, w.org, w.schema.Kind("account").MatchNo(), customers)
			require.NoError(b, err)
			_, err = w.pool.Exec(b.Context(), `VACUUM ANALYZE lookups`)
			require.NoError(b, err)
			size := 0
			for b.Loop() {
				out, err := online.New(w.engine, key, w.now).Fingerprints(b.Context(), w.who("lin"), "account")
				require.NoError(b, err)
				size = len(out.Bytes)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
