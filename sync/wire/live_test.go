package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
)

func TestQuiet(t *testing.T) {
	t.Parallel()

	page := func(change func(*wire.PullAnswer)) []byte {
		a := &wire.PullAnswer{Cursor: strings.Repeat("c", 160), Complete: true, Epoch: "e1"}
		change(a)
		var w wire.PageWriter
		for _, c := range a.Changes {
			w.Change(c)
		}
		text, err := w.Finish(a)
		require.NoError(t, err)
		return text
	}
	require.True(t, wire.Quiet(page(func(*wire.PullAnswer) {})))
	for name, change := range map[string]func(*wire.PullAnswer){
		"changes":  func(a *wire.PullAnswer) { a.Changes = []wire.Change{{Kind: "account", Gone: wire.GoneLeft}} },
		"drops":    func(a *wire.PullAnswer) { a.DropScopes = []string{"catalogue"} },
		"withdraw": func(a *wire.PullAnswer) { a.Withdraw = []wire.Withdraw{{Kind: "account"}} },
		"outcomes": func(a *wire.PullAnswer) { a.Outcomes = []record.Outcome{{N: 1}} },
		"schema":   func(a *wire.PullAnswer) { a.Schema = json.RawMessage(`{}`) },
		"digests":  func(a *wire.PullAnswer) { a.Digests = map[string]wire.Digest{"catalogue": {}} },
		"more":     func(a *wire.PullAnswer) { a.Complete = false },
		"filling":  func(a *wire.PullAnswer) { a.Filling = true },
		"long":     func(a *wire.PullAnswer) { a.Cursor = strings.Repeat("c", 3000) },
	} {
		require.False(t, wire.Quiet(page(change)), name)
	}
	require.False(t, wire.Quiet([]byte(`{`)))
}
