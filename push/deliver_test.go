package push_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/push"
	"roadbook/record"
)

func (w *world) deliver(n *record.Record) error {
	return w.courier.Deliver(w.t.Context(), push.Deliver{Org: w.org, Notification: n.ID})
}

// Each device is sent it once, however often the job is done; and not at all once
// it was read. The others are then told so, once.
func TestDeliver_onceToEachDevice(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	w.device("pad")
	n := w.task()

	require.NoError(t, w.deliver(n))
	require.NoError(t, w.deliver(n))
	require.Len(t, w.mail.sent, 2)
	require.Equal(t, map[string]int{"sent": 2}, w.states())

	w.commit(person("lin"), record.Edit{Op: record.OpEdit, Kind: "notification", ID: n.ID, Set: values("read_at", "2026-11-29T08:00:00Z")})
	late := w.device("late")
	require.NotZero(t, late.Device)
	require.NoError(t, w.deliver(n))
	require.Len(t, w.mail.sent, 2)
	for range 2 {
		require.NoError(t, w.courier.Silence(t.Context(), push.Silence{Org: w.org, Notification: n.ID}))
	}

	require.Len(t, w.mail.sent, 4)
	require.True(t, w.mail.sent[3].Read)
	require.Equal(t, map[string]int{"silenced": 2}, w.states())
}

// What is sent is an id and a title.
func TestDeliver_theMessage(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	n := w.task()
	require.NoError(t, w.deliver(n))

	require.Equal(t, push.Message{
		ID: n.ID, Category: "task", Title: "您有一个新任务", Collapse: "task-" + n.Ref("subject").String(), Expires: w.clock.Add(7 * 24 * time.Hour),
	}, w.mail.sent[0].Message)
	require.LessOrEqual(t, len(w.mail.sent[0].Collapse), 64)
}

// A device that is no more is not asked again until it names a token anew; one
// that is signed out is not asked at all.
func TestDeliver_whoIsGone(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	out := w.device("signed out")
	w.ended = []record.ID{out.Device}
	w.mail.answer = func(push.Address) push.Answer { return push.Answer{Err: errors.New("unregistered"), Gone: true} }
	require.NoError(t, w.deliver(w.task()))
	require.Len(t, w.mail.sent, 1)
	require.Equal(t, map[string]int{"failed": 1, "lost": 1}, w.states())
	w.mail.answer = nil

	require.NoError(t, w.deliver(w.task()))
	require.Len(t, w.mail.sent, 1)
	require.Equal(t, map[string]int{"failed": 1, "lost": 1, "nowhere": 1}, w.states(), "it can be seen that nobody was reached")
	w.device("phone")
	require.NoError(t, w.deliver(w.task()))
	require.Len(t, w.mail.sent, 2)
}

// A channel that is too busy is asked again, when it says; what it has taken it
// is not sent twice.
func TestDeliver_later(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	w.device("pad")
	busy := true
	w.mail.answer = func(a push.Address) push.Answer {
		if a.Token == "pad" && busy {
			return push.Answer{Err: errors.New("quota"), Again: true, After: 7 * time.Second}
		}
		return push.Answer{}
	}
	n := w.task()

	require.ErrorContains(t, w.deliver(n), "7s")
	require.Equal(t, map[string]int{"sent": 1, "waiting": 1}, w.states())
	require.ErrorContains(t, w.deliver(n), "7s")
	require.Len(t, w.mail.sent, 2, "it wants to be left alone")
	busy = false
	w.clock = w.clock.Add(7 * time.Second)
	require.NoError(t, w.deliver(n))

	require.Len(t, w.mail.sent, 3)
	require.Equal(t, map[string]int{"sent": 2}, w.states())
}

// A channel that gives no answer may have taken it: it is asked twice, and no
// more.
func TestDeliver_atMostTwiceWithoutAnAnswer(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	w.mail.answer = func(push.Address) push.Answer { return push.Answer{Err: errors.New("timeout"), Silent: true} }
	n := w.task()

	for range push.MaxUnanswered {
		require.Error(t, w.deliver(n))
	}
	require.NoError(t, w.deliver(n))
	require.NoError(t, w.deliver(n))

	require.Len(t, w.mail.sent, push.MaxUnanswered)
	require.Equal(t, map[string]int{"unknown": 1, "lost": 1}, w.states())
}

// Who has a socket open gets a minute to read it there.
func TestDeliver_waitsForWhoListens(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	node := seedID.Derive("another server")
	require.NoError(t, w.registry.Present(t.Context(), node, map[record.OrgID][]record.ID{w.org: {person("lin")}}))
	n := w.task()
	before, err := w.queue.Stats(t.Context())
	require.NoError(t, err)

	require.NoError(t, w.deliver(n))

	require.Empty(t, w.mail.sent)
	after, err := w.queue.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Waiting+1, after.Waiting)
	require.NoError(t, w.courier.Deliver(t.Context(), push.Deliver{Org: w.org, Notification: n.ID, Waited: true}))
	require.Len(t, w.mail.sent, 1, "he has not read it")
	w.clock = w.clock.Add(time.Minute)
	require.NoError(t, w.registry.Present(t.Context(), node, nil))
	require.NoError(t, w.deliver(w.task()), "he listens no longer")
	require.Len(t, w.mail.sent, 2)
}

// What nobody needs to know any more is not sent.
func TestDeliver_tooLate(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	n := w.task()
	w.clock = w.clock.Add(7 * 24 * time.Hour)

	require.NoError(t, w.deliver(n))
	require.NoError(t, w.courier.Deliver(t.Context(), push.Deliver{Org: w.org, Notification: seedID}))

	require.Empty(t, w.mail.sent)
}

// A token is one device's. What is no token or no channel is refused.
func TestRegistry(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	first := w.device("token")
	second := access.Caller{Org: w.org, Person: person("zhou"), Device: seedID.Derive("zhou's")}
	require.NoError(t, w.registry.Register(t.Context(), second, "fcm", "token"))

	ways, err := w.registry.Reachable(t.Context(), first)
	require.NoError(t, err)
	require.Empty(t, ways, "the phone was handed on")
	ways, err = w.registry.Reachable(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, []push.Way{{Channel: "fcm", Works: true}}, ways)
	require.NoError(t, w.registry.Forget(t.Context(), second, "fcm"))
	ways, err = w.registry.Reachable(t.Context(), second)
	require.NoError(t, err)
	require.Empty(t, ways)

	long := make([]byte, push.MaxToken)
	for i := range long {
		long[i] = 'a'
	}
	require.NoError(t, w.registry.Register(t.Context(), first, "fcm", string(long)))
	for _, bad := range [][2]string{{"fcm", string(long) + "a"}, {"fcm", ""}, {"pigeon", "token"}} {
		err := w.registry.Register(t.Context(), first, bad[0], bad[1])
		require.Equal(t, errs.Invalid, errs.KindOf(err), bad[0])
	}
}
