package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/sync/online"
)

// tally counts what was typed, and finds it again.
type tally struct {
	w       *whole
	rng     *rand.Rand
	devices []*device.Device
	records map[record.ID]string // kinds by record
	values  map[string]bool      // each typed once
	typed   int
	incs    map[record.ID]int64 // of the counter
}

// unique is a value that nobody else ever types.
func (y *tally) unique() string {
	y.typed++
	v := fmt.Sprintf("v%06dx", y.typed)
	y.values[v] = true
	return v
}

// instant is a time that nobody else ever types.
func (y *tally) instant() string {
	y.typed++
	at := time.Date(2026, 1, 1, 0, 0, y.typed, 0, time.UTC).Format(time.RFC3339)
	y.values[at] = true
	return at
}

func (y *tally) begin() {
	d := y.devices[0]
	for range 60 {
		shop, err := d.Create("account", device.Values{"name": y.unique(), "remark": y.unique()})
		require.NoError(y.w.t, err)
		y.records[shop] = "account"
		deal, err := d.Create("opportunity", device.Values{"account": shop.String(), "name": y.unique(), "stage": "lead"})
		require.NoError(y.w.t, err)
		y.records[deal] = "opportunity"
		task, err := d.Create("task", device.Values{"account": shop.String(), "title": y.unique()})
		require.NoError(y.w.t, err)
		y.records[task] = "task"
	}
}

// change changes one field of a record, by any policy.
func (y *tally) change(v device.View, dr *device.Draft) {
	row := func() map[string]any { return map[string]any{"id": newID().String(), "text": y.unique()} }
	switch v.Kind + strconv.Itoa(y.rng.IntN(9)) {
	case "account0":
		dr.Set("short_name", y.unique()) // lww
	case "account1":
		dr.Set("name", y.unique()) // lww!
	case "account2", "account3":
		lines := strings.Split(v.Text("remark"), "\n") // text
		if len(lines) > 6 {
			lines = lines[3:]
		}
		dr.Set("remark", strings.Join(append(lines, y.unique()), "\n"))
	case "account4":
		dr.Add("tags", y.unique()) // set
	case "account5":
		n := int64(1 + y.rng.IntN(5)) // counter
		dr.Inc("points", n)
		y.incs[v.ID] += n
		y.typed++
	case "account6":
		dr.Set("last_contact_at", y.instant()) // max
	case "account7":
		dr.Set("terms", y.unique()) // manual
	case "account8":
		dr.Set("address", y.unique()) // a group
	case "opportunity0", "opportunity1", "opportunity2":
		dr.Set("stage", []string{"qualified", "proposal", "negotiation", "won", "lost"}[y.rng.IntN(5)]) // state
		y.typed++
	case "opportunity3", "opportunity4":
		dr.Set("next_step", y.unique())
	case "opportunity5":
		dr.Set("win_plan", y.unique())
	case "task0":
		dr.Set("done_at", y.instant()) // min
	case "task1", "task2", "task3", "task4":
		var rows []map[string]any // list
		_ = json.Unmarshal(v.Raw("checklist"), &rows)
		switch x := y.rng.IntN(3); {
		case len(rows) > 8:
			rows = rows[2:]
		case x == 0 && len(rows) > 0:
			rows[y.rng.IntN(len(rows))]["text"] = y.unique()
		default:
			rows = append(rows, row())
		}
		dr.Set("checklist", rows)
	case "task5":
		dr.Set("detail", y.unique())
	default:
		dr.Set("external_ids.erp", y.unique()) // a key of a map
	}
}

