package reminders_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/jobs"
	"roadbook/modules/people"
	"roadbook/modules/reminders"
	"roadbook/record"
	"roadbook/record/reminder"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/reactions"
	"roadbook/version"
)

var seedID = record.MustID("0190aaaa-0000-7000-8000-000000000001")

func draw() int32 { return rand.Int32N(1<<31-2) + 1 }

func person(login string) record.ID { return seedID.Derive(login) }

func named(name string) record.ID { return seedID.Derive("record " + name) }

// world is an org with lin and zhou, two reps, and chen, who administers it; and a
// server that reminds them.
type world struct {
	t       *testing.T
	pool    *pgxpool.Pool
	engine  *sync.Engine
	org     record.OrgID
	clock   time.Time
	made    int
	using   map[record.ID]record.ID // who is signed in on what
	queue   *jobs.Queue
	service *reminders.Service
	http    string // once a phone has asked for it
}

// dawn is nine o'clock in Shanghai.
var dawn = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.DB(t), clock: dawn, using: map[record.ID]record.ID{}}
	now := func() time.Time { return w.clock }
	w.engine = sync.New(sync.Config{
		Store: store.New(w.pool), Rules: []sync.Rule{people.Rule{}, reminders.Rule{}}, Key: []byte("a key of these tests, 32 bytes.."), Now: now, Draw: draw,
	})
	t.Cleanup(w.engine.Close)
	var err error
	w.org, err = store.CreateOrg(t.Context(), w.pool, store.NewOrg{Name: "acme", UID: seedID, Epoch: "e1", Draw: draw})
	require.NoError(t, err)
	require.NoError(t, w.engine.Publish(t.Context(), w.org, shipped.Schema()))
	for login, more := range map[string][]string{"lin": nil, "zhou": {"locale", "en"}, "chen": nil, "gone": nil} {
		set := values(append([]string{"login", login, "name", login, "owner", person(login).String()}, more...)...)
		roles := `["rep"]`
		if login == "chen" {
			roles = `["admin"]`
		}
		set = append(set, record.Value{Field: "roles", Raw: json.RawMessage(roles)})
		w.commit(record.NoID, record.Edit{Op: record.OpCreate, Kind: "user", ID: person(login), Set: set})
	}
	w.queue, err = jobs.New(jobs.Config{Pool: w.pool, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	w.service = reminders.New(reminders.Config{Pool: w.pool, Engine: w.engine, Devices: w, Now: now})
	w.react()
	return w
}

// InUse implements reminders.Devices.
func (w *world) InUse(context.Context, record.OrgID, []record.ID) (map[record.ID]record.ID, error) {
	return w.using, nil
}

func values(pairs ...string) (vs record.Values) {
	for i := 0; i < len(pairs); i += 2 {
		raw, _ := json.Marshal(pairs[i+1])
		if pairs[i+1] == "null" {
			raw = []byte("null")
		}
		vs = append(vs, record.Value{Field: pairs[i], Raw: raw})
	}
	return vs
}

// propose writes as somebody, or as the server, who has seen all there is.
func (w *world) propose(who record.ID, edits ...record.Edit) record.Outcome {
	w.t.Helper()
	w.made++
	for i := range edits {
		if edits[i].Op != record.OpCreate {
			edits[i].Seen = version.Vector{version.Log: uint64(w.count("SELECT seq FROM heads WHERE org = $1", w.org))}
		}
	}
	m := record.Mutation{ID: seedID.Derive("mutation " + strconv.Itoa(w.made)), Stamp: version.StampAt(w.clock), Edits: edits}
	out, err := w.engine.Commit(w.t.Context(), w.org, []sync.Proposal{{Person: who, Mutation: m}})
	require.NoError(w.t, err)
	return out[0]
}

func (w *world) commit(who record.ID, edits ...record.Edit) {
	w.t.Helper()
	out := w.propose(who, edits...)
	require.NotEqual(w.t, record.Refused, out.Result, "%+v", out.Refusal)
}

func create(kind, name string, pairs ...string) record.Edit {
	return record.Edit{Op: record.OpCreate, Kind: kind, ID: named(name), Set: values(pairs...)}
}

func edit(kind, name string, pairs ...string) record.Edit {
	return record.Edit{Op: record.OpEdit, Kind: kind, ID: named(name), Set: values(pairs...)}
}

// react lets what follows follow.
func (w *world) react() {
	w.t.Helper()
	all := []reactions.Reaction{&reminders.Reaction{Jobs: w.queue}, &reminders.Watching{Jobs: w.queue}}
	r := &reactions.Runner{Engine: w.engine, Reactions: all, Now: func() time.Time { return w.clock }}
	for again := true; again; again = w.apply() {
		for _, re := range all {
			for more := true; more; {
				var err error
				more, err = r.Step(w.t.Context(), w.org, re)
				require.NoError(w.t, err)
			}
		}
	}
}

// apply does the jobs that rules ask for, and reports whether there were any.
func (w *world) apply() (did bool) {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), "DELETE FROM river_job WHERE kind = 'reminders.apply' RETURNING args")
	require.NoError(w.t, err)
	var all []reminders.Applying
	for rows.Next() {
		var args reminders.Applying
		require.NoError(w.t, rows.Scan(&args))
		all = append(all, args)
	}
	require.NoError(w.t, rows.Err())
	for _, a := range all {
		require.NoError(w.t, w.service.Apply(w.t.Context(), a.Org, a.Records))
	}
	return len(all) > 0
}

