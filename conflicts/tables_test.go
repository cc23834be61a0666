package conflicts_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/record/shipped"
)

// field of a kind in the shipped schema.
func shippedField(kind, name string) *record.Field {
	return shipped.Schema().Kind(kind).Field(name)
}

// later are the processes of objects that are not shipped yet: what the join
// table of the domain says of them, as data. What needs more than the step
// itself is left to the module of the object, and said beside its row.
func later(t testing.TB, name string) *record.Field {
	t.Helper()
	f := map[string]*record.Field{
		// “First accepted by the server counts” is the policy once, of the decision
		// at a step, which is a record of its own; the step that the approval then
		// has is the server's. If two decisions are in one push, or two servers
		// have each been told of one, the stricter stands.
		"approval": {Choices: []string{"draft", "pending", "approved", "rejected", "needs_reconfirm", "withdrawn"}, States: &record.States{
			Moves: map[string][]string{
				"draft": {"pending"}, "pending": {"approved", "rejected", "withdrawn"}, "approved": {"needs_reconfirm"},
				"needs_reconfirm": {"pending", "approved", "rejected"},
			},
			// The module writes needs_reconfirm when a relevant field of the subject
			// changes; that it was concurrent is seen here.
			Joins: []record.Join{{Of: []string{"approved", "withdrawn"}, Note: true}, {Of: []string{"approved", "needs_reconfirm"}, Note: true}},
		}},
		// The cancellation request that comes of in_erp and cancelled is the order
		// module's; here the order stays where it is, and somebody is told.
		"order": {Choices: []string{"draft", "submitted", "approved", "in_erp", "shipped", "closed", "cancelled"}, States: &record.States{
			Moves: map[string][]string{
				"draft": {"submitted", "cancelled"}, "submitted": {"approved", "cancelled"}, "approved": {"in_erp", "cancelled"},
				"in_erp": {"shipped"}, "shipped": {"closed"},
			},
			Order: []string{"draft", "submitted", "approved", "cancelled", "in_erp", "shipped", "closed"},
			Joins: []record.Join{{Of: []string{"cancelled", "in_erp"}, Note: true}, {Of: []string{"cancelled", "shipped"}, Note: true}, {Of: []string{"cancelled", "closed"}, Note: true}},
		}},
		// A new message of the customer is a write of reopened by the module.
		"ticket": {Choices: []string{"new", "assigned", "in_progress", "resolved", "closed", "reopened"}, States: &record.States{
			Moves: map[string][]string{
				"new": {"assigned"}, "assigned": {"in_progress"}, "in_progress": {"resolved", "reopened"}, "resolved": {"closed", "reopened"},
				"closed": {"reopened"}, "reopened": {"in_progress", "resolved"},
			},
		}},
		// Whose it is then, by the earliest graded time, and the tie that a manager
		// decides, is the pool's: two claims say the same of the state.
		"pool": {Choices: []string{"public", "claimed"}, States: &record.States{
			Moves: map[string][]string{"public": {"claimed"}, "claimed": {"public"}},
		}},
		"campaign_member": {Choices: []string{"invited", "responded", "attended", "opted_out"}, States: &record.States{
			Moves: map[string][]string{"invited": {"responded", "attended", "opted_out"}, "responded": {"attended", "opted_out"}, "attended": {"opted_out"}},
		}},
	}[name]
	f.Name, f.Type, f.Policy = "status", "choice", record.Process
	require.NoError(t, (&record.Schema{Kinds: []*record.Kind{{Name: name, No: 1, Fields: []*record.Field{f}}}}).Check())
	return f
}

