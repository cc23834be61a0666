package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api"
	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/online"
	"roadbook/version"
)

// office is a server over a real database: chen manages lin, fin is in
// finance, and gao works for another company. A token is a login.
type office struct {
	server

	signIn

	t       *testing.T
	callers map[string]access.Caller
	keys    int
}

func (o *office) Caller(_ context.Context, token string) (access.Caller, error) {
	who, ok := o.callers[token]
	if !ok {
		return who, errs.New("test", errs.Anonymous, "nobody").Coded("token")
	}
	return who, nil
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, callers: map[string]access.Caller{}}
	pool := pgtest.DB(t)
	clock := func() time.Time { return time.Date(2026, 8, 3, 1, 0, 0, 0, time.UTC) }
	var drawn atomic.Int32
	draw := func() int32 { return drawn.Add(7919) }
	key := []byte("a key of these tests, 32 bytes..")
	engine := sync.New(sync.Config{
		Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: key, Now: clock, Draw: draw,
		Fault: func(err error) { t.Log("fault:", err) },
	})
	t.Cleanup(engine.Close)
	for _, name := range []string{"ours", "theirs"} {
		var org record.OrgID
		require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) (err error) {
			org, err = store.CreateOrg(t.Context(), tx, store.NewOrg{Name: name, UID: lin.Derive(name), Epoch: "e1", Draw: draw})
			return err
		}))
		require.NoError(t, engine.Publish(t.Context(), org, shipped.Schema()))
		for _, edits := range o.team(org, name) {
			out, err := engine.Commit(t.Context(), org, []sync.Proposal{{Mutation: record.Mutation{
				ID: lin.Derive(fmt.Sprint(name, len(edits))), Stamp: version.StampAt(clock()), Edits: edits,
			}}})
			require.NoError(t, err)
			require.NotEqual(t, record.Refused, out[0].Result, "%+v", out[0].Refusal)
		}
	}
	records := online.New(engine, key, clock)
	o.server = newServer(func(c *api.Config) {
		c.SignIn, c.Now = o, clock
		c.Online = func() (api.Records, error) { return records, nil }
	})
	return o
}

// team is who works where, in two steps: people first, then who manages them.
func (o *office) team(org record.OrgID, name string) [][]record.Edit {
	unit := lin.Derive(name + "unit")
	logins := [][2]string{{"lin", "rep"}, {"chen", "manager"}, {"fin", "finance"}, {"admin", "admin"}}
	if name == "theirs" {
		logins = [][2]string{{"gao", "rep"}, {"gaos-admin", "admin"}}
	}
	edits := []record.Edit{{Op: record.OpCreate, Kind: "unit", ID: unit, Set: fields("name", "team", "kind", "team", "status", "active")}}
	for _, l := range logins {
		id := lin.Derive(name + l[0])
		o.callers[l[0]] = access.Caller{Org: org, Person: id, Device: id.Derive("browser"), Roles: []string{l[1]}}
		set := fields("login", l[0], "name", l[0], "roles", []string{l[1]}, "status", "active", "owner", id)
		if l[1] == "rep" {
			set = append(set, fields("unit", unit)...)
		}
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "user", ID: id, Set: set})
	}
	if name == "theirs" {
		return [][]record.Edit{edits}
	}
	return [][]record.Edit{edits, {{Op: record.OpEdit, Kind: "unit", ID: unit, Set: fields("manager", lin.Derive("ourschen"))}}}
}

func fields(pairs ...any) (vs record.Values) {
	for i := 0; i < len(pairs); i += 2 {
		raw, err := json.Marshal(pairs[i+1])
		if err != nil {
			panic(err)
		}
		vs = append(vs, record.Value{Field: fmt.Sprint(pairs[i]), Raw: raw})
	}
	return vs
}

// told is what any of the routes answers.
type told struct {
	Status  int             `json:"status"`
	Code    string          `json:"code"`
	Detail  string          `json:"detail"`
	ID      record.ID       `json:"id"`
	Seq     string          `json:"seq"`
	Set     map[string]any  `json:"set"`
	Records []online.Record `json:"records"`
	After   string          `json:"after"`
	Record  *online.Record  `json:"record"`
	Outcome struct {
		Result   string `json:"result"`
		Seq      string `json:"seq"`
		Repeated bool   `json:"repeated"`
	} `json:"outcome"`
	Changes []struct {
		Op     string      `json:"op"`
		Dot    version.Dot `json:"dot"`
		Fields []struct {
			Field         string
			Before, After any
		}
	} `json:"changes"`
}

