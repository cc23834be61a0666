package reminders_test

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	stdsync "sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/modules/reminders"
	"roadbook/record"
	"roadbook/record/reminder"
)

func byBirth(all []*record.Record) []*record.Record {
	slices.SortFunc(all, func(a, b *record.Record) int {
		return cmp.Or(cmp.Compare(a.Slot("created_at").By.Seq, b.Slot("created_at").By.Seq), slices.Compare(a.ID[:], b.ID[:]))
	})
	return all
}

// remind sets lin a reminder.
func (w *world) remind(name string, when time.Time, pairs ...string) {
	w.t.Helper()
	set := append([]string{"title", "call 兴旺", "at", spelled(when), "owner", person("lin").String()}, pairs...)
	w.commit(person("lin"), create("reminder", name, set...))
}

// A reminder rings once, at its time, and the record says so.
func TestRing_once(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.remind("one", at(15, 0))
	w.until(at(14, 59))
	require.Empty(t, w.told("lin"))

	w.until(at(15, 0))
	require.Equal(t, []string{"reminder_due 23 15:00"}, w.told("lin"))
	n := w.records("notification", person("lin"))[0]
	require.Equal(t, "reminder", n.Text("category"))
	require.Equal(t, named("one"), n.Ref("subject"))
	require.NotContains(t, n.Text("title"), "兴旺", "a locked screen shows it")
	require.Equal(t, reminder.Server, w.record("one").Text("fired_by"))
	require.Equal(t, spelled(at(15, 0)), w.record("one").Text("fired_until"))
	w.until(at(40, 0))
	require.Len(t, w.told("lin"), 1)
	require.Zero(t, w.count("SELECT count(*) FROM reminders_due"))
	require.Equal(t, 1, w.count("SELECT count(*) FROM river_job"), "one was asked for")
}

// What was moved, put off, done or deleted does not ring at its old time.
func TestRing_notAtTheOldTime(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		change record.Edit
		want   []string
	}{
		"moved":    {edit("reminder", "one", "at", spelled(at(16, 0))), []string{"reminder_due 23 16:00"}},
		"earlier":  {edit("reminder", "one", "at", spelled(at(14, 0))), []string{"reminder_due 23 14:00"}},
		"put off":  {edit("reminder", "one", "fired_until", spelled(at(15, 0)), "snoozed_until", spelled(at(15, 30))), []string{"reminder_due 23 15:30"}},
		"done":     {edit("reminder", "one", "done_at", spelled(at(10, 0))), nil},
		"rung":     {edit("reminder", "one", "fired_until", spelled(at(15, 0))), nil},
		"deleted":  {record.Edit{Op: record.OpDelete, Kind: "reminder", ID: named("one")}, nil},
		"as it is": {edit("reminder", "one", "title", "call them"), []string{"reminder_due 23 15:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			w.remind("one", at(15, 0))
			w.react()
			w.clock = at(15, 0).Add(-time.Second) // so that its time can be believed
			if name != "put off" && name != "rung" {
				w.clock = at(10, 0)
			}
			if name == "put off" || name == "rung" {
				w.clock = at(15, 0)
			}
			w.commit(person("lin"), tt.change)
			w.until(at(20, 0))

			require.Equal(t, tt.want, w.told("lin"))
		})
	}
}

