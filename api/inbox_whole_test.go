package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/api"
	device "roadbook/clients/go"
	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/online"
	"roadbook/version"
)

// withOnline is a whole server that answers clients that are online as well.
func withOnline(t *testing.T) *whole {
	t.Helper()
	return newWhole(t, testPool(t), time.Now, func(c *api.Config) {
		records := online.New(c.Line.(*sync.Engine), []byte(strings.Repeat("k", 32)), c.Now)
		c.Online = func() (api.Records, error) { return records, nil }
	})
}

// hire adds somebody to the org.
func (w *whole) hire(login, role string) record.ID {
	w.t.Helper()
	id := newID()
	out, err := w.engine.Commit(w.t.Context(), w.org, []sync.Proposal{{Mutation: record.Mutation{
		ID: newID(), Stamp: version.StampAt(w.now()),
		Edits: []record.Edit{{Op: record.OpCreate, Kind: "user", ID: id, Set: fields("login", login, "name", login, "roles", []string{role}, "status", "active", "owner", id)}},
	}}})
	require.NoError(w.t, err)
	require.Nil(w.t, out[0].Refusal)
	require.NoError(w.t, w.people.SetPassword(w.t.Context(), w.org, id, login, wholePassword))
	return id
}

// signedIn is a device of somebody, with all that he may have.
func (w *whole) signedIn(login string) *device.Device {
	w.t.Helper()
	d := w.phone(nil, nil)
	w.t.Cleanup(func() { require.NoError(w.t, d.Close()) })
	require.NoError(w.t, d.SignIn(w.t.Context(), "demo", login, wholePassword))
	syncs(w.t, d)
	return d
}

// Twenty conflicts are decided on a phone without a network, by two people at
// once: the first who is heard decides, all at once, and the other is told of
// each who was first.
func TestInbox_twentyOffline(t *testing.T) {
	t.Parallel()

	w := withOnline(t)
	w.hire("chen", "admin")
	lin, chen := w.signedIn("lin"), w.signedIn("chen")
	const shops = 20
	var all []record.ID
	for range shops {
		id, err := lin.Create("account", device.Values{"name": "旺"})
		require.NoError(t, err)
		all = append(all, id)
	}
	syncs(t, lin)
	syncs(t, chen)
	for _, id := range all {
		require.NoError(t, lin.Edit("account", id, func(dr *device.Draft) { dr.Set("name", "lin's") }))
		require.NoError(t, chen.Edit("account", id, func(dr *device.Draft) { dr.Set("name", "chen's") }))
	}
	syncs(t, lin)
	syncs(t, chen)
	syncs(t, lin)

	decide := func(d *device.Device, keep device.Keep) {
		groups := d.Inbox(record.NoID)
		require.Len(t, groups, shops, "grouped by customer")
		var decisions []device.Decision
		for _, g := range groups {
			require.Len(t, g.Conflicts, 1)
			c := g.Conflicts[0]
			require.Equal(t, "旺", c.Base)
			require.Len(t, c.Versions, 2)
			for _, v := range c.Versions {
				require.Contains(t, []string{"lin", "chen"}, v.Name)
				require.False(t, v.At.IsZero())
				require.False(t, v.Device.IsZero())
			}
			decisions = append(decisions, device.Decision{Conflict: c.ID, Keep: keep})
		}
		out, err := d.DecideAll(decisions)
		require.NoError(t, err)
		for _, o := range out {
			require.NoError(t, o.Err)
		}
		require.Empty(t, d.Inbox(record.NoID), "it is done on this phone, without a network")
	}
	decide(lin, device.Both)
	decide(chen, device.Mine)
	first := syncs(t, lin)
	second := syncs(t, chen)
	syncs(t, lin)

	require.Len(t, first.Outcomes, shops)
	for _, o := range first.Outcomes {
		require.Equal(t, record.Applied, o.Result)
	}
	require.Len(t, second.Outcomes, shops)
	for _, o := range second.Outcomes {
		require.Equal(t, record.Merged, o.Result)
		require.Equal(t, "decided", o.Clashes[0].Code)
		require.Equal(t, lin.Status().Actor.ID, o.Clashes[0].By)
		require.NotEmpty(t, o.Clashes[0].At)
	}
	for _, d := range []*device.Device{lin, chen} {
		require.Empty(t, d.Inbox(record.NoID))
		require.Empty(t, d.Refused(), "a conflict shows in one place")
		for _, id := range all {
			v, _ := d.Get(id)
			require.Contains(t, []string{"lin's / chen's", "chen's / lin's"}, v.Text("name"))
		}
	}
}

