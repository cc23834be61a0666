package history

import (
	"encoding/json"

	"roadbook/record"
	"roadbook/version"
)

// Verdict is what a row keeps of a verdict besides the row itself: codes and
// names, no values, because a repeat looks those up under the rights of then.
type Verdict struct {
	Over    map[record.ID]version.Vector `json:"over,omitempty"`
	Clamped bool                         `json:"clamped,omitempty"`
	Clashes []Clash                      `json:"clashes,omitempty"`
	Refusal *record.Refusal              `json:"refusal,omitempty"`
}

// Clash is a clash by its names.
type Clash struct {
	Kind     string     `json:"kind"`
	ID       record.ID  `json:"id"`
	Field    string     `json:"field"`
	Code     string     `json:"code"`
	Conflict *record.ID `json:"conflict,omitempty"`
	Mine     bool       `json:"mine,omitempty"` // what lost is the author's own
}

// Text is nil when there is nothing to keep: plainly applied.
func (v Verdict) Text() []byte {
	if len(v.Over) == 0 && !v.Clamped && len(v.Clashes) == 0 && v.Refusal == nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic("sync: a verdict cannot be written: " + err.Error())
	}
	return text
}