func (o *office) call(login, method, path, body string, headers ...string) told {
	o.t.Helper()
	answer := o.ask(o.t, method, path, login, []byte(body), headers...)
	var got told
	content := text(o.t, answer)
	require.NoError(o.t, json.Unmarshal([]byte(content), &got), content)
	require.Equal(o.t, got.Status != 0, answer.StatusCode != http.StatusOK, content)
	return got
}

func (o *office) newKey() string {
	o.keys++
	return fmt.Sprintf("01930000-0000-7000-8000-%012d", o.keys)
}

// change is one with a key of its own.
func (o *office) change(login, method, path, body string) told {
	o.t.Helper()
	return o.call(login, method, path, body, "Idempotency-Key", o.newKey())
}

// A day in the office: a record from its creation to its end, by those who may
// and those who may not.
func TestOnline_aRecordsLife(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	const accounts = "/v1/records/account"
	key := o.newKey()
	made := o.call("lin", "POST", accounts, `{"set":{"name":"兴旺超市","short_name":"旺"}}`, "Idempotency-Key", key)
	require.Equal(t, "applied", made.Outcome.Result)
	again := o.call("lin", "POST", accounts, `{"set":{"name":"兴旺超市","short_name":"旺"}}`, "Idempotency-Key", key)
	require.True(t, again.Outcome.Repeated, "the same key is the same change")
	require.Equal(t, made.Outcome.Seq, again.Outcome.Seq)
	other := o.call("lin", "POST", accounts, `{"set":{"name":"别的店"}}`, "Idempotency-Key", key)
	require.Equal(t, "rewritten", other.Code)

	at := accounts + "/" + made.Record.ID.String()
	for login, status := range map[string]int{"lin": 0, "chen": 0, "gao": 404} {
		require.Equal(t, status, o.call(login, "GET", at, "").Status, login)
	}
	require.Equal(t, 403, o.change("fin", "POST", at, `{"set":{"short_name":"x"}}`).Status+o.notSeen("fin", at), "finance reads")
	require.Equal(t, 404, o.change("gao", "POST", at, `{"set":{"short_name":"x"}}`).Status, "another company's is not there")

	seen := `"seen":{"log":"` + made.Record.Seq.String() + `"}`
	edited := o.change("chen", "POST", at, `{`+seen+`,"set":{"short_name":"兴旺"}}`)
	require.Equal(t, "applied", edited.Outcome.Result)
	require.Equal(t, edited.Outcome.Seq, edited.Record.Seq.String())

	past := o.call("lin", "GET", at+"/history?limit=1", "")
	require.Len(t, past.Changes, 1)
	require.Equal(t, "edit", past.Changes[0].Op)
	require.NotEmpty(t, past.After)
	first := o.call("lin", "GET", at+"/history?after="+past.After, "")
	require.Len(t, first.Changes, 1)
	require.Equal(t, "create", first.Changes[0].Op)
	dot, err := json.Marshal(first.Changes[0].Dot)
	require.NoError(t, err)
	back := o.change("lin", "POST", at+"/restore", `{"field":"short_name","dot":`+string(dot)+`}`)
	require.Equal(t, "applied", back.Outcome.Result)
	require.Equal(t, "旺", o.call("lin", "GET", at, "").Set["short_name"])
	require.Zero(t, o.call("lin", "GET", at+"/timeline", "").Status)

	key = o.newKey()
	gone := o.call("lin", "DELETE", at+"?seen="+back.Outcome.Seq, "", "Idempotency-Key", key)
	require.Equal(t, "applied", gone.Outcome.Result)
	require.Nil(t, gone.Record)
	require.True(t, o.call("lin", "DELETE", at+"?seen="+back.Outcome.Seq, "", "Idempotency-Key", key).Outcome.Repeated)
	require.Equal(t, 404, o.call("lin", "GET", at, "").Status)
}