// One of two hundred changes is bad. It is refused with what builds on it, in
// words, and all others are in after the same exchange; mended and sent again
// it comes in with those that were waiting for it.
func TestQueue_oneOfTwoHundred(t *testing.T) {
	t.Parallel()

	w := withOnline(t)
	lin := w.signedIn("lin")
	var bad record.ID
	typed := 0
	create := func(kind string, values device.Values) record.ID {
		id, err := lin.Create(kind, values)
		require.NoError(t, err)
		typed++
		return id
	}
	for i := range 196 {
		if i == 90 {
			bad = create("account", device.Values{"remark": "the name was left out"})
			contact := create("contact", device.Values{"account": bad.String(), "name": "王芳"})
			require.NoError(t, lin.Edit("contact", contact, func(dr *device.Draft) { dr.Set("title", "店长") }))
			typed++
			create("task", device.Values{"account": bad.String(), "title": "回访"})
		}
		create("account", device.Values{"name": "店"})
	}
	require.Equal(t, 200, typed)

	report := syncs(t, lin)

	require.Len(t, report.Outcomes, 200)
	refused := lin.Refused()
	require.Len(t, refused, 4)
	require.Equal(t, "required", refused[0].Refusal.Code)
	require.NotEmpty(t, refused[0].Refusal.Detail)
	for _, r := range refused[1:] {
		require.Equal(t, "depends_on", r.Refusal.Code)
	}
	require.Len(t, lin.Depending(refused[0].Mutation.ID), 3)
	require.Zero(t, lin.Status().Outbox)

	again, err := lin.Resend(refused[0].Mutation.ID, func(a *device.Amendment) { a.Set(bad, "name", "兴旺") })
	require.NoError(t, err)
	require.Len(t, again, 4)
	require.Empty(t, lin.Refused())
	report = syncs(t, lin)
	for _, o := range report.Outcomes {
		require.Equal(t, record.Applied, o.Result, "%+v", o.Refusal)
	}
	require.Len(t, lin.List("account"), 197)
	require.Len(t, lin.List("contact"), 1)
}

// call asks the server as a device would that is online.
func (w *whole) call(d *device.Device, method, path, body string, into any) int {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	require.NoError(w.t, err)
	req.Header.Set("Authorization", "Bearer "+d.Token())
	req.Header.Set("Idempotency-Key", newID().String())
	req.Header.Set("Accept-Language", "zh-CN")
	answer, err := w.server.Client().Do(req)
	require.NoError(w.t, err)
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	require.NoError(w.t, err)
	require.NoError(w.t, json.Unmarshal(content, into), "%s", content)
	return answer.StatusCode
}