// until lets time go by, in steps, while the server does what it has to.
func (w *world) until(at time.Time) {
	w.t.Helper()
	for w.react(); w.clock.Before(at); {
		next := at
		var due *time.Time
		require.NoError(w.t, w.pool.QueryRow(w.t.Context(), "SELECT min(at) FROM reminders_due WHERE at > $1", w.clock).Scan(&due))
		if due != nil && due.Before(at) {
			next = *due
		}
		w.clock = next
		w.ring()
	}
}

// ring does what is due now, and what is due by that.
func (w *world) ring() {
	w.t.Helper()
	for w.react(); w.count("SELECT count(*) FROM reminders_due WHERE at <= $1", w.clock) > 0; w.react() {
		more, err := w.service.Ring(w.t.Context(), w.org)
		require.NoError(w.t, err)
		require.False(w.t, more)
	}
}

func at(h, m int) time.Time {
	return time.Date(2026, 11, 23, 0, m, 0, 0, time.UTC).Add(time.Duration(h-8) * time.Hour)
}

func spelled(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// told are the notifications that somebody got, oldest first: what happened, and
// when that was in Shanghai.
func (w *world) told(login string) (all []string) {
	w.t.Helper()
	for _, n := range w.records("notification", person(login)) {
		when, err := time.Parse(time.RFC3339, n.Text("at"))
		require.NoError(w.t, err)
		said := n.Text("code") + " " + when.Add(8*time.Hour).Format("2 15:04")
		if n.Text("read_at") != "" {
			said += " read"
		}
		all = append(all, said)
	}
	return all
}

// records are those of a kind that somebody owns, in the order in which they were made.
func (w *world) records(kind string, owner record.ID) (all []*record.Record) {
	w.t.Helper()
	err := w.engine.Look(w.t.Context(), access.Caller{Org: w.org}, func(s sync.Sight) error {
		rows, err := w.pool.Query(w.t.Context(), "SELECT id FROM records WHERE org = $1 AND kind = $2 AND owner = $3 AND state = 0",
			w.org, s.Schema.Kind(kind).No, [16]byte(owner))
		require.NoError(w.t, err)
		defer rows.Close()
		var ids []record.ID
		for rows.Next() {
			var id [16]byte
			require.NoError(w.t, rows.Scan(&id))
			ids = append(ids, id)
		}
		found, err := s.Tx.Records(w.t.Context(), ids)
		require.NoError(w.t, err)
		for i := range found {
			rec, err := found[i].Record(s.Schema)
			require.NoError(w.t, err)
			all = append(all, rec)
		}
		return nil
	})
	require.NoError(w.t, err)
	return byBirth(all)
}

func (w *world) record(name string) (rec *record.Record) {
	w.t.Helper()
	err := w.engine.Look(w.t.Context(), access.Caller{Org: w.org}, func(s sync.Sight) error {
		rows, err := s.Tx.Records(w.t.Context(), []record.ID{named(name)})
		require.NoError(w.t, err)
		require.NotEmpty(w.t, rows)
		rec, err = rows[0].Record(s.Schema)
		return err
	})
	require.NoError(w.t, err)
	return rec
}

// promised is what a device of somebody writes that rings for a reminder as it stands.
func (w *world) promised(name, device string) string {
	w.t.Helper()
	r, err := reminder.Read(w.record(name))
	require.NoError(w.t, err)
	return r.Promise(seedID.Derive(device))
}

func (w *world) count(sql string, args ...any) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

// many sets lin many reminders of one time.
func (w *world) many(n int, when time.Time) {
	w.t.Helper()
	var all []sync.Proposal
	for i := 0; i < n; {
		var edits []record.Edit
		for ; i < n && len(edits) < record.MaxEdits; i++ {
			edits = append(edits, create("reminder", "many "+strconv.Itoa(i), "at", spelled(when), "owner", person("lin").String()))
		}
		all = append(all, sync.Proposal{Mutation: record.Mutation{ID: named("many " + strconv.Itoa(i)), Stamp: version.StampAt(w.clock), Edits: edits}})
	}
	out, err := w.engine.Commit(w.t.Context(), w.org, all)
	require.NoError(w.t, err)
	for _, o := range out {
		require.Equal(w.t, record.Applied, o.Result, "%+v", o.Refusal)
	}
}
