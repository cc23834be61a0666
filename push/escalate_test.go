package push_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/push"
	"roadbook/record"
	"roadbook/record/notice"
)

// reach has lin's phone reached by another channel.
func (w *world) reach(channel, token string) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), `INSERT INTO push_channels (org, device, channel, person, address, set_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		w.org, [16]byte(seedID.Derive("device "+token)), channel, [16]byte(person("lin")), token, w.clock)
	require.NoError(w.t, err)
}

func (w *world) escalate(id record.ID, begun time.Time) error {
	return w.courier.Escalate(w.t.Context(), push.Escalate{
		Org: w.org, Notification: id, After: push.EscalateAfter(notice.Approval), Begun: begun,
	})
}

// under has chen manage the unit that lin is in.
func (w *world) under() {
	w.t.Helper()
	unit := seedID.Derive("unit")
	w.commit(record.NoID, record.Edit{Op: record.OpCreate, Kind: "unit", ID: unit, Set: values("name", "north", "manager", person("chen").String())})
	w.commit(record.NoID, record.Edit{Op: record.OpEdit, Kind: "user", ID: person("lin"), Set: values("unit", unit.String())})
}

// What waits and is not read is sent by the next channel, then his manager is told
// if it says so: each once.
func TestEscalate(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.under()
	w.device("phone")
	w.reach("pigeon", "loft")
	n := w.says(notice.Approval, func(n *notice.Notice) { n.Escalate = true })
	begun := w.clock
	require.NoError(t, w.tell(n))
	require.Len(t, w.mail.sent, 1)
	require.Empty(t, w.other.sent)

	after := push.EscalateAfter(notice.Approval)
	w.clock = begun.Add(after)
	require.ErrorContains(t, w.escalate(n, begun), after.String())
	require.Len(t, w.other.sent, 1)
	require.ErrorContains(t, w.escalate(n, begun), after.String(), "done again")
	require.Len(t, w.other.sent, 1)
	require.Empty(t, w.told("chen"))
	w.clock = begun.Add(2*after - time.Second)
	require.ErrorContains(t, w.escalate(n, begun), "1s")
	require.Empty(t, w.told("chen"))
	w.clock = begun.Add(2 * after)
	for range 2 {
		require.NoError(t, w.escalate(n, begun))
	}

	told := w.told("chen")
	require.Len(t, told, 1)
	require.Equal(t, person("lin"), told["unread_below"].Ref("by"))
	require.Len(t, w.mail.sent, 1)
	require.Len(t, w.other.sent, 1)
}

// What was read, and what nobody asked to take further, ends there. Nobody is
// woken: the first channel has its time once it is morning.
func TestEscalate_not(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.under()
	w.device("phone")
	plain, read := w.says(notice.Approval), w.says(notice.Approval, func(n *notice.Notice) { n.Escalate = true })
	w.commit(person("lin"), record.Edit{Op: record.OpEdit, Kind: notice.Kind, ID: read, Set: values("read_at", w.clock.Format(time.RFC3339))})
	require.NoError(t, w.tell(plain))
	begun := w.clock
	w.clock = begun.Add(3 * push.EscalateAfter(notice.Approval))
	require.NoError(t, w.escalate(plain, begun))
	require.NoError(t, w.escalate(read, begun))
	require.Empty(t, w.told("chen"))

	morning := w.night()
	err := w.escalate(w.says(notice.Approval), begun)
	require.ErrorContains(t, err, (morning.Sub(w.clock) + push.EscalateAfter(notice.Approval)).String())
}

// The job is asked for with the notification, for what waits for somebody, and
// only that.
func TestEscalate_isAskedFor(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for _, c := range []notice.Category{notice.Approval, notice.Task, notice.Reminder, notice.Mention, notice.Conflict, notice.System} {
		w.says(c)
	}
	w.react()
	w.clock = w.clock.Add(push.EscalateAfter(notice.Approval) - time.Second)
	require.Empty(t, due[push.Escalate](w, "push.escalate"))
	w.clock = w.clock.Add(time.Second)
	require.Len(t, due[push.Escalate](w, "push.escalate"), 1)
	w.clock = w.clock.Add(push.EscalateAfter(notice.Task))
	require.Len(t, due[push.Escalate](w, "push.escalate"), 1)
}
