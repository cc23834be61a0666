package demo_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/demo"
	"roadbook/record"
)

func find(t *testing.T, id record.ID) record.Edit {
	t.Helper()

	for _, item := range all() {
		if e := item.Mutation.Edits[0]; e.ID == id && e.Op == record.OpCreate {
			return e
		}
	}
	require.Failf(t, "not there", "%s", id)
	return record.Edit{}
}

func TestPeople_knowTheirUnitsAndRoles(t *testing.T) {
	t.Parallel()

	var roles []string
	for _, r := range access.Roles() {
		roles = append(roles, string(r))
	}
	met := map[record.ID]bool{}
	for _, p := range demo.People() {
		require.False(t, met[demo.PersonID(p.Login)], p.Login)
		require.Subset(t, roles, p.Roles, p.Login)
		require.False(t, demo.UnitID(p.Unit).IsZero(), p.Login)
		met[demo.PersonID(p.Login)] = true
	}
	for _, u := range demo.Units() {
		require.True(t, met[demo.PersonID(u.Manager)], u.Key)
	}
	require.Len(t, met, 40)
	require.True(t, demo.PersonID("nobody").IsZero())
	require.True(t, demo.UnitID("").IsZero())
}

func TestPeople_chenManagesTheRegionOfLinZhouAndWang(t *testing.T) {
	t.Parallel()

	units := demo.Units()
	at := func(login string) demo.Unit {
		people := demo.People()
		p := people[slices.IndexFunc(people, func(p demo.Person) bool { return p.Login == login })]
		return units[slices.IndexFunc(units, func(u demo.Unit) bool { return u.Key == p.Unit })]
	}

	require.Equal(t, at("lin"), at("zhou"))
	require.Equal(t, at("lin"), at("wang"))
	require.Equal(t, "chen", at("chen").Manager)
	require.Equal(t, at("chen").Key, at("lin").Parent)
}

func TestCustomerK(t *testing.T) {
	t.Parallel()

	k := find(t, demo.CustomerK()).Set

	require.Equal(t, demo.AccountID(0), demo.CustomerK())
	require.Equal(t, demo.PersonID("lin").String(), k.Text("owner"))
	require.NotEmpty(t, k.Text("address"))
	require.NotNil(t, k.Get("phones"))
	require.Contains(t, ids(k.Get("tags")), "老客户")
	require.NotContains(t, ids(k.Get("tags")), "冷链")
	require.NotContains(t, ids(k.Get("tags")), "重点")
}

func TestOpportunityO(t *testing.T) {
	t.Parallel()

	o := find(t, demo.OpportunityO()).Set

	require.Equal(t, demo.PersonID("lin").String(), o.Text("owner"))
	require.Equal(t, "qualified", o.Text("stage"))
	require.NotNil(t, o.Get("amount"))
}

func TestTodayPlans(t *testing.T) {
	t.Parallel()

	accounts := map[string]bool{}
	for i, id := range demo.TodayPlans() {
		p := find(t, id).Set
		require.Equal(t, demo.PersonID("lin").String(), p.Text("owner"))
		require.Equal(t, "2026-11-21", p.Text("date"))
		require.Equal(t, "planned", p.Text("status"))
		require.Equal(t, demo.AccountID(i).String(), p.Text("account"))
		accounts[p.Text("account")] = true
	}

	require.Len(t, accounts, 6)
}

// A visit is made where its account is, by day, and as it was planned.
func TestOrg_Proposals_visitsMakeSense(t *testing.T) {
	t.Parallel()

	places, plans := map[string]place{}, map[string]record.Edit{}
	visits, planned, chars := 0, 0, 0
	creates(func(_ demo.Item, e record.Edit) {
		switch e.Kind {
		case "account":
			places[e.ID.String()] = read[place](t, e.Set.Get("location"))
		case "visit_plan":
			plans[e.ID.String()] = e
		case "visit":
			in, out := read[evidence](t, e.Set.Get("check_in")), read[evidence](t, e.Set.Get("check_out"))
			require.True(t, in.TimeDevice.Before(out.TimeDevice))
			require.Equal(t, out.TimeDevice.Sub(in.TimeDevice).Milliseconds(), out.SinceBoot-in.SinceBoot)
			require.GreaterOrEqual(t, in.TimeDevice, midnight.AddDate(0, 0, -180))
			require.Less(t, in.Location.metresFrom(places[e.Set.Text("account")]), 100.0)
			hour := in.TimeDevice.In(midnight.Location()).Hour()
			require.True(t, hour >= 8 && hour < 18, "at %d o'clock", hour)
			if plan := e.Set.Text("plan"); plan != "" {
				planned++
				require.Equal(t, e.Set.Text("account"), plans[plan].Set.Text("account"))
				require.Equal(t, "done", plans[plan].Set.Text("status"))
				day := in.TimeDevice.In(midnight.Location()).Format(time.DateOnly)
				require.Equal(t, day, plans[plan].Set.Text("date"))
			}
			visits++
			chars += utf8.RuneCountInString(e.Set.Text("summary"))
		}
	})

	require.Greater(t, planned, 1_000)
	require.InDelta(t, 70, chars/visits, 20, "a summary is a few sentences")
}

type place struct{ Lat, Lng float64 }

type evidence struct {
	TimeDevice time.Time `json:"time_device"`
	SinceBoot  int64     `json:"time_since_boot_ms"`
	Location   place     `json:"location"`
}

func (p place) metresFrom(q place) float64 {
	const metres = 111_320 // of a degree of latitude
	return metres * math.Hypot(p.Lat-q.Lat, (p.Lng-q.Lng)*math.Cos(p.Lat*math.Pi/180))
}

func read[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()

	var v T
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

func TestOrg_Proposals_lastContactIsTheLastVisit(t *testing.T) {
	t.Parallel()

	last, said := map[string]string{}, map[string]string{}
	creates(func(_ demo.Item, e record.Edit) {
		switch e.Kind {
		case "account":
			said[e.ID.String()] = e.Set.Text("last_contact_at")
			last[e.ID.String()] = ""
		case "visit":
			out := read[evidence](t, e.Set.Get("check_out")).TimeDevice
			last[e.Set.Text("account")] = out.Format(time.RFC3339)
		}
	})

	require.Equal(t, last, said)
}
