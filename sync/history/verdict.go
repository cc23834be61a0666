package history

import (
	"encoding/json"
	"maps"
	"slices"

	"roadbook/record"
	"roadbook/store"
	"roadbook/version"
)

// Verdict is what a row keeps of a verdict besides the row itself: codes and
// names, no values, because a repeat looks those up under the rights of then.
type Verdict struct {
	As      *As                          `json:"as,omitempty"` // first, so that it is found without reading on
	Over    map[record.ID]version.Vector `json:"over,omitempty"`
	Clamped bool                         `json:"clamped,omitempty"`
	Clashes []Clash                      `json:"clashes,omitempty"`
	Refusal *record.Refusal              `json:"refusal,omitempty"` // of a parked one, why
	Parked  json.RawMessage              `json:"parked,omitempty"`  // the mutation as it came
	After   record.ID                    `json:"after,omitzero"`    // of a refused one, the refused one that it builds on
}

// Clash is a clash by its names.
type Clash struct {
	Kind     string     `json:"kind"`
	ID       record.ID  `json:"id"`
	Field    string     `json:"field"`
	Code     string     `json:"code"`
	Conflict *record.ID `json:"conflict,omitempty"`
	Mine     bool       `json:"mine,omitempty"` // what lost is the author's own
	Dead     *record.ID `json:"dead,omitempty"` // the record that was merged into this one
	Via      Via        `json:"via,omitempty"`  // of two records that became one, whose value lost
}

// Via says whose value it was that lost when two records became one.
type Via string

// The two.
const (
	CameIn   Via = "in"    // that of the one that was merged away
	WasThere Via = "stood" // that of the survivor
)

// Text is nil when there is nothing to keep: plainly applied.
func (v Verdict) Text() []byte {
	if v.As == nil && len(v.Over) == 0 && !v.Clamped && len(v.Clashes) == 0 && v.Refusal == nil {
		return nil
	}
	if v.As == nil && v.Parked == nil && !v.Clamped && len(v.Clashes) == 0 && v.Refusal == nil {
		return append(appendOver([]byte(`{"over":`), v.Over), '}') // what nearly all are
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic("sync: a verdict cannot be written: " + err.Error())
	}
	return text
}

// appendOver appends what encoding/json would write.
func appendOver(b []byte, over map[record.ID]version.Vector) []byte {
	b = append(b, '{')
	for i, id := range idsOf(over) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(record.AppendID(append(b, '"'), id), `":`...)
		b = over[id].AppendJSON(b)
	}
	return append(b, '}')
}

func idsOf(over map[record.ID]version.Vector) []record.ID {
	return slices.SortedFunc(maps.Keys(over), func(a, b record.ID) int { return slices.Compare(a[:], b[:]) })
}

// As is the name of a mutation that was parked and that the server settles in a
// row of its own.
type As struct {
	Replica record.ReplicaID `json:"replica"`
	N       uint64           `json:"n"`
	ID      record.ID        `json:"id"`
	Parked  record.Seq       `json:"parked"`
}

// Typed is a row of the log under the name that its mutation was typed under.
func Typed(row *store.Entry) *store.Entry {
	const mark = `{"as":`
	if len(row.Outcome) < len(mark) || string(row.Outcome[:len(mark)]) != mark {
		return row
	}
	var keep Verdict
	if err := json.Unmarshal(row.Outcome, &keep); err != nil || keep.As == nil {
		return row
	}
	typed := *row
	typed.Replica, typed.N, typed.ID = keep.As.Replica, keep.As.N, keep.As.ID
	return &typed
}
