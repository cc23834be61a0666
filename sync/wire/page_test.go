package wire_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// finish writes the page of answer by hand, its changes one by one.
func finish(tb rapid.TB, answer *wire.PullAnswer) []byte {
	var w wire.PageWriter
	for i, c := range answer.Changes {
		if i%2 == 0 && c.Set != nil {
			w.ChangeText(c, c.Set.AppendJSON(nil))
		} else {
			w.Change(c)
		}
	}
	page, err := w.Finish(answer)
	require.NoError(tb, err)
	return page
}

// A page written by hand is to the letter the page that encoding/json writes.
func TestPageWriter_golden(t *testing.T) {
	t.Parallel()

	for file, body := range goldens(t, "pull_answer") {
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, body))
		var answer wire.PullAnswer
		require.NoError(t, json.Unmarshal(compact.Bytes(), &answer))

		page := finish(t, &answer)

		want, err := json.Marshal(answer)
		require.NoError(t, err)
		require.Equal(t, string(want), string(page), file)
		var back wire.PullAnswer
		require.NoError(t, json.Unmarshal(page, &back))
		require.Equal(t, answer, back, file)
	}
}

func drawChange(t *rapid.T) wire.Change {
	values := rapid.Custom(func(t *rapid.T) record.Values {
		vs := record.Values{}
		for range rapid.IntRange(0, 3).Draw(t, "values") {
			text, err := json.Marshal(drawText(t))
			require.NoError(t, err)
			if name := drawText(t); vs.Get(name) == nil {
				vs = append(vs, record.Value{Field: name, Raw: text})
			}
		}
		return vs
	})
	c := wire.Change{
		Kind: rapid.SampledFrom([]string{"account", "拜访", `"<\`}).Draw(t, "kind"),
		ID:   record.MustID(acme),
		Seq:  record.Seq(rapid.Int64Min(0).Draw(t, "seq")),
	}
	switch rapid.IntRange(0, 4).Draw(t, "sort") {
	case 0:
		c.Full, c.In, c.Set = true, []string{"owner:" + drawText(t)}, values.Draw(t, "set")
	case 1:
		c.Set = values.Draw(t, "set")
	case 2:
		c.In = []string{"a", drawText(t)}
	case 3:
		c.Gone = wire.GoneDeleted
	case 4:
		c.Gone = wire.GoneLeft
	}
	return c
}

// Whatever is put into a page comes out of it.
func TestPageWriter_laws(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		answer := wire.PullAnswer{
			Changes: []wire.Change{}, Cursor: drawText(t), Complete: rapid.Bool().Draw(t, "complete"),
			High: version.Stamp{MS: 1}, ServerTime: time.Unix(1763712995, 0).UTC(),
		}
		for range rapid.IntRange(0, 5).Draw(t, "changes") {
			answer.Changes = append(answer.Changes, drawChange(t))
		}
		if rapid.Bool().Draw(t, "drops") {
			answer.DropScopes = []string{drawText(t)}
		}
		if rapid.Bool().Draw(t, "withdraws") {
			answer.Withdraw = []wire.Withdraw{{Kind: drawText(t), Fields: []string{"cost"}}}
		}

		page := finish(t, &answer)

		var back wire.PullAnswer
		require.NoError(t, json.Unmarshal(page, &back), "%s", page)
		require.Equal(t, answer, back)
		want, err := json.Marshal(answer)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(page))
	})
}

func TestPageWriter(t *testing.T) {
	t.Parallel()

	id := record.MustID(acme)
	name := record.Values{{Field: "name", Raw: json.RawMessage(`"Acme"`)}}
	prefix := `{"kind":"account","id":"` + acme + `","seq":"813"`
	tests := []struct {
		name   string
		change wire.Change
		want   string
	}{
		{"in full", wire.Change{Full: true, In: []string{"a"}, Set: name}, `,"full":true,"in":["a"],"set":{"name":"Acme"}}`},
		{"in part", wire.Change{Set: name}, `,"set":{"name":"Acme"}}`},
		{"hidden fields only", wire.Change{Set: record.Values{}}, `,"set":{}}`},
		{"scopes only", wire.Change{In: []string{"owner:1", "owner:2"}}, `,"in":["owner:1","owner:2"]}`},
		{"deleted", wire.Change{Gone: wire.GoneDeleted}, `,"gone":"deleted"}`},
		{"left", wire.Change{Gone: wire.GoneLeft}, `,"gone":"left"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var w wire.PageWriter
			tt.change.Kind, tt.change.ID, tt.change.Seq = "account", id, 813
			w.Change(tt.change)
			require.Equal(t, 1, w.Len())
			require.Equal(t, len(prefix+tt.want), w.Size())

			page, err := w.Finish(&wire.PullAnswer{})

			require.NoError(t, err)
			require.True(t, strings.HasPrefix(string(page), `{"changes":[`+prefix+tt.want+`],"cursor":`), string(page))
		})
	}
}

// A writer is used for page after page; what was finished stays as it is.
func TestPageWriter_Reset(t *testing.T) {
	t.Parallel()

	var w wire.PageWriter
	w.Change(wire.Change{Kind: "account", Seq: 1})
	first, err := w.Finish(&wire.PullAnswer{})
	require.NoError(t, err)
	before := string(first)
	w.Reset()
	require.Zero(t, w.Len())
	require.Zero(t, w.Size())
	w.Change(wire.Change{Kind: "visit", Seq: 2})
	second, err := w.Finish(&wire.PullAnswer{})
	require.NoError(t, err)

	require.Equal(t, before, string(first))
	require.NotContains(t, string(second), "account")
}

func TestPageWriter_broken(t *testing.T) {
	t.Parallel()

	var w wire.PageWriter
	_, err := w.Finish(&wire.PullAnswer{Schema: json.RawMessage(`{`)})
	require.Error(t, err)
}

// A page that comes by itself is the page that a pull would have got.
func TestAppendChanges(t *testing.T) {
	t.Parallel()

	for file, body := range goldens(t, "live_changes") {
		var frame wire.LivePage
		require.NoError(t, json.Unmarshal(body, &frame))

		got := wire.AppendChanges(nil, frame.From, finish(t, &frame.PullAnswer))

		require.Equal(t, encode(t, "live_changes", frame), encode(t, "live_changes", json.RawMessage(got)), file)
	}
}

// BenchmarkPageWriter writes a page of 1,000 records in full.
func BenchmarkPageWriter(b *testing.B) {
	set := []byte(`{"name":"兴旺超市","address":"中山路 12 号","credit":{"amount":"12500.00","currency":"CNY"},` +
		`"remark":"` + strings.Repeat("x", 500) + `"}`)
	change := wire.Change{Kind: "account", ID: record.MustID(acme), Seq: 813, Full: true, In: []string{"owner:" + acme}}
	answer := &wire.PullAnswer{Cursor: "Y3Vyc29y", Complete: true}
	var w wire.PageWriter
	b.ReportAllocs()
	for b.Loop() {
		w.Reset()
		for range 1000 {
			w.ChangeText(change, set)
		}
		page, err := w.Finish(answer)
		require.NoError(b, err)
		b.SetBytes(int64(len(page)))
	}
}
