package api_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	stdsync "sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"

	"roadbook/api"
	"roadbook/api/crowd"
	device "roadbook/clients/go"
)

// nineDevices says how many devices TestNineOClock has: ROADBOOK_TEST_DEVICES
// for more than the usual.
func nineDevices(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("ROADBOOK_TEST_DEVICES"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		return n
	}
	return 60
}

// faster is how much faster than ours the clock of this test runs, for server
// and devices alike: a second that the server asks for is 50 ms.
const faster = 20

// All devices of a company sign in and sync in the same instant, against a
// server that serves a few at once: everybody gets through within the tries
// that a device makes, nobody waits for much longer than the work takes, and
// the server holds no more than it may.
func TestNineOClock(t *testing.T) {
	t.Parallel()

	devices := nineDevices(t)
	begin := time.Now()
	now := func() time.Time { return begin.Add(time.Since(begin) * faster) }
	limits := api.Limits{
		SignIn: crowd.Limits{Served: 2, Waiting: 8, Within: time.Second, Usual: faster * 5 * time.Millisecond},
		Push:   crowd.Limits{Served: 4, Waiting: 8, Within: time.Second, Usual: faster * 5 * time.Millisecond},
		Pull:   crowd.Limits{Served: 4, Waiting: 8, Within: time.Second, Usual: faster * 5 * time.Millisecond},
		Fill:   crowd.Limits{Served: 2, Waiting: 8, Within: time.Second, Usual: faster * 5 * time.Millisecond},

		HeldBytes: 1 << 20,
	}
	w := newWhole(t, testPool(t), now, func(c *api.Config) { c.Limits = &limits })
	cheapPasswords(t, w)
	transport := &http.Transport{MaxIdleConnsPerHost: devices}
	t.Cleanup(transport.CloseIdleConnections)
	counted := &counting{next: transport}
	client := &http.Client{Transport: counted}

	var mu stdsync.Mutex
	var waits []int
	var all stdsync.WaitGroup
	for range devices {
		var waited int
		d := w.phone(client, func(c *device.Config) {
			c.Spread = rand.Float64
			c.Sleep = func(ctx context.Context, wait time.Duration) error {
				waited++
				return pass(ctx, wait/faster)
			}
		})
		all.Go(func() {
			err := d.SignIn(context.Background(), "demo", "lin", wholePassword)
			if err == nil {
				_, err = d.Create("account", device.Values{"name": "早上好"})
			}
			if err == nil {
				_, err = d.Sync(context.Background())
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil || d.Status().Outbox > 0 {
				t.Errorf("after %d waits: %v", waited, err)
			}
			waits = append(waits, waited)
		})
	}
	all.Wait()

	slices.Sort(waits)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	t.Logf("%d devices in %v; waits: median %d, most %d; %d answers, %d sent away; heap %d MiB",
		devices, time.Since(begin).Round(time.Millisecond), waits[len(waits)/2], waits[len(waits)-1],
		counted.all.Load(), counted.away.Load(), memory.HeapAlloc>>20)
	require.Len(t, waits, devices)
	require.Positive(t, counted.away.Load(), "there were too many at once, or this proves nothing")
	var accounts int
	require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT n - 1 FROM (SELECT count(*) AS n FROM records) AS r`).Scan(&accounts))
	require.Equal(t, devices, accounts, "everybody's work is there, once")
}

// pass lets time pass, or ends with the context.
func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// counting counts answers.
type counting struct {
	next      http.RoundTripper
	all, away atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.next.RoundTrip(r)
	if err == nil {
		c.all.Add(1)
		if answer.StatusCode == http.StatusServiceUnavailable {
			c.away.Add(1)
		}
	}
	return answer, err
}

// cheapPasswords makes a password's hash cost next to nothing: what it really
// costs is measured elsewhere, and here there are hundreds of them.
func cheapPasswords(t *testing.T, w *whole) {
	t.Helper()
	b64 := base64.RawStdEncoding.EncodeToString
	salt := []byte("salt of a test..")
	sum := argon2.IDKey([]byte(wholePassword), salt, 1, 8, 1, 32)
	cheap := fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, b64(salt), b64(sum))
	_, err := w.pool.Exec(t.Context(), `UPDATE logins SET password = $1`, cheap)
	require.NoError(t, err)
}
