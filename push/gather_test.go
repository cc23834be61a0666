package push_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/push"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/sync"
)

func proposed(who record.ID, m record.Mutation) []sync.Proposal {
	return []sync.Proposal{{Person: who, Mutation: m}}
}

// says makes a notification for lin and returns its id.
func (w *world) says(c notice.Category, more ...func(*notice.Notice)) record.ID {
	w.t.Helper()
	w.made++
	n := notice.Notice{
		To: person("lin"), Category: c, Code: "task_assigned", Title: "x", About: "task", Subject: seedID.Derive("about " + strconv.Itoa(w.made)),
		At: w.clock, Expires: w.clock.Add(24 * time.Hour),
	}
	for _, m := range more {
		m(&n)
	}
	e := n.Edit(seedID)
	w.commit(record.NoID, e)
	return e.ID
}

func urgent(n *notice.Notice) { n.Urgent = true }

func (w *world) tell(id record.ID) error {
	return w.courier.Deliver(w.t.Context(), push.Deliver{Org: w.org, Notification: id})
}

// due takes the jobs of a kind that are asked for at a moment or before, and does
// none of them.
func due[A any](w *world, kind string) (all []A) {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(),
		"DELETE FROM river_job WHERE kind = $1 AND scheduled_at <= $2 RETURNING args, id", kind, w.clock)
	require.NoError(w.t, err)
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		var id int64
		require.NoError(w.t, rows.Scan(&raw, &id))
		var args A
		require.NoError(w.t, json.Unmarshal(raw, &args))
		all = append(all, args)
	}
	return all
}

// gathers does the jobs that gather, and says what messages they ask for.
func (w *world) gathers() (summaries []push.Summary, singles []push.Deliver) {
	w.t.Helper()
	for _, g := range due[push.Gather](w, "push.gather") {
		require.NoError(w.t, w.courier.Gather(w.t.Context(), g))
	}
	return due[push.Summary](w, "push.summary"), due[push.Deliver](w, "push.deliver")
}

// night has lin left alone from ten to seven, and it is eleven.
func (w *world) night() (morning time.Time) {
	w.t.Helper()
	require.Equal(w.t, record.Applied, w.prefers("lin", push.PreferenceID(person("lin")), "quiet_from", "22:00", "quiet_to", "07:00").Result)
	w.clock = time.Date(2026, 11, 29, 23, 0, 0, 0, time.FixedZone("", 8*3600))
	return time.Date(2026, 11, 30, 7, 0, 0, 0, time.FixedZone("", 8*3600))
}

// What comes at night is sent in the morning: so many one by one, one more all
// together in one message, and none that was read meanwhile. What is urgent comes
// through, if it is an approval.
func TestGather_inTheMorning(t *testing.T) {
	t.Parallel()

	for _, n := range []int{push.GatherOver, push.GatherOver + 1} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			w.device("phone")
			morning := w.night()
			var last record.ID
			for range n {
				last = w.says(notice.Task)
				require.NoError(t, w.tell(last))
			}
			read := w.says(notice.Task, urgent)
			require.NoError(t, w.tell(read))
			w.commit(person("lin"), record.Edit{
				Op: record.OpEdit, Kind: notice.Kind, ID: read, Set: values("read_at", w.clock.Format(time.RFC3339)),
			})
			require.Empty(t, w.mail.sent)
			loud := w.says(notice.Approval, urgent)
			require.NoError(t, w.tell(loud))
			require.Len(t, w.mail.sent, 1)
			require.Equal(t, loud, w.mail.sent[0].ID)
			require.NoError(t, w.tell(w.says(notice.Approval, func(n *notice.Notice) { n.Expires = w.clock.Add(time.Minute) })))
			require.Empty(t, due[push.Gather](w, "push.gather"), "it is night")

			w.clock = morning
			summaries, singles := w.gathers()

			if n == push.GatherOver {
				require.Len(t, singles, n)
				require.Empty(t, summaries)
				for _, s := range singles {
					require.NoError(t, w.courier.Deliver(t.Context(), s))
				}
				require.Len(t, w.mail.sent, 1+n)
				return
			}
			require.Empty(t, singles)
			require.Len(t, summaries, 1)
			for range 2 {
				require.NoError(t, w.courier.Summary(t.Context(), summaries[0], false))
			}
			require.Len(t, w.mail.sent, 2)
			require.Equal(t, "您有 "+strconv.Itoa(n)+" 条新通知", w.mail.sent[1].Title)
			require.Equal(t, map[string]int{"sent": 2, "gathered": n, "lost": 1}, w.states(), "one is no news any more")
			more, none := w.gathers()
			require.Empty(t, more)
			require.Empty(t, none)
		})
	}
}