// Who is online sees the same inbox by customer, and decides many at once, each
// with a result of its own; a conflict that is not for him is not there.
func TestInbox_online(t *testing.T) {
	t.Parallel()

	w := withOnline(t)
	w.hire("chen", "admin")
	w.hire("gao", "rep")
	lin, chen, gao := w.signedIn("lin"), w.signedIn("chen"), w.signedIn("gao")
	shop, err := lin.Create("account", device.Values{"name": "旺"})
	require.NoError(t, err)
	deal, err := lin.Create("opportunity", device.Values{"account": shop.String(), "name": "冷柜", "close_date": "2026-11-01"})
	require.NoError(t, err)
	syncs(t, lin)
	syncs(t, chen)
	for i, d := range []*device.Device{lin, chen} {
		require.NoError(t, d.Edit("account", shop, func(dr *device.Draft) { dr.Set("name", []string{"甲", "乙"}[i]) }))
		require.NoError(t, d.Edit("opportunity", deal, func(dr *device.Draft) { dr.Set("close_date", fmt.Sprintf("2026-11-1%d", i)) }))
	}
	syncs(t, lin)
	syncs(t, chen)

	var inbox online.Inbox
	require.Equal(t, 200, w.call(lin, "GET", "/v1/conflicts?owner="+lin.Status().Actor.ID.String(), "", &inbox))
	require.Len(t, inbox.Groups, 1)
	g := inbox.Groups[0]
	require.Equal(t, shop, g.Account)
	require.Contains(t, []string{"甲", "乙"}, g.Name)
	require.Len(t, g.Conflicts, 2, "also that of what belongs to the customer")
	byField := map[string]online.Asked{}
	for _, c := range g.Conflicts {
		byField[c.Field] = c
		require.NotEmpty(t, c.Expires)
		require.Len(t, c.Versions, 2)
		for _, v := range c.Versions {
			require.Equal(t, v.Name == "lin", v.Mine)
		}
	}
	require.Equal(t, "旺", byField["name"].Base)
	var none online.Inbox
	require.Equal(t, 200, w.call(gao, "GET", "/v1/conflicts", "", &none))
	require.Empty(t, none.Groups)

	name, day := byField["name"], byField["close_date"]
	body := fmt.Sprintf(`{"decisions":[{"conflict":%q,"keep":"mine","seen":"%d"},{"conflict":%q,"keep":"both"},{"conflict":%q,"keep":"mine"}]}`,
		name.ID, name.Record.Seq, day.ID, newID())
	var out struct {
		Results []struct {
			Conflict record.ID
			Outcome  *record.Outcome
			Failure  *record.Refusal
		}
	}
	require.Equal(t, 200, w.call(lin, "POST", "/v1/conflicts/decide", body, &out))
	require.Len(t, out.Results, 3)
	require.Equal(t, record.Applied, out.Results[0].Outcome.Result)
	require.Equal(t, "both", out.Results[1].Failure.Code)
	require.Contains(t, out.Results[1].Failure.Detail, "只能", "in his language")
	require.Equal(t, "missing", out.Results[2].Failure.Code)
	var second struct {
		Results []struct{ Outcome record.Outcome }
	}
	require.Equal(t, 200, w.call(chen, "POST", "/v1/conflicts/decide", fmt.Sprintf(
		`{"decisions":[{"conflict":%q,"keep":"mine","seen":"%d"}]}`, name.ID, name.Record.Seq), &second))
	require.Equal(t, "decided", second.Results[0].Outcome.Clashes[0].Code)
	syncs(t, chen)
	v, _ := chen.Get(shop)
	require.Equal(t, "甲", v.Text("name"))
	require.Len(t, chen.Inbox(record.NoID)[0].Conflicts, 1)

	many := `{"decisions":[` + strings.Repeat(`{"conflict":"`+name.ID.String()+`","keep":"mine"},`, conflicts.MaxDecisions) + `{"conflict":"` + name.ID.String() + `","keep":"mine"}]}`
	require.Equal(t, 400, w.call(lin, "POST", "/v1/conflicts/decide", many, &out))
	all := strings.Replace(many, `{"conflict":"`+name.ID.String()+`","keep":"mine"},`, "", 1)
	require.Equal(t, 200, w.call(lin, "POST", "/v1/conflicts/decide", all, &out))
	_, err = lin.DecideAll(make([]device.Decision, device.MaxDecisions+1))
	require.Error(t, err)
}

// What was refused is seen by whoever typed it and by those above him, with why
// and what to do, and by nobody else; values only as far as he may see them.
func TestRefused_list(t *testing.T) {
	t.Parallel()

	w := withOnline(t)
	w.hire("boss", "admin")
	w.hire("gao", "rep")
	lin, boss, gao := w.signedIn("lin"), w.signedIn("boss"), w.signedIn("gao")
	bad, err := lin.Create("account", device.Values{"remark": "门口有冰柜"})
	require.NoError(t, err)
	require.NoError(t, lin.Edit("account", bad, func(dr *device.Draft) { dr.Set("remark", "没有了") }))
	secret, err := boss.Create("account", device.Values{"name": "秘密"})
	require.NoError(t, err)
	syncs(t, boss)
	syncs(t, lin)
	_ = secret

	type page struct {
		Refused []online.RefusedChange
		After   string
	}
	var mine, above, others page
	require.Equal(t, 200, w.call(lin, "GET", "/v1/refused", "", &mine))
	require.Equal(t, 200, w.call(boss, "GET", "/v1/refused?person="+lin.Status().Actor.ID.String(), "", &above))
	require.Equal(t, 200, w.call(gao, "GET", "/v1/refused", "", &others))

	require.Empty(t, others.Refused)
	for _, p := range []page{mine, above} {
		require.Len(t, p.Refused, 2)
		second, first := p.Refused[0], p.Refused[1]
		require.Equal(t, record.Refused, first.State)
		require.Equal(t, "required", first.Reason.Code)
		require.Contains(t, first.Fix, "补填")
		require.Equal(t, "lin", first.Name)
		require.False(t, first.Device.IsZero())
		require.Contains(t, string(first.Records[0].Set.Get("remark")), "冰柜")
		require.Equal(t, "depends_on", second.Reason.Code)
		require.Equal(t, first.Mutation, second.After, "what it builds on")
	}
	var part page
	require.Equal(t, 200, w.call(lin, "GET", "/v1/refused?limit=1", "", &part))
	require.Len(t, part.Refused, 1)
	require.Equal(t, 200, w.call(lin, "GET", "/v1/refused?limit=1&after="+part.After, "", &part))
	require.Equal(t, mine.Refused[1].Mutation, part.Refused[0].Mutation)
}
