package push_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/jobs"
	"roadbook/push"
	"roadbook/record"
	"roadbook/record/notice"
)

// The channel is down for an hour. It is asked ever more rarely, nothing is lost,
// and each device has each message once when it is back.
func TestStorm_downForAnHour(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	back := w.clock.Add(time.Hour)
	w.mail.answer = func(push.Address) push.Answer {
		if w.clock.Before(back) {
			return push.Answer{Err: errors.New("503"), Again: true}
		}
		return push.Answer{}
	}
	due := map[record.ID]time.Time{}
	for range 5 {
		due[w.says(notice.Approval)] = w.clock
	}
	asked := 0
	for begun := w.clock; len(due) > 0; w.clock = w.clock.Add(time.Minute) {
		require.Less(t, w.clock.Sub(begun), 3*time.Hour)
		for id, at := range due {
			if w.clock.Before(at) {
				continue
			}
			asked++
			err := w.tell(id)
			if err == nil {
				delete(due, id)
				continue
			}
			require.True(t, jobs.IsLater(err), err)
			rest, bad := time.ParseDuration(strings.TrimPrefix(err.Error(), "JobSnoozeError: "))
			require.NoError(t, bad)
			due[id] = w.clock.Add(rest)
		}
	}

	require.Equal(t, map[string]int{"sent": 5}, w.states())
	require.LessOrEqual(t, asked, 5*7, "after 1, 2, 4, 8, 16 and 32 minutes")
	require.Empty(t, w.undelivered())
}

// A token of another project is no way to a device: it is buried, and its person
// seen as not reached.
func TestStorm_aTokenOfAnotherProject(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	w.mail.answer = func(push.Address) push.Answer { return push.Answer{Err: errors.New("SENDER_ID_MISMATCH"), Gone: true} }
	n := w.says(notice.Approval)
	require.NoError(t, w.tell(n))
	require.Equal(t, "SENDER_ID_MISMATCH", w.undelivered()[n].Reason)

	next := w.says(notice.Approval)
	require.NoError(t, w.tell(next))

	require.Equal(t, "nowhere", w.undelivered()[next].State)
	require.Len(t, w.mail.sent, 1)
}

// What is due at nine for very many: two servers work on one queue, and each
// device is told of each once. ROADBOOK_FULL has ten thousand.
func TestStorm_atNine(t *testing.T) {
	t.Parallel()

	n := 300
	if os.Getenv("ROADBOOK_FULL") != "" {
		n = 10_000
	}
	w := newWorld(t)
	w.atNine(n)
	took := w.deliverAll(2, n)
	t.Logf("%d notifications in %v: %.0f/s", n, took, float64(n)/took.Seconds())

	times := map[record.ID]int{}
	for _, s := range w.mail.sent {
		times[s.ID]++
	}
	require.Len(t, times, n)
	require.Len(t, w.mail.sent, n)
	require.Equal(t, map[string]int{"sent": n}, w.states())
	stands, err := w.queue.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, stands.Failed)
}

// atNine makes so many reminders, of as many people as it takes for nobody to have
// too many, each with a phone.
func (w *world) atNine(n int) {
	w.t.Helper()
	const each = 10
	var edits []record.Edit
	commit := func(most int) {
		if len(edits) > most {
			w.commit(record.NoID, edits...)
			edits = nil
		}
	}
	for i := range n {
		login := "p" + strconv.Itoa(i/each)
		if i%each == 0 {
			edits = append(edits, record.Edit{
				Op: record.OpCreate, Kind: "user", ID: person(login), Set: values("login", login, "name", login, "owner", person(login).String()),
			})
			who := access.Caller{Org: w.org, Person: person(login), Device: seedID.Derive("device " + login)}
			require.NoError(w.t, w.registry.Register(w.t.Context(), who, "fcm", login))
		}
		said := notice.Notice{
			To: person(login), Category: notice.Reminder, Code: "reminder_due", Title: "x", About: "reminder", Subject: seedID.Derive(strconv.Itoa(i)), At: w.clock,
		}
		edits = append(edits, said.Edit(seedID))
		commit(record.MaxEdits - 3)
	}
	commit(0)
	w.react()
}

// deliverAll has so many servers work until all are sent, and says how long that
// took.
func (w *world) deliverAll(servers, n int) time.Duration {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	var all sync.WaitGroup
	begun := time.Now()
	for range servers {
		workers := jobs.NewWorkers()
		w.courier.Register(workers)
		queue, err := jobs.New(jobs.Config{Pool: w.pool, Workers: workers, Log: slog.New(slog.DiscardHandler)})
		require.NoError(w.t, err)
		all.Go(func() { _ = queue.Run(ctx) })
	}
	require.Eventually(w.t, func() bool {
		var sent int
		err := w.pool.QueryRow(ctx, "SELECT count(*) FROM push_deliveries WHERE state = 'sent'").Scan(&sent)
		return err == nil && sent >= n
	}, 2*time.Minute, 20*time.Millisecond)
	took := time.Since(begun)
	cancel()
	all.Wait()
	return took
}
