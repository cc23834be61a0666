package sync_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// twoOn gives lin and chen the same customer, and both have seen it.
func twoOn(w *world) (lin, chen *phone, shop record.ID) {
	lin, chen = w.phone("lin"), w.phone("chen")
	lin.pull()
	shop = lin.create("account", values("name", "兴旺超市", "short_name", "旺"))
	lin.sync()
	chen.pull()
	return lin, chen, shop
}

// Case 3. A edits a field offline at 14:09, B the same field online at 14:12,
// A syncs at 15:00: B's value stands, A is told, A's other edit survives.
func TestCase03_theLaterStands(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	w.pass(6*time.Hour + 9*time.Minute)
	lin.edit(shop, values("short_name", "兴旺 A"))
	lin.edit(shop, values("tax_no", "91310000MA1K"))
	w.pass(3 * time.Minute)
	chen.edit(shop, values("short_name", "兴旺 B"))
	chen.push()
	w.pass(48 * time.Minute)

	out := lin.push()
	lin.pull()
	chen.pull()

	require.Equal(t, record.Merged, out[0].Result)
	require.Len(t, out[0].Clashes, 1, "lin is told")
	require.JSONEq(t, `"兴旺 B"`, string(out[0].Clashes[0].Kept))
	require.JSONEq(t, `"兴旺 A"`, string(out[0].Clashes[0].Lost))
	require.JSONEq(t, `{"short_name":"兴旺 B"}`, string(out[0].Records[0].Set), "and shown what is true")
	require.Equal(t, record.Applied, out[1].Result)
	for _, p := range []*phone{lin, chen} {
		require.Equal(t, "兴旺 B", p.text(shop, "short_name"))
		require.Equal(t, "91310000MA1K", p.text(shop, "tax_no"))
	}
	require.Equal(t, "兴旺 A", w.lostValue(shop, "short_name"), "what lost is in the history")
}

// Case 4. A's own rapid edits without a pull in between are no conflict.
func TestCase04_ownRapidEdits(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	for _, name := range []string{"一", "二", "三"} {
		lin.edit(shop, values("name", name, "short_name", name))
		if name == "二" {
			lin.push() // its answer moves nothing that the phone has seen
		}
	}

	out := lin.push()
	chen.pull()

	require.Equal(t, record.Applied, out[0].Result)
	require.Equal(t, "三", chen.text(shop, "name"))
	require.Equal(t, "三", chen.text(shop, "short_name"))
}

// Case 5. A's clock is three years ahead: it does not beat what others wrote
// having seen it, nor win for ever.
func TestCase05_aClockYearsAhead(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	lin, chen, shop := twoOn(w)
	lin.skew = 3 * 365 * 24 * time.Hour
	lin.edit(shop, values("short_name", "未来"))
	out := lin.push()
	require.True(t, out[0].Clamped, "it is cut back and told so")
	require.LessOrEqual(t, out[0].Stamp.MS, w.now().Add(3*time.Minute).UnixMilli())

	chen.pull()
	chen.edit(shop, values("short_name", "现在"))
	require.Equal(t, record.Applied, chen.push()[0].Result, "he had seen it: no clash, whatever the clocks say")
	lin.pull()
	require.Equal(t, "现在", lin.text(shop, "short_name"))

	lin.edit(shop, values("short_name", "还是未来"))
	lin.push()
	w.pass(10 * time.Minute)
	chen.edit(shop, values("short_name", "十分钟后"))
	require.Equal(t, record.Merged, chen.push()[0].Result)
	chen.pull()
	require.Equal(t, "十分钟后", chen.text(shop, "short_name"), "ten minutes later beats three years ahead")
}

// lostValue finds a value that somebody typed into a field and that is not
// the current one: the last such in the log.
func (w *world) lostValue(id record.ID, field string) string {
	w.t.Helper()
	var lost string
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `
		SELECT e->'set'->>$2
		  FROM mutations m, json_array_elements(m.body::json) e
		 WHERE m.org = $3 AND e->>'id' = $1 AND e->'set'->>$2 IS DISTINCT FROM
		       (SELECT fields->>$2 FROM records WHERE org = $3 AND id = $1::uuid) AND m.result = 1
		 ORDER BY m.seq DESC LIMIT 1`, id.String(), field, w.org).Scan(&lost))
	return lost
}