// The join table of the domain, row by row, in both orders of arrival.
func TestState_joinTable(t *testing.T) {
	t.Parallel()

	tests := []struct {
		object string
		field  *record.Field
		from   string
		a, b   string
		stands string
		asked  bool // a person is told or decides
	}{
		{"opportunity", shippedField("opportunity", "stage"), "negotiation", "won", "lost", "negotiation", true},
		{"opportunity", shippedField("opportunity", "stage"), "lead", "qualified", "proposal", "proposal", true},
		{"opportunity", shippedField("opportunity", "stage"), "proposal", "lead", "negotiation", "negotiation", true},
		{"opportunity", shippedField("opportunity", "stage"), "proposal", "won", "negotiation", "won", true},
		{"opportunity", shippedField("opportunity", "stage"), "proposal", "negotiation", "lost", "lost", true},
		{"task", shippedField("task", "status"), "open", "doing", "done", "done", false},
		{"task", shippedField("task", "status"), "open", "doing", "cancelled", "cancelled", false},
		{"task", shippedField("task", "status"), "doing", "done", "cancelled", "done", true},
		{"visit plan", shippedField("visit_plan", "status"), "planned", "missed", "done", "done", false},
		{"visit plan", shippedField("visit_plan", "status"), "planned", "missed", "started", "started", false},
		{"visit plan", shippedField("visit_plan", "status"), "planned", "cancelled", "done", "done", true},
		{"visit plan", shippedField("visit_plan", "status"), "planned", "cancelled", "rescheduled", "cancelled", false},
		{"visit", shippedField("visit", "status"), "closed", "open", "reviewed", "reviewed", false},
		{"approval", later(t, "approval"), "pending", "approved", "rejected", "rejected", false},
		{"approval", later(t, "approval"), "pending", "approved", "withdrawn", "withdrawn", true},
		{"approval", later(t, "approval"), "pending", "rejected", "withdrawn", "withdrawn", false},
		{"approval", later(t, "approval"), "approved", "approved", "needs_reconfirm", "needs_reconfirm", true},
		{"order", later(t, "order"), "draft", "submitted", "cancelled", "cancelled", false},
		{"order", later(t, "order"), "approved", "in_erp", "cancelled", "in_erp", true},
		{"ticket", later(t, "ticket"), "in_progress", "resolved", "reopened", "reopened", false},
		{"account pool", later(t, "pool"), "public", "claimed", "claimed", "claimed", false},
		{"campaign member", later(t, "campaign_member"), "invited", "opted_out", "responded", "opted_out", false},
		{"campaign member", later(t, "campaign_member"), "invited", "attended", "opted_out", "opted_out", false},
	}
	for _, tt := range tests {
		t.Run(tt.object+" "+tt.a+" "+tt.b, func(t *testing.T) {
			t.Parallel()
			for _, order := range [][]string{{tt.a, tt.b}, {tt.b, tt.a}} {
				k := &record.Kind{Name: "any", No: 1, Fields: []*record.Field{tt.field}}
				require.NoError(t, (&record.Schema{Kinds: []*record.Kind{k}}).Check())
				rec := &record.Record{Kind: k, Seq: 2, Slots: []record.Slot{{Field: tt.field.Name, Raw: quoted(tt.from), By: at(cara, 1, 1)}}}
				var report conflicts.Report
				for i, to := range order {
					w := writeAt(record.ReplicaID(10+i), 5, record.Seq(3+i))
					w.Seen.Log = 2
					w.At = func(string, record.Seq) (json.RawMessage, error) { return quoted(tt.from), nil }
					w.Stood = func(string) (json.RawMessage, error) { return quoted(tt.from), nil }
					var err error
					report, err = conflicts.Apply(rec, edit(record.Edit{Set: vals(tt.field.Name, string(quoted(to)))}), w)
					require.NoError(t, err)
				}

				require.Equal(t, tt.stands, rec.Text(tt.field.Name), "%v", order)
				require.Equal(t, tt.a != tt.b, len(report.Clashes) == 1, "whoever came second is told")
				require.Equal(t, tt.asked, len(report.Clashes) == 1 && report.Clashes[0].Ask)
			}
		})
	}
}

// A task is done ∥ reassigned: two fields, which have nothing to do with each
// other, so the table needs no row for it.
func TestState_doneAndReassigned(t *testing.T) {
	t.Parallel()

	task := shipped.Schema().Kind("task")
	who := `"0190aaaa-0000-7000-8000-000000000001"`
	edits := []record.Values{vals("status", `"done"`), vals("owner", who)}
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		rec := &record.Record{Kind: task, Seq: 2, Slots: []record.Slot{{Field: "status", Raw: quoted("open"), By: at(cara, 1, 1)}}}
		for i, which := range order {
			w := writeAt(record.ReplicaID(10+i), 5, record.Seq(3+i))
			w.Seen.Log = 2
			report, err := conflicts.Apply(rec, edit(record.Edit{Set: edits[which]}), w)
			require.NoError(t, err)
			require.Empty(t, report.Clashes)
		}
		require.Equal(t, "done", rec.Text("status"))
		require.Equal(t, who, string(rec.Raw("owner")))
	}
}
