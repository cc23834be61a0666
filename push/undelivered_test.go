package push_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/push"
	"roadbook/record"
)

func (w *world) admin() access.Caller { return access.Caller{Org: w.org, Person: person("chen")} }

// undelivered is what has reached nobody, by notification.
func (w *world) undelivered() map[record.ID]push.Undelivered {
	w.t.Helper()
	page, err := w.courier.Undelivered(w.t.Context(), w.admin(), "", 0)
	require.NoError(w.t, err)
	all := map[record.ID]push.Undelivered{}
	for _, u := range page.Undelivered {
		all[u.Notification] = u
	}
	return all
}

func refusesAll(push.Address) push.Answer { return push.Answer{Err: errors.New("no"), Gone: false} }

// What no channel takes is in a list, with the reason, until somebody has it sent
// again and it arrives. What has arrived is not sent again.
func TestUndelivered_isReplayed(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	w.mail.answer = refusesAll
	n := w.task()
	require.NoError(t, w.deliver(n))
	got := w.undelivered()[n.ID]
	require.Equal(t, push.Undelivered{
		Notification: n.ID, Person: person("lin"), Category: "task", Code: "task_assigned", State: "lost", Reason: "no", At: got.At,
	}, got)

	all, err := w.courier.Replay(t.Context(), w.admin(), []record.ID{n.ID, seedID})
	require.NoError(t, err)
	require.Equal(t, []push.Replayed{{Notification: n.ID, Result: "replayed"}, {Notification: seedID, Result: "gone"}}, all)
	require.Empty(t, w.undelivered())
	w.mail.answer = nil
	require.NoError(t, w.deliver(n))
	require.Equal(t, map[string]int{"sent": 1}, w.states())
	all, err = w.courier.Replay(t.Context(), w.admin(), []record.ID{n.ID})
	require.NoError(t, err)
	require.Equal(t, "delivered", all[0].Result)
	require.NoError(t, w.deliver(n))
	require.Len(t, w.mail.sent, 2)
}

// A job that has failed for the last time, news that has grown old before anybody
// could be told, and a person without a device leave a row each; who has read it
// in the end takes his away.
func TestUndelivered_why(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	nowhere := w.task()
	require.NoError(t, w.deliver(nowhere))
	w.device("phone")
	w.mail.answer = func(push.Address) push.Answer { return push.Answer{Err: errors.New("cut"), Silent: true} }
	failed := w.task()
	require.Error(t, w.deliver(failed))
	require.NotContains(t, w.undelivered(), failed.ID)
	require.Error(t, w.courier.DeliverLast(t.Context(), push.Deliver{Org: w.org, Notification: failed.ID}))
	w.mail.answer = func(push.Address) push.Answer { return push.Answer{Err: errors.New("busy"), Again: true} }
	late := w.task()
	require.Error(t, w.deliver(late))
	w.clock = w.clock.Add(7 * 24 * time.Hour)
	require.NoError(t, w.deliver(late))

	all := w.undelivered()
	require.Len(t, all, 3)
	require.Equal(t, "nowhere", all[nowhere.ID].State)
	require.Contains(t, all[failed.ID].Reason, "cut")
	require.Equal(t, "its time ran out", all[late.ID].Reason)
	require.Equal(t, "expired", all[late.ID].Over)
	replayed, err := w.courier.Replay(t.Context(), w.admin(), []record.ID{late.ID})
	require.NoError(t, err)
	require.Equal(t, "expired", replayed[0].Result)
	require.NoError(t, w.courier.Silence(t.Context(), push.Silence{Org: w.org, Notification: nowhere.ID}))
	require.NotContains(t, w.undelivered(), nowhere.ID)
}

// The list comes in pages. It and the sending are for administrators, as they are
// now and not as they were when they signed in; a page and what is sent again are
// bounded.
func TestUndelivered_pagesAndRights(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	var ids []record.ID
	for range 5 {
		w.clock = w.clock.Add(time.Minute)
		n := w.task()
		require.NoError(t, w.deliver(n))
		ids = append(ids, n.ID)
	}
	slices.Reverse(ids)
	var got []record.ID
	for after, more := "", true; more; {
		page, err := w.courier.Undelivered(t.Context(), w.admin(), after, 2)
		require.NoError(t, err)
		for _, u := range page.Undelivered {
			got = append(got, u.Notification)
		}
		after, more = page.After, page.After != ""
	}
	require.Equal(t, ids, got)

	rep := access.Caller{Org: w.org, Person: person("lin"), Roles: []string{"admin"}}
	_, err := w.courier.Undelivered(t.Context(), rep, "", 1)
	require.Equal(t, errs.Denied, errs.KindOf(err))
	_, err = w.courier.Replay(t.Context(), rep, ids)
	require.Equal(t, errs.Denied, errs.KindOf(err))
	for _, limit := range []int{-1, push.MaxUndelivered + 1} {
		_, err = w.courier.Undelivered(t.Context(), w.admin(), "", limit)
		require.Equal(t, "limit", errs.CodeOf(err))
	}
	_, err = w.courier.Undelivered(t.Context(), w.admin(), "", push.MaxUndelivered)
	require.NoError(t, err)
	for _, bad := range []string{"x", "2026-11-29T08:00:00Z", "2026-11-29T08:00:00Z/x"} {
		_, err = w.courier.Undelivered(t.Context(), w.admin(), bad, 1)
		require.Equal(t, "page", errs.CodeOf(err), bad)
	}
	many := make([]record.ID, push.MaxReplayed+1)
	_, err = w.courier.Replay(t.Context(), w.admin(), many[1:])
	require.NoError(t, err)
	for _, bad := range [][]record.ID{nil, many} {
		_, err = w.courier.Replay(t.Context(), w.admin(), bad)
		require.Equal(t, "limit", errs.CodeOf(err))
	}
}