// A message about several goes away when the last of them was read.
func TestGather_isSilencedWithTheLast(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.device("phone")
	morning := w.night()
	var ids []record.ID
	for range push.GatherOver + 1 {
		ids = append(ids, w.says(notice.Task))
		require.NoError(t, w.tell(ids[len(ids)-1]))
	}
	w.clock = morning
	summaries, _ := w.gathers()
	require.NoError(t, w.courier.Summary(t.Context(), summaries[0], false))

	for i, id := range ids {
		require.Len(t, w.mail.sent, 1, "%d of them are read", i)
		w.commit(person("lin"), record.Edit{Op: record.OpEdit, Kind: notice.Kind, ID: id, Set: values("read_at", w.clock.Format(time.RFC3339))})
		require.NoError(t, w.courier.Silence(t.Context(), push.Silence{Org: w.org, Notification: id}))
	}

	require.Len(t, w.mail.sent, 2)
	require.True(t, w.mail.sent[1].Read)
	require.Equal(t, summaries[0].Digest, w.mail.sent[1].ID)
}

// If the one message comes to nothing, each of which it told has reached nobody.
func TestGather_thatIsLost(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	morning := w.night()
	for range push.GatherOver + 1 {
		require.NoError(t, w.tell(w.says(notice.Task)))
	}
	w.clock = morning
	summaries, _ := w.gathers()
	require.Len(t, summaries, 1)

	w.device("phone")
	w.mail.answer = func(push.Address) push.Answer { return push.Answer{Err: errors.New("cut"), Silent: true} }
	require.Error(t, w.courier.Summary(t.Context(), summaries[0], true))

	all := w.undelivered()
	require.Len(t, all, push.GatherOver+1)
	for _, u := range all {
		require.Contains(t, u.Reason, "cut")
	}
}

// A device is told of so many of a category within an hour, to the very one and
// the very moment. What is more is one message at its end; other devices,
// categories and what is urgent are not concerned.
func TestGather_whatIsTooMuch(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	phone := w.device("phone")
	most := push.PerDevice("conflict")
	for range most {
		require.NoError(t, w.tell(w.says(notice.Conflict)))
	}
	require.Len(t, w.mail.sent, most)
	begun := w.clock
	w.clock = begun.Add(push.RateOver - time.Millisecond)
	over := []record.ID{w.says(notice.Conflict), w.says(notice.Conflict)}
	for _, n := range over {
		require.NoError(t, w.tell(n))
		require.NoError(t, w.tell(n), "done again it is still held")
	}
	require.Len(t, w.mail.sent, most)
	require.Equal(t, map[string]int{"sent": most, "held": 2}, w.states())
	require.NoError(t, w.tell(w.says(notice.Task)))
	require.Len(t, w.mail.sent, most+1)
	w.device("pad")
	require.NoError(t, w.tell(w.says(notice.Conflict)))
	require.Len(t, w.mail.sent, most+2, "the pad was told little")

	w.clock = begun.Add(push.RateOver)
	summaries, singles := w.gathers()
	require.Empty(t, singles)
	require.Len(t, summaries, 1)
	require.Equal(t, phone.Device, summaries[0].Device)
	require.Equal(t, 3, summaries[0].Count)
	require.NoError(t, w.courier.Summary(t.Context(), summaries[0], false))
	require.Len(t, w.mail.sent, most+3)
	require.Equal(t, "phone", w.mail.sent[most+2].token)
	require.NoError(t, w.tell(w.says(notice.Conflict)))
	require.Len(t, w.mail.sent, most+5, "the next hour has begun, for both")
}

// What was held for a device and falls due at night waits for the morning.
func TestGather_notAtNight(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	morning := w.night()
	require.NoError(t, w.tell(w.says(notice.Task)))

	err := w.courier.Gather(t.Context(), push.Gather{Org: w.org, Person: person("lin")})

	require.ErrorContains(t, err, morning.Sub(w.clock).String())
}
