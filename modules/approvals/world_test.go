package approvals_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/modules/approvals"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/wire"
	"roadbook/version"
)

var seedID = record.MustID("0190aaaa-0000-7000-8000-000000000001")

// world is a company: lin sells in the team that chen leads, who is led by wang;
// fin and fang are in finance; admin administers it.
type world struct {
	t      testing.TB
	pool   *pgxpool.Pool
	engine *sync.Engine
	org    record.OrgID
	clock  time.Time
	made   int
}

func draw() int32 { return rand.Int32N(1<<31-2) + 1 }

func id(name string) record.ID { return seedID.Derive(name) }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.DB(t), clock: time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)}
	w.engine = sync.New(sync.Config{
		Store: store.New(w.pool), Rules: []sync.Rule{people.Rule{}}, Processes: []sync.Process{approvals.NewProcess()},
		Key: []byte("a key of these tests, 32 bytes.."), Now: func() time.Time { return w.clock }, Draw: draw,
	})
	t.Cleanup(w.engine.Close)
	var err error
	w.org, err = store.CreateOrg(t.Context(), w.pool, store.NewOrg{Name: "acme", UID: seedID, Epoch: "e1", Draw: draw})
	require.NoError(t, err)
	require.NoError(t, w.engine.Publish(t.Context(), w.org, shipped.Schema()))
	edits := []record.Edit{
		{Op: record.OpCreate, Kind: "unit", ID: id("region"), Set: values("name", "region", "kind", "region", "status", "active")},
		{Op: record.OpCreate, Kind: "unit", ID: id("team"), Set: values("name", "team", "kind", "team", "status", "active", "parent", id("region"))},
	}
	for login, in := range map[string][2]string{
		"admin": {"admin", ""}, "wang": {"manager", "region"}, "chen": {"manager", "team"}, "lin": {"rep", "team"}, "zhou": {"rep", "team"},
		"fin": {"finance", ""}, "fang": {"finance", ""},
	} {
		set := values("login", login, "name", login, "roles", []string{in[0]}, "status", "active", "owner", id(login))
		if in[1] != "" {
			set = append(set, values("unit", id(in[1]))...)
		}
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "user", ID: id(login), Set: set})
	}
	w.server(edits...)
	w.server(record.Edit{Op: record.OpEdit, Kind: "unit", ID: id("region"), Set: values("manager", id("wang"))},
		record.Edit{Op: record.OpEdit, Kind: "unit", ID: id("team"), Set: values("manager", id("chen"))})
	return w
}

func values(pairs ...any) (vs record.Values) {
	for i := 0; i < len(pairs); i += 2 {
		raw, err := json.Marshal(pairs[i+1])
		if err != nil {
			panic(err)
		}
		vs = append(vs, record.Value{Field: pairs[i].(string), Raw: raw})
	}
	return vs
}

func (w *world) mutation(edits ...record.Edit) record.Mutation {
	w.made++
	return record.Mutation{ID: id("mutation " + strconv.Itoa(w.made)), Stamp: version.StampAt(w.clock), Edits: edits}
}

// server writes as the server.
func (w *world) server(edits ...record.Edit) record.Outcome {
	w.t.Helper()
	out, err := w.engine.Commit(w.t.Context(), w.org, []sync.Proposal{{Mutation: w.mutation(edits...)}})
	require.NoError(w.t, err)
	require.NotEqual(w.t, record.Refused, out[0].Result, "%+v", out[0].Refusal)
	return out[0]
}

// does writes as somebody on a device of his.
func (w *world) does(login string, edits ...record.Edit) record.Outcome {
	w.t.Helper()
	who := access.Caller{Org: w.org, Person: id(login), Device: id("device of " + login)}
	out, err := w.engine.Write(w.t.Context(), who, w.mutation(edits...))
	require.NoError(w.t, err)
	return out
}

// must does what is not refused.
func (w *world) must(login string, edits ...record.Edit) record.Outcome {
	w.t.Helper()
	out := w.does(login, edits...)
	require.NotEqual(w.t, record.Refused, out.Result, "%+v", out.Refusal)
	return out
}

// record is one as it stands.
func (w *world) record(id record.ID) *record.Record {
	w.t.Helper()
	var rec *record.Record
	require.NoError(w.t, w.engine.Look(w.t.Context(), access.Caller{Org: w.org}, func(s sync.Sight) error {
		rows, err := s.Tx.Records(w.t.Context(), []record.ID{id})
		if err != nil || len(rows) == 0 {
			return err
		}
		rec, err = rows[0].Record(s.Schema)
		return err
	}))
	return rec
}

func (w *world) state(approval record.ID) string { return w.record(approval).Text("state") }

