package approvals_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/modules/approvals"
	"roadbook/record"
	"roadbook/version"
)

const keyCustomer = `{
	"start": {"on": "change", "when": "discount > 15.0 && customer.grade == 'A'"}, "relevant": ["discount"],
	"nodes": [{"name": "manager", "who": {"manager": 1}}]}`

// approvalsOf lists the states of a record's approvals.
func (w *world) approvalsOf(deal record.ID) (states []string) {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), "SELECT fields->>'state' FROM records WHERE org = $1 AND kind = 31 AND parent = $2 ORDER BY seq", w.org, [16]byte(deal))
	require.NoError(w.t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		require.NoError(w.t, rows.Scan(&s))
		states = append(states, s)
	}
	return states
}

// A change that makes a condition true begins the flow, once, also if it was made
// without a network and however often it arrives.
func TestStart_byAChange(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", keyCustomer)
	deal := w.deal("a", "discount", "10")
	require.Empty(t, w.approvalsOf(deal))
	p := w.phone("lin")
	before := version.Vector{version.Log: w.head()}

	p.push(w.clock.Add(-time.Hour), record.Edit{Op: record.OpEdit, Kind: "opportunity", ID: deal, Seen: before, Set: values("discount", "20")})
	require.Equal(t, []string{approvals.Pending}, w.approvalsOf(deal))
	p.push(w.clock.Add(-time.Hour), record.Edit{Op: record.OpEdit, Kind: "opportunity", ID: deal, Seen: before, Set: values("next_step", "再谈")})
	p.push(w.clock.Add(-time.Hour), record.Edit{Op: record.OpEdit, Kind: "opportunity", ID: deal, Seen: before, Set: values("discount", "25")})

	require.Equal(t, []string{approvals.Pending}, w.approvalsOf(deal), "the same goes on with other figures")
	require.Empty(t, code(w.edit("lin", deal, "discount", "12")))
	require.Equal(t, []string{approvals.Withdrawn}, w.approvalsOf(deal), "it is not needed any more")
	require.Empty(t, code(w.edit("lin", deal, "discount", "30")))
	require.Equal(t, []string{approvals.Withdrawn, approvals.Pending}, w.approvalsOf(deal))
}

// A record that is made so begins it as well; what was rejected begins anew on
// other figures and not on the same.
func TestStart_afterANo(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", keyCustomer)
	deal := w.deal("a", "discount", "40")
	require.Equal(t, []string{approvals.Pending}, w.approvalsOf(deal))
	var a record.ID
	row := w.pool.QueryRow(t.Context(), "SELECT id FROM records WHERE org = $1 AND kind = 31", w.org)
	require.NoError(t, row.Scan((*[16]byte)(&a)))
	require.Equal(t, id("lin"), w.record(a).Owner)
	w.decides("chen", a, "reject")

	require.Empty(t, code(w.edit("lin", deal, "next_step", "再谈")))
	require.Equal(t, []string{approvals.Rejected}, w.approvalsOf(deal))
	require.Empty(t, code(w.edit("lin", deal, "discount", "30")))
	require.Equal(t, []string{approvals.Rejected, approvals.Pending}, w.approvalsOf(deal))
}

// Where nothing needs approval nobody is held up by it.
func TestStart_notNeeded(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish("f", keyCustomer)
	shop, deal := id("small shop"), id("small deal")
	w.must("lin",
		record.Edit{Op: record.OpCreate, Kind: "account", ID: shop, Set: values("name", "small shop", "grade", "C")},
		record.Edit{Op: record.OpCreate, Kind: "opportunity", ID: deal, Set: values("account", shop, "discount", "50")})

	require.Empty(t, w.approvalsOf(deal))
}