// Nothing that anybody types is lost: of ten thousand operations of four phones,
// by every policy, each value is in a record as it stands, in its history or in
// a conflict, and each operation in the history of its record or refused.
func TestCounted_nothingTypedIsLost(t *testing.T) {
	t.Parallel()

	begun, operations := time.Now(), 10_000
	if testing.Short() {
		operations = 2000
	}
	w := withOnline(t)
	w.hire("chen", "admin")
	schema, err := record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	schema.Version = "2"
	k := schema.Kind("account")
	k.Fields = append(k.Fields, &record.Field{Name: "terms", Type: "text", Policy: record.Manual})
	require.NoError(t, w.engine.Publish(t.Context(), w.org, schema))
	y := &tally{w: w, rng: rand.New(rand.NewPCG(3, 4)), records: map[record.ID]string{}, values: map[string]bool{}, incs: map[record.ID]int64{}}
	for _, login := range []string{"lin", "chen", "lin", "chen"} {
		y.devices = append(y.devices, w.signedIn(login))
	}
	y.begin()
	syncs(t, y.devices[0])
	var ids []record.ID
	for id := range y.records {
		ids = append(ids, id)
	}
	ids = record.SortedIDs(ids)
	done := map[record.ID]record.ID{} // records by mutation
	for n := range operations {
		d := y.devices[y.rng.IntN(len(y.devices))]
		if n%100 == 0 {
			syncs(t, d)
		}
		id := ids[y.rng.IntN(len(ids))]
		v, there := d.Get(id)
		if !there {
			syncs(t, d)
			v, _ = d.Get(id)
		}
		if v.Kind == "opportunity" || v.Kind == "task" || v.Kind == "account" {
			m, err := d.Mutate(func(ty *device.Typing) error {
				ty.Edit(v.Kind, id, func(dr *device.Draft) { y.change(v, dr) })
				return nil
			})
			require.NoError(t, err)
			done[m] = id
		}
	}
	for range 2 {
		for _, d := range y.devices {
			syncs(t, d)
		}
	}

	t.Logf("typed after %s", time.Since(begun))
	y.check(done)
	t.Logf("checked after %s", time.Since(begun))
}

var tokens = regexp.MustCompile(`v\d{6}x|2026-01-\d\dT\d\d:\d\d:\d\dZ`)

func (y *tally) check(done map[record.ID]record.ID) {
	t := y.w.t
	found, told := map[string]bool{}, map[record.ID]bool{}
	look := func(text []byte) {
		for _, v := range tokens.FindAll(text, -1) {
			found[string(v)] = true
		}
	}
	for _, d := range y.devices {
		for _, r := range d.Refused() {
			text, err := json.Marshal(r.Mutation)
			require.NoError(t, err)
			look(text)
			told[r.Mutation.ID] = true
			for _, e := range r.Mutation.Edits {
				require.Empty(t, e.Inc, "no count is refused here")
			}
		}
	}
	token := y.devices[1].Token()
	for id, kind := range y.records {
		at := "/v1/records/" + kind + "/" + id.String()
		now := y.get(token, at)
		look(now)
		var rec online.Record
		require.NoError(t, json.Unmarshal(now, &rec))
		if kind == "account" && y.incs[id] > 0 {
			require.Equal(t, strconv.FormatInt(y.incs[id], 10), string(rec.Values.Get("points")))
		}
		for after := ""; ; {
			page := y.get(token, at+"/history?limit=200&after="+after)
			look(page)
			var past struct {
				Changes []struct{ Mutation record.ID }
				After   string
			}
			require.NoError(t, json.Unmarshal(page, &past))
			for _, c := range past.Changes {
				told[c.Mutation] = true
			}
			if after = past.After; after == "" {
				break
			}
		}
	}
	for after := ""; ; {
		page := y.get(token, "/v1/records/conflict?limit=200&after="+after)
		look(page)
		var list struct{ After string }
		require.NoError(t, json.Unmarshal(page, &list))
		if after = list.After; after == "" {
			break
		}
	}
	lost := 0
	for v := range y.values {
		if !found[v] {
			lost++
			t.Log("lost:", v)
		}
	}
	require.Zero(t, lost, "of %d values", len(y.values))
	for m, id := range done {
		require.True(t, told[m], "nobody tells of mutation %s of %s", m, id)
	}
	t.Logf("%d operations, %d values, all there", len(done), len(y.values))
}

// get reads something through the API.
func (y *tally) get(token, path string) []byte {
	t := y.w.t
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, y.w.server.URL+path, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	answer, err := y.w.server.Client().Do(req)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, string(body))
	return body
}
