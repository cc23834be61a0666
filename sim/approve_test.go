package sim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/modules/approvals"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/version"
)

// A manager decides on a train what a rep has asked. What the rep writes meanwhile
// and has nothing to do with it does not matter; if it has, nothing is approved and
// the manager gets what he had before him and what it is now.
func TestApprove_onATrain(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	w, err := New(t.Context(), Config{Pool: pool, Org: "train", Engine: func(_ int, now func() time.Time, draw func() int32) *sync.Engine {
		return sync.New(sync.Config{
			Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Processes: []sync.Process{approvals.NewProcess()},
			Key: []byte("a key of these tests, 32 bytes.."), Now: now, Draw: draw, Still: true,
		})
	}}, Script{Seed: 1})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	server := httptest.NewServer(w.http[0])
	t.Cleanup(server.Close)
	set := func(pairs ...string) (vs record.Values) {
		for i := 0; i < len(pairs); i += 2 {
			vs = append(vs, record.Value{Field: pairs[i], Raw: record.AppendString(nil, pairs[i+1])})
		}
		return vs
	}
	out, err := w.engines[0].Commit(t.Context(), w.org, []sync.Proposal{{Mutation: record.Mutation{
		ID: w.derive("flow"), Stamp: version.StampAt(dawn), Edits: []record.Edit{{Op: record.OpCreate, Kind: "flow", ID: w.derive("the flow"), Set: set(
			"code", "discount", "about_kind", "opportunity", "state", "published",
			"body", `{"start": {"on": "submit", "when": "discount > 15.0"}, "relevant": ["discount"], "nodes": [{"name": "manager", "who": {"manager": 1}}]}`,
		)}},
	}}})
	require.NoError(t, err)
	require.Nil(t, out[0].Refusal)
	on := func(login string) *device.Device {
		d, err := device.Open(device.Config{BaseURL: server.URL, HTTP: http.DefaultClient, Now: func() time.Time { return dawn }, NewID: w.newID})
		require.NoError(t, err)
		t.Cleanup(func() { _ = d.Close() })
		require.NoError(t, d.SignIn(t.Context(), "train", login, "roadbook"))
		synced(t, d)
		return d
	}
	lin, chen := on("lin"), on("chen")
	ask := func(name string) (deal, approval record.ID) {
		_, err := lin.Mutate(func(ty *device.Typing) error {
			shop := ty.Create("account", device.Values{"name": "shop of " + name})
			deal = ty.Create("opportunity", device.Values{"account": shop.String(), "name": name, "discount": "22"})
			approval = ty.Create("approval", device.Values{"record": deal.String()})
			return nil
		})
		require.NoError(t, err)
		return deal, approval
	}
	state := func(d *device.Device, id record.ID) string {
		v, there := d.Get(id)
		require.True(t, there)
		return v.Text("state")
	}
	plain, plainAsked := ask("fridge")
	risky, riskyAsked := ask("oven")
	synced(t, lin)
	require.Empty(t, lin.Refused())
	synced(t, chen)
	require.Equal(t, "pending", state(chen, plainAsked))
	v, _ := chen.Get(plainAsked)
	require.Contains(t, v.Text("facts"), `"22"`, "the figures are on the train")

	yes, err := chen.Say(device.Saying{Approval: plainAsked, Decision: "approve", Comment: "同意"})
	require.NoError(t, err)
	_, err = chen.Say(device.Saying{Approval: riskyAsked, Decision: "approve"})
	require.NoError(t, err)
	require.NoError(t, lin.Edit("opportunity", plain, func(dr *device.Draft) { dr.Set("next_step", "明天送样") }))
	require.NoError(t, lin.Edit("opportunity", risky, func(dr *device.Draft) { dr.Set("discount", "30") }))
	synced(t, lin)
	synced(t, chen)

	require.NotZero(t, yes)
	require.Empty(t, chen.Refused())
	require.Equal(t, "approved", state(chen, plainAsked))
	require.Equal(t, "needs_reconfirm", state(chen, riskyAsked))
	v, _ = chen.Get(riskyAsked)
	var changed []struct{ Field, Seen, Now string }
	require.NoError(t, json.Unmarshal([]byte(v.Text("changed")), &changed))
	require.Equal(t, []struct{ Field, Seen, Now string }{{"discount", "22", "30"}}, changed)
	_, err = chen.Say(device.Saying{Approval: riskyAsked, Decision: "reject"})
	require.NoError(t, err)
	synced(t, chen)
	synced(t, lin)
	require.Equal(t, "rejected", state(lin, riskyAsked))
	require.Equal(t, "approved", state(lin, plainAsked))
	_, err = lin.Say(device.Saying{Approval: w.derive("nothing"), Decision: "approve"})
	require.Error(t, err)
}