// What became of a notification is for its person to see, and for nobody else.
func TestDeliveries_areOnesOwn(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	phone := w.device("phone")
	n := w.task()
	require.NoError(t, w.deliver(n))

	all, err := w.courier.Deliveries(t.Context(), phone, n.ID)
	require.NoError(t, err)
	require.Equal(t, []push.Delivery{{Device: phone.Device, Channel: "fcm", State: "sent", Unanswered: 1, At: all[0].At}}, all)
	for _, other := range []access.Caller{w.admin(), {Org: w.org, Person: person("zhou")}} {
		_, err = w.courier.Deliveries(t.Context(), other, n.ID)
		require.Equal(t, errs.Missing, errs.KindOf(err))
	}
	_, err = w.courier.Deliveries(t.Context(), phone, person("lin"))
	require.Equal(t, errs.Missing, errs.KindOf(err))
}

// Two servers that have the same job: one sends, the other comes again when the
// first has certainly ended, and only what died unanswered is sent then.
func TestDeliver_twoServersWithOneJob(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for _, d := range []string{"phone", "pad", "watch"} {
		w.device(d)
	}
	n := w.task()
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.mail.before = func() {
		once.Do(func() {
			close(begun)
			<-goOn
		})
	}
	var first sync.WaitGroup
	var firstErr error
	first.Go(func() { firstErr = w.deliver(n) })
	<-begun

	require.ErrorContains(t, w.deliver(n), push.Abandoned.String(), "somebody is at it")
	close(goOn)
	first.Wait()

	require.NoError(t, firstErr)
	require.Len(t, w.mail.sent, 3)
	w.clock = w.clock.Add(push.Abandoned)
	require.NoError(t, w.deliver(n))
	require.Len(t, w.mail.sent, 3)
}

// A server that dies over a delivery leaves it taken until it has certainly
// ended, to the very moment; then it is sent again.
func TestDeliver_takenUpFromTheDead(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	n := w.task()
	require.NoError(t, w.deliver(n))
	_, err := w.pool.Exec(t.Context(), "UPDATE push_deliveries SET state = 'sending'")
	require.NoError(t, err)

	w.clock = w.clock.Add(push.Abandoned - time.Millisecond)
	require.ErrorContains(t, w.deliver(n), "20s")
	require.Len(t, w.mail.sent, 1)
	w.clock = w.clock.Add(time.Millisecond)
	require.NoError(t, w.deliver(n))
	require.Len(t, w.mail.sent, 2)
	require.Equal(t, map[string]int{"sent": 1}, w.states())
}

// A channel that says "later" and not when is asked after a minute, then after
// two, at most after an hour; for a day, to the very moment. It is not lost then
// either, but seen.
func TestDeliver_aChannelThatIsDownForADay(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	w.mail.answer = func(push.Address) push.Answer { return push.Answer{Err: errors.New("500"), Again: true} }
	n := w.task()
	begun := w.clock
	for want := push.AgainAfter; want < push.AgainAtMost; want *= 2 {
		require.ErrorContains(t, w.deliver(n), want.String())
		w.clock = w.clock.Add(want)
	}
	require.ErrorContains(t, w.deliver(n), push.AgainAtMost.String())
	w.clock = begun.Add(push.PutOffFor - time.Millisecond)
	require.ErrorContains(t, w.deliver(n), push.AgainAtMost.String())
	require.Empty(t, w.undelivered())

	w.clock = begun.Add(push.PutOffFor)
	require.NoError(t, w.deliver(n))

	require.Equal(t, "500", w.undelivered()[n.ID].Reason)
	w.mail.answer = nil
	_, err := w.courier.Replay(t.Context(), w.admin(), []record.ID{n.ID})
	require.NoError(t, err)
	require.NoError(t, w.deliver(n))
	require.Equal(t, map[string]int{"sent": 1}, w.states())
}

// Whoever has answered that it was read elsewhere is not told so again, also if
// another has not; who was being sent it meanwhile is told afterwards.
func TestSilence_isTriedAgain(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	w.device("pad")
	n := w.task()
	require.NoError(t, w.deliver(n))
	silence := func() error { return w.courier.Silence(t.Context(), push.Silence{Org: w.org, Notification: n.ID}) }
	w.mail.answer = func(a push.Address) push.Answer {
		return push.Answer{Again: a.Token == "pad", Err: map[string]error{"pad": errors.New("busy")}[a.Token]}
	}
	require.ErrorContains(t, silence(), "busy")
	require.Len(t, w.mail.sent, 4)
	require.Equal(t, map[string]int{"sent": 1, "silenced": 1}, w.states())

	w.mail.answer = nil
	require.NoError(t, silence())
	require.NoError(t, silence())

	require.Len(t, w.mail.sent, 5)
	require.Equal(t, "pad", w.mail.sent[4].token)
	_, err := w.pool.Exec(t.Context(), "UPDATE push_deliveries SET state = 'sending', at = $1 WHERE state = 'silenced'", w.clock)
	require.NoError(t, err)
	require.Error(t, silence(), "they are just being told")
	require.Len(t, w.mail.sent, 5)
}

// What a channel says is kept as far as it is of use.
func TestUndelivered_aLongReason(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	w.mail.answer = func(push.Address) push.Answer {
		return push.Answer{Err: errors.New("x" + strings.Repeat("长", 200))}
	}
	n := w.task()
	require.NoError(t, w.deliver(n))

	require.Equal(t, "x"+strings.Repeat("长", 166), w.undelivered()[n.ID].Reason)
}
