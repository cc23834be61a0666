package approvals_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/modules/approvals"
	"roadbook/record"
)

// A flow that cannot work is refused when it is published, and says where.
func TestFlow_faults(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	node := `"nodes": [{"name": "n", "who": {"manager": 1}}]`
	for body, want := range map[string]string{
		`{"start": {"on": "submit"}, "relevant": ["discount"]` + "\n,":                                                                                 "body: line 2, column 2: it ends too early",
		`{"start": {"on": "submit"}, "relevants": []}`:                                                                                                 `unknown field "relevants"`,
		`{"start": {"on": "never"}, "relevant": ["discount"], ` + node + `}`:                                                                           "start.on: submit or change was expected",
		`{"start": {"on": "submit", "when": "discount >"}, "relevant": ["discount"], ` + node + `}`:                                                    "start.when: the condition cannot be used, at line 1, column",
		`{"start": {"on": "submit", "when": "rabatt > 1.0"}, "relevant": ["discount"], ` + node + `}`:                                                  "undeclared reference to 'rabatt'",
		`{"start": {"on": "submit"}, "relevant": [], ` + node + `}`:                                                                                    "relevant: name the fields",
		`{"start": {"on": "submit"}, "relevant": ["rabatt"], ` + node + `}`:                                                                            `opportunity has no field "rabatt"`,
		`{"start": {"on": "submit"}, "relevant": ["discount"], "locked": ["x"], ` + node + `}`:                                                         `locked: opportunity has no field "x"`,
		`{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": []}`:                                                                           "from 1 to 20 nodes",
		`{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [{"name": "n", "who": {}}]}`:                                                   "nodes[0].who: one of manager, role, people and field was expected",
		`{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [{"name": "n", "who": {"role": "boss"}}]}`:                                     `there is no role "boss"`,
		`{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [{"name": "n", "who": {"field": "amount"}}]}`:                                  "that names somebody",
		`{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [{"name": "n", "who": {"manager": 1}, "pass_after": "1s"}]}`:                   "a length of time from 1m0s",
		`{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [{"name": "n", "who": {"manager": 1}, "mode": "most"}]}`:                       "any, all or order was expected",
		`{"start": {"on": "submit"}, "relevant": ["discount"], "approved": {"discount": "1"}, ` + node + `}`:                                           "is what the decision is about",
		`{"start": {"on": "submit"}, "relevant": ["discount"], "approved": {"stage": "sold"}, ` + node + `}`:                                           "approved: stage must be",
		`{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [{"name": "n", "who": {"manager": 1}}, {"name": "n", "who": {"manager": 2}}]}`: "a name that no other node has",
		`{"x": "` + strings.Repeat("a", approvals.MaxFlowBytes) + `"}`:                                                                                 "it is longer than 32 KiB",
	} {
		out := w.does("admin", record.Edit{Op: record.OpCreate, Kind: "flow", ID: id("flow of " + body), Set: values(
			"code", "c", "about_kind", "opportunity", "body", body, "state", "published")})
		require.Equal(t, "flow", code(out), body)
		require.Contains(t, out.Refusal.Detail, want, body)
		require.NotEmpty(t, out.Refusal.Fields, body)
	}
	out := w.does("admin", record.Edit{Op: record.OpCreate, Kind: "flow", ID: id("flow of notes"), Set: values(
		"code", "c", "about_kind", "notification", "body", discount, "state", "published")})
	require.Equal(t, "flow", code(out))
	out = w.does("chen", record.Edit{Op: record.OpCreate, Kind: "flow", ID: id("flow of chen"), Set: values("code", "c", "about_kind", "opportunity")})
	require.Equal(t, "catalogue", code(out), "only an administrator makes them")
	w.must("admin", record.Edit{Op: record.OpCreate, Kind: "flow", ID: id("draft"), Set: values(
		"code", "c", "about_kind", "opportunity", "body", "{", "state", "draft")})
}

// A flow's limits, at them and one past.
func TestFlow_limits(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	nodes := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, `{"name": "n`+string(rune('a'+i))+`", "who": {"manager": 1}}`)
		}
		return `{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [` + strings.Join(all, ",") + `]}`
	}
	publish := func(name, body string) record.Outcome {
		return w.does("admin", record.Edit{Op: record.OpCreate, Kind: "flow", ID: id(name), Set: values(
			"code", name, "about_kind", "opportunity", "body", body, "state", "published")})
	}
	require.Empty(t, code(publish("many", nodes(approvals.MaxNodes))))
	require.Equal(t, "flow", code(publish("more", nodes(approvals.MaxNodes+1))))
	long := nodes(1)
	long += strings.Repeat(" ", approvals.MaxFlowBytes-len(long))
	require.Empty(t, code(publish("long", long)))
	require.Equal(t, "flow", code(publish("longer", long+" ")))
}

// What has been published stays as it is; the next version is another record, and
// what has begun goes by the old one.
func TestFlow_versions(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	first := w.publish("discount", discount)
	deal := w.deal("fridge", "discount", "22", "amount", money("900000"))
	a := w.submit("lin", deal)
	require.Equal(t, "flow_used", code(w.does("admin", record.Edit{
		Op: record.OpEdit, Kind: "flow", ID: first, Seen: seen(w), Set: values("body", "{}"),
	})))
	require.Equal(t, "flow_used", code(w.does("admin", record.Edit{Op: record.OpDelete, Kind: "flow", ID: first, Seen: seen(w)})))

	second := w.publish("discount", `{"start": {"on": "submit"}, "relevant": ["discount"], "nodes": [{"name": "boss", "who": {"manager": 2}}]}`)

	require.Equal(t, "retired", w.record(first).Text("state"))
	require.Equal(t, "1", string(w.record(first).Raw("version")))
	require.Equal(t, "2", string(w.record(second).Raw("version")))
	w.decides("chen", a, "approve")
	w.decides("fin", a, "approve")
	require.Equal(t, approvals.Approved, w.state(a), "by the version with which it began")
	late := w.submit("lin", w.deal("oven", "discount", "22"), "flow", first)
	require.Equal(t, second.String(), w.record(late).Text("runs"), "typed when the old one was known")
	require.Equal(t, []string{id("wang").String()}, w.record(late).Texts("waiting"))
}

// How many people a node names, and how long it waits.
func TestFlow_limitsOfANode(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	names := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = `"` + id("chen").String() + `"`
		}
		return `"who": {"people": [` + strings.Join(all, ",") + `]}`
	}
	for node, want := range map[string]string{
		names(approvals.MaxPeople):                         "",
		names(approvals.MaxPeople + 1):                     "flow",
		`"who": {"manager": 1}, "pass_after": "1m"`:        "",
		`"who": {"manager": 1}, "pass_after": "59s"`:       "flow",
		`"who": {"manager": 1}, "pass_after": "2160h"`:     "",
		`"who": {"manager": 1}, "pass_after": "2160h0m1s"`: "flow",
	} {
		out := w.does("admin", record.Edit{Op: record.OpCreate, Kind: "flow", ID: id("flow of " + node), Set: values(
			"code", node[:20], "about_kind", "opportunity", "state", "published", "body", flow(`{"name": "n", `+node+`}`))})
		require.Equal(t, want, code(out), node)
	}
}