// notSeen makes a 403 of the 404 that a record which is not there answers.
func (o *office) notSeen(login, at string) int {
	o.t.Helper()
	if o.call(login, "GET", at, "").Status == http.StatusNotFound {
		return -1
	}
	return 0
}

func TestOnline_lists(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	for i := range 7 {
		stage := []string{"prospect", "customer"}[i%2]
		made := o.change("lin", "POST", "/v1/records/account", fmt.Sprintf(`{"set":{"name":"店%d","stage":%q}}`, i, stage))
		require.Zero(t, made.Status, made.Detail)
	}
	for login, want := range map[string]int{"lin": 7, "chen": 7, "gao": 0} {
		var names []any
		path := "/v1/records/account?limit=3"
		for page := o.call(login, "GET", path, ""); ; page = o.call(login, "GET", path+"&after="+url.QueryEscape(page.After), "") {
			require.LessOrEqual(t, len(page.Records), 3)
			for _, r := range page.Records {
				names = append(names, string(r.Values[0].Raw))
			}
			if page.After == "" {
				break
			}
		}
		require.Len(t, names, want, login)
	}
	some := o.call("chen", "GET", "/v1/records/account?sort=-seq&filter="+url.QueryEscape(`stage == "customer"`), "")
	require.Len(t, some.Records, 3)
	require.Greater(t, some.Records[0].Seq, some.Records[2].Seq)
	bad := o.call("lin", "GET", "/v1/records/account?filter="+url.QueryEscape(`name ==`), "", "Accept-Language", "zh")
	require.Equal(t, 400, bad.Status)
	require.NotContains(t, bad.Detail, "name ==")
	require.Equal(t, 404, o.call("lin", "GET", "/v1/records/nothing", "").Status)
}

// O-14: the pack that a mini-program is fetched in the background; whoever has it
// is told in a few bytes that it still stands.
func TestOnline_morning(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	task := func(title string) {
		t.Helper()
		made := o.change("lin", "POST", "/v1/records/task", fmt.Sprintf(`{"set":{"title":%q,"status":"open","due_at":"2026-08-03T09:00:00+08:00"}}`, title))
		require.Zero(t, made.Status, made.Detail)
	}
	task("one")
	fresh := o.ask(t, "GET", "/v1/morning", "lin", nil)
	tag := fresh.Header.Get("ETag")
	var pack online.Morning
	require.NoError(t, json.Unmarshal([]byte(text(t, fresh)), &pack))
	require.Equal(t, "2026-08-03", pack.Day)
	require.Equal(t, 1, pack.Counts.Tasks)

	same := o.ask(t, "GET", "/v1/morning", "lin", nil, "If-None-Match", tag)
	require.Equal(t, 304, same.StatusCode)
	require.Empty(t, text(t, same))
	task("two")
	other := o.ask(t, "GET", "/v1/morning", "lin", nil, "If-None-Match", tag)
	require.Equal(t, 200, other.StatusCode)
	require.NotEqual(t, tag, other.Header.Get("ETag"))
	require.LessOrEqual(t, len(text(t, other)), online.MaxMorningBytes)
}

// F141: one call, and no more than a phone on a bad network bears.
func TestOnline_today(t *testing.T) {
	t.Parallel()

	o := newOffice(t)
	account := o.change("lin", "POST", "/v1/records/account", `{"set":{"name":"兴旺超市"}}`).Record.ID
	for i := range 40 {
		task := o.change("lin", "POST", "/v1/records/task", fmt.Sprintf(`{"set":{"account":%q,"title":"%0900d","status":"open","due_at":"2026-08-03T09:00:00+08:00"}}`, account, i))
		require.Zero(t, task.Status, task.Detail)
	}
	answer := text(t, o.ask(t, "GET", "/v1/today", "lin", nil))
	require.LessOrEqual(t, len(answer), online.MaxTodayBytes+1, "and the end of the line")
	var day online.Today
	require.NoError(t, json.Unmarshal([]byte(answer), &day))
	require.Equal(t, "2026-08-03", day.Day)
	require.Equal(t, 40, day.Counts.Tasks)
	require.NotEmpty(t, day.Tasks)
	require.Zero(t, o.call("gao", "GET", "/v1/today", "").Status)
}
