package conflicts_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/conflicts"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/version"
)

// shop is a kind with a field of each policy, a map, and a group of two.
func shop(onDelete record.OnDelete) *record.Kind {
	s := &record.Schema{Version: "1", Kinds: []*record.Kind{{Name: "shop", No: 1, OnDelete: onDelete, Fields: []*record.Field{
		{Name: "name", Type: "text", Policy: record.LWW},
		{Name: "note", Type: "text", Policy: record.Text},
		{Name: "stage", Type: "text", Policy: record.LWWAsk},
		{Name: "step", Type: "choice", Policy: record.Process, Choices: steps, States: anyStep()},
		{Name: "terms", Type: "text", Policy: record.Manual},
		{Name: "lines", Type: "rows", Policy: record.List},
		{Name: "tags", Type: "tags", Policy: record.Set},
		{Name: "size", Type: "choice", Policy: record.Set, Choices: []string{"S", "M"}},
		{Name: "points", Type: "number", Policy: record.Counter},
		{Name: "last", Type: "number", Policy: record.Max},
		{Name: "first", Type: "number", Policy: record.Min},
		{Name: "check_in", Type: "text", Policy: record.Once},
		{Name: "score", Type: "text", Policy: record.Server},
		{Name: "credit", Type: "text", Policy: record.Owned, By: "finance"},
		{Name: "answers", Type: "map", Policy: record.LWW},
		{Name: "street", Type: "text", Policy: record.LWWAsk, Group: "place"},
		{Name: "point", Type: "text", Policy: record.LWWAsk, Group: "place"},
	}}}}
	if err := s.Check(); err != nil {
		panic(err)
	}
	return s.Kinds[0]
}

// steps are those of a process in which there is a bit of everything: plain
// progress, a note, two whose meeting is a third, and a question.
var steps = []string{"new", "open", "approved", "changed", "redo", "won", "lost"}

// anyStep lets every step follow every other, so that what is drawn is about
// the join.
func anyStep() *record.States {
	s := &record.States{Moves: map[string][]string{}, Joins: []record.Join{
		{Of: []string{"new", "open"}, Note: true}, {Of: []string{"approved", "changed"}, To: "redo"}, {Of: []string{"won", "lost"}, Ask: true},
	}}
	for _, from := range steps {
		s.Moves[from] = steps
	}
	return s
}

var anyShop = shop(record.Revive)

// The replicas of the unit tests.
const (
	anna record.ReplicaID = 1
	ben  record.ReplicaID = 2
	cara record.ReplicaID = 3
)

// at names a write; its place in the log is its number.
func at(by record.ReplicaID, n uint64, clock int64) record.Writer {
	return record.Writer{Replica: by, N: n, Stamp: version.Stamp{MS: clock}, Seq: base + record.Seq(n)}
}

// writeAt is the first write of somebody who has seen the record's making and
// nothing else, at a place in the log.
func writeAt(by record.ReplicaID, clock uint64, seq record.Seq) *conflicts.Write {
	return &conflicts.Write{
		By:   record.Writer{Replica: by, N: 1, Stamp: version.Stamp{MS: int64(clock)}, Seq: seq},
		Seen: conflicts.Seen{Log: base},
		At:   func(string, record.Seq) (json.RawMessage, error) { return nil, nil },
	}
}

// edit is e, an edit if it does not say.
func edit(e record.Edit) *record.Edit {
	if e.Op == "" {
		e.Op = record.OpEdit
	}
	return &e
}

// vals makes values of names and raw values in turn.
func vals(pairs ...string) record.Values {
	vs := record.Values{}
	for i := 0; i < len(pairs); i += 2 {
		vs = append(vs, record.Value{Field: pairs[i], Raw: json.RawMessage(pairs[i+1])})
	}
	return vs
}

// requireCode requires a refusal with a code that names these fields.
func requireCode(t require.TestingT, err error, code string, fields ...string) {
	var e *errs.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code)
	require.Equal(t, errs.Invalid, e.Kind)
	var named []string
	for _, f := range e.Fields {
		require.NotEmpty(t, f.Detail)
		named = append(named, f.Field)
	}
	require.Equal(t, fields, named)
}

// stored is the record's fields as they are kept; they must be JSON.
func stored(t testing.TB, r *record.Record) string {
	t.Helper()
	text := r.AppendFields(nil)
	require.True(t, json.Valid(text), "%s", text)
	return string(text)
}