// head is where the log ends.
func (w *world) head() (seq uint64) {
	w.t.Helper()
	require.NoError(w.t, w.engine.Look(w.t.Context(), access.Caller{Org: w.org}, func(s sync.Sight) error {
		seq = uint64(s.Head.Seq)
		return nil
	}))
	return seq
}

func (w *world) steps(approval record.ID) (steps []approvals.Step) {
	w.t.Helper()
	require.NoError(w.t, json.Unmarshal([]byte(w.record(approval).Text("steps")), &steps))
	return steps
}

// publish makes a flow about opportunities and has it be used.
func (w *world) publish(code, body string) record.ID {
	w.t.Helper()
	flow := id("flow " + code + strconv.Itoa(w.made))
	w.must("admin", record.Edit{Op: record.OpCreate, Kind: "flow", ID: flow, Set: values(
		"code", code, "name", code, "about_kind", "opportunity", "body", body, "state", "published")})
	return flow
}

// deal makes an opportunity of lin's.
func (w *world) deal(name string, more ...any) record.ID {
	w.t.Helper()
	shop, deal := id("shop of "+name), id("deal "+name)
	w.must("lin",
		record.Edit{Op: record.OpCreate, Kind: "account", ID: shop, Set: values("name", "shop of "+name, "grade", "A", "owner", id("lin"))},
		record.Edit{Op: record.OpCreate, Kind: "opportunity", ID: deal, Set: append(values("account", shop, "name", name, "stage", "proposal"), values(more...)...)})
	return deal
}

func (w *world) edit(login string, deal record.ID, more ...any) record.Outcome {
	w.t.Helper()
	return w.does(login, record.Edit{Op: record.OpEdit, Kind: "opportunity", ID: deal, Seen: version.Vector{version.Log: w.head()}, Set: values(more...)})
}

// submit asks for approval.
func (w *world) submit(login string, deal record.ID, more ...any) record.ID {
	w.t.Helper()
	approval := id("approval " + strconv.Itoa(w.made))
	w.must(login, record.Edit{Op: record.OpCreate, Kind: "approval", ID: approval, Set: append(values("record", deal), values(more...)...)})
	return approval
}

// says decides, having seen what there is up to a place in the log.
func (w *world) says(login string, approval record.ID, decision string, seen uint64, more ...any) (record.Outcome, *record.Record) {
	w.t.Helper()
	made := id("decision " + strconv.Itoa(w.made))
	out := w.does(login, record.Edit{
		Op: record.OpCreate, Kind: "approval_decision", ID: made, Seen: version.Vector{version.Log: seen},
		Set: append(values("approval", approval, "decision", decision), values(more...)...),
	})
	return out, w.record(made)
}

// decides is says of whoever has seen everything, and may.
func (w *world) decides(login string, approval record.ID, decision string, more ...any) *record.Record {
	w.t.Helper()
	out, rec := w.says(login, approval, decision, w.head(), more...)
	require.NotEqual(w.t, record.Refused, out.Result, "%+v", out.Refusal)
	return rec
}

func code(o record.Outcome) string {
	if o.Refusal == nil {
		return ""
	}
	return o.Refusal.Code
}

// seen is whoever has seen all that there is.
func seen(w *world) version.Vector {
	w.t.Helper()
	return version.Vector{version.Log: w.head()}
}

// phone is a device that pushes what was typed while it was dark.
type phone struct {
	w       *world
	who     access.Caller
	replica version.Replica
	n       uint64
	prev    string
}

func (w *world) phone(login string) *phone {
	w.t.Helper()
	p := &phone{w: w, who: access.Caller{Org: w.org, Person: id(login), Device: id("phone of " + login)}}
	require.NoError(w.t, pgx.BeginFunc(w.t.Context(), w.pool, func(tx pgx.Tx) error {
		r, err := store.ClaimReplica(w.t.Context(), tx, w.org, p.who.Device, p.who.Person, true, draw)
		p.replica = r.Name
		return err
	}))
	return p
}

func (p *phone) push(at time.Time, edits ...record.Edit) record.Outcome {
	p.w.t.Helper()
	p.n++
	m := p.w.mutation(edits...)
	m.N, m.Stamp = p.n, version.StampAt(at)
	body, err := json.Marshal(wire.Push{Replica: p.replica, Prev: p.prev, Mutations: []record.Mutation{m}})
	require.NoError(p.w.t, err)
	p.prev = m.ID.String()
	frame, err := wire.ReadPush(body)
	require.NoError(p.w.t, err)
	a, err := p.w.engine.Push(p.w.t.Context(), p.who, frame)
	require.NoError(p.w.t, err)
	require.Len(p.w.t, a.Outcomes, 1)
	require.NotEqual(p.w.t, record.Refused, a.Outcomes[0].Result, "%+v", a.Outcomes[0].Refusal)
	return a.Outcomes[0]
}