// Two servers ring once, and so does one that dies after the commit.
func TestRing_twoServers(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for i := range 30 {
		w.remind(strconv.Itoa(i), at(9, 0))
	}
	w.react()
	w.clock = at(9, 0)
	var both stdsync.WaitGroup
	for range 4 {
		s := reminders.New(reminders.Config{Pool: w.pool, Engine: w.engine, Devices: w, Now: func() time.Time { return at(9, 0) }})
		both.Go(func() {
			if _, err := s.Ring(t.Context(), w.org); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	w.react()
	require.Len(t, w.told("lin"), 30)

	_, err := w.pool.Exec(t.Context(), "INSERT INTO reminders_due (org, reminder, at) SELECT org, id, $1 FROM records WHERE kind = 23", at(9, 0))
	require.NoError(t, err)
	w.ring()
	require.Len(t, w.told("lin"), 30)
	require.Zero(t, w.count("SELECT count(*) FROM reminders_due"))
}

// The device that has set a reminder rings for it: the server is silent, whether it
// hears of that before or after.
func TestRing_notForADevice(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	phone := seedID.Derive("phone")
	w.using[phone] = person("lin")
	w.remind("early", at(15, 0))
	w.commit(person("lin"), edit("reminder", "early", "rings_on", w.promised("early", "phone")))
	w.until(at(17, 0))
	require.Empty(t, w.told("lin"))
	w.commit(person("lin"), edit("reminder", "early", "fired_until", spelled(at(15, 0)), "fired_by", phone.String()))
	w.until(at(15, 0).Add(reminder.Patience * 2))
	require.Empty(t, w.told("lin"))
	require.Equal(t, phone.String(), w.record("early").Text("fired_by"))

	w.remind("late", at(15, 0), "fired_until", spelled(at(15, 0)), "fired_by", phone.String())
	w.ring()
	require.Empty(t, w.told("lin"))
	require.Zero(t, w.count("SELECT count(*) FROM reminders_due"))
}

// A promise that is none: of a device that is signed out, or somebody else's, or
// for another time. Then the server rings at the time.
func TestRing_aPromiseThatDoesNotHold(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.using[seedID.Derive("phone")] = person("lin")
	w.using[seedID.Derive("his")] = person("zhou")
	for _, name := range []string{"signed out", "his", "moved"} {
		w.remind(name, at(15, 0))
	}
	w.commit(person("lin"), edit("reminder", "signed out", "rings_on", w.promised("signed out", "old phone")))
	w.commit(person("lin"), edit("reminder", "his", "rings_on", w.promised("his", "his")))
	w.commit(person("lin"), edit("reminder", "moved", "rings_on", w.promised("moved", "phone")))
	w.commit(person("chen"), edit("reminder", "moved", "at", spelled(at(14, 30)))) // the phone does not know

	w.until(at(16, 0))

	require.ElementsMatch(t, []string{"reminder_due 23 15:00", "reminder_due 23 15:00", "reminder_due 23 14:30"}, w.told("lin"))
}

// A device that never says anything is not waited for for ever: its person is told
// late, and from then on by the server.
func TestRing_aDeviceThatIsLost(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.using[seedID.Derive("phone")] = person("lin")
	w.remind("daily", at(15, 0), "zone", "Asia/Shanghai", "recurrence", "FREQ=DAILY")
	w.commit(person("lin"), edit("reminder", "daily", "rings_on", w.promised("daily", "phone")))
	w.until(at(15, 0).Add(reminder.Patience - time.Second))
	require.Empty(t, w.told("lin"))

	w.until(at(15+48, 0))

	require.Equal(t, []string{"reminder_missed 23 15:00", "reminder_due 24 15:00", "reminder_due 25 15:00"}, w.told("lin"))
	require.Empty(t, w.record("daily").Text("rings_on"))
}

// A server that was away tells once of all that was missed.
func TestRing_whatWasMissedIsOne(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.remind("daily", at(15, 0), "zone", "Asia/Shanghai", "recurrence", "FREQ=DAILY")
	w.react()
	w.clock = at(15+72, 20)
	require.NoError(t, w.service.Sweep(t.Context()))
	w.react()

	require.Equal(t, []string{"reminder_missed 26 15:00"}, w.told("lin"))
	w.until(at(15+96, 0))
	require.Equal(t, []string{"reminder_missed 26 15:00", "reminder_due 27 15:00"}, w.told("lin"))
	require.Equal(t, 1, w.count("SELECT count(*) FROM reminders_due"))
}

// What a device says of a time that has not come is not believed: its clock is
// wrong.
func TestRing_aClockThatIsAhead(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.remind("daily", at(15, 0), "zone", "Asia/Shanghai", "recurrence", "FREQ=DAILY")
	w.commit(person("lin"), edit("reminder", "daily", "fired_until", spelled(dawn.AddDate(1, 0, 0))))

	w.until(at(15, 0))

	require.Equal(t, []string{"reminder_due 23 15:00"}, w.told("lin"))
}

// What the server has told, and has rung on a device after all, is read.
func TestRing_onBoth(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.remind("one", at(15, 0))
	w.until(at(15, 0))
	w.clock = at(15, 5)
	w.commit(person("lin"), edit("reminder", "one", "fired_until", spelled(at(15, 0)), "fired_by", seedID.Derive("phone").String()))
	w.react()

	require.Equal(t, []string{"reminder_due 23 15:00 read"}, w.told("lin"))
}

// A reminder that is handed on reminds the colleague, who is told of it; whoever
// has left is not told, and it says so.
func TestRing_handedOn(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.remind("one", at(15, 0))
	w.until(at(10, 0))
	w.commit(person("lin"), edit("reminder", "one", "owner", person("zhou").String()))
	w.until(at(16, 0))
	require.Empty(t, w.told("lin"))
	require.Equal(t, []string{"reminder_assigned 23 10:00", "reminder_due 23 15:00"}, w.told("zhou"))

	w.commit(person("chen"), create("reminder", "two", "at", spelled(at(17, 0)), "owner", person("gone").String()))
	w.commit(person("chen"), record.Edit{Op: record.OpEdit, Kind: "user", ID: person("gone"), Set: values("status", "left")})
	w.until(at(18, 0))
	require.Empty(t, w.told("gone"))
	require.Equal(t, reminder.Nobody, w.record("two").Text("fired_by"))
	require.Zero(t, w.count("SELECT count(*) FROM reminders_due"))
}

// What can never ring is refused, and says what is wrong with it.
func TestRule_refuses(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.remind("one", at(15, 0))
	for code, change := range map[string]record.Edit{
		"required":   create("reminder", "none", "title", "x"),
		"zone":       edit("reminder", "one", "zone", "Asia/Atlantis"),
		"recurrence": edit("reminder", "one", "zone", "Asia/Shanghai", "recurrence", "FREQ=MINUTELY"),
	} {
		out := w.propose(person("lin"), change)
		require.Equal(t, record.Refused, out.Result, code)
		require.Equal(t, code, out.Refusal.Code)
	}
	out := w.propose(person("lin"), edit("reminder", "one", "recurrence", "FREQ=DAILY"))
	require.Equal(t, "zone", out.Refusal.Code, "what comes again needs one")
}

// Ten thousand at nine o'clock are told in as many transactions as their number
// asks for, and one job is asked for. ROADBOOK_FULL=1 has as many; a usual run fewer.
func TestRing_tenThousand(t *testing.T) {
	t.Parallel()

	all := 1500
	if os.Getenv("ROADBOOK_FULL") != "" {
		all = 10_000
	}
	w := newWorld(t)
	w.many(all, at(9, 0))
	w.react()
	require.Equal(t, 1, w.count("SELECT count(*) FROM river_job"))
	w.clock = at(9, 0)
	began, before := time.Now(), w.count("SELECT count(*) FROM reminders_due")
	require.Equal(t, all, before)

	more, err := w.service.Ring(t.Context(), w.org)

	require.NoError(t, err)
	require.False(t, more)
	t.Logf("%d reminders rang in %v", all, time.Since(began).Round(time.Millisecond))
	require.Zero(t, w.count("SELECT count(*) FROM reminders_due"))
	require.Equal(t, all, w.count("SELECT count(*) FROM records WHERE kind = 22"))
}
