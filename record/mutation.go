package record

import (
	"encoding/json"

	"roadbook/errs"
	"roadbook/version"
)

// Op is what an edit does to its record.
type Op string

// The four operations.
const (
	OpCreate  Op = "create"  // an upsert by id
	OpEdit    Op = "edit"    // some fields of a record that is there
	OpDelete  Op = "delete"  // leave a tombstone
	OpRestore Op = "restore" // bring a tombstone back
)

// Limits of a mutation, small enough that a phone can always send one and
// large enough for a day's largest form.
const (
	MaxEdits         = 50        // edits in one mutation
	MaxMutationBytes = 512 << 10 // its JSON text
	MaxRecordBytes   = 256 << 10 // a record's fields as JSON text
)

// Edit is a change to some fields of one record. An empty Seen means that its
// author had seen nothing of the record but his own edits.
type Edit struct {
	Op     Op             `json:"op"`
	Kind   string         `json:"kind"`
	ID     ID             `json:"id"`
	Seen   version.Vector `json:"seen,omitempty"`
	Set    Values         `json:"set,omitempty"`
	Add    Values         `json:"add,omitempty"`    // set fields: lists of elements
	Remove Values         `json:"remove,omitempty"` // set fields: lists of elements
	Inc    Values         `json:"inc,omitempty"`    // counters: deltas
	Base   Values         `json:"base,omitempty"`   // text: what the author started from
}

// Again is the proof that a mutation was judged before, in an epoch that the
// server has lost. Without a receipt it proves nothing, and can only say that
// the mutation was typed apart.
type Again struct {
	Stamp   version.Stamp         `json:"stamp"`
	Over    map[ID]version.Vector `json:"over,omitempty"`
	Seq     Seq                   `json:"seq"`
	Epoch   string                `json:"epoch"`
	Receipt string                `json:"receipt"`
	Result  Result                `json:"result,omitempty"` // refused: that is all it proves
	Dot     version.Dot           `json:"dot,omitzero"`     // what it was called then, if it has got another name
	Apart   bool                  `json:"apart,omitempty"`  // typed on a log that is not this one's past: what it had seen there says nothing here
}

// Mutation is one action of one person: edits that stand or fall together and
// share one seq. One that has got its N is never rewritten.
type Mutation struct {
	N      uint64            `json:"n"`
	ID     ID                `json:"id"`
	Schema string            `json:"schema,omitempty"`
	Stamp  version.Stamp     `json:"stamp"`
	After  []json.RawMessage `json:"after,omitempty"` // n of this replica, or ids, whose fate it shares
	Edits  []Edit            `json:"edits"`
	Again  *Again            `json:"again,omitempty"`

	Hash   [32]byte    `json:"-"` // of its content in canonical form
	Broken *errs.Error `json:"-"` // why it could not be read; it is judged all the same
}

// Returns reports whether a mutation says that it was judged before.
func (m *Mutation) Returns() bool { return m.Again != nil && m.Again.Receipt != "" }

// Result is the verdict on a mutation.
type Result string

// The four verdicts.
const (
	Applied Result = "applied"
	Merged  Result = "merged"  // applied, and something concurrent was settled or not taken
	Refused Result = "refused" // nothing of it was applied
	Parked  Result = "parked"  // waits for what a restored server has not got back yet
)

// Refusal says why a mutation was refused, for a person and for a program.
type Refusal struct {
	Kind   errs.Kind    `json:"kind"`
	Code   string       `json:"code"`
	Detail string       `json:"detail"`
	Fields []errs.Field `json:"fields,omitempty"`
}

// RefusalOf is the refusal that err stands for.
func RefusalOf(err *errs.Error) *Refusal {
	return &Refusal{Kind: err.Kind, Code: err.Code, Detail: err.Msg, Fields: err.Fields}
}

// Clash tells a mutation's author what became of one field that somebody else
// had changed too.
type Clash struct {
	Kind     string          `json:"kind"`
	ID       ID              `json:"id"`
	Field    string          `json:"field"`
	Kept     json.RawMessage `json:"kept"`
	Lost     json.RawMessage `json:"lost"`
	Code     string          `json:"code"`         // the policy, or what else decided
	Conflict *ID             `json:"conflict"`     // the conflict opened for it
	By       ID              `json:"by,omitzero"`  // of a conflict that two have decided: who was first
	At       string          `json:"at,omitempty"` // and when he did
}

// Shown is a record's true values, for showing. A record's base and seen come
// only from pulls.
type Shown struct {
	Kind string          `json:"kind"`
	ID   ID              `json:"id"`
	Seq  Seq             `json:"seq"`
	Set  json.RawMessage `json:"set"`
}

// Outcome is the verdict on one mutation, as its device is told.
type Outcome struct {
	N        uint64                `json:"n"`
	ID       ID                    `json:"id"`
	Result   Result                `json:"result"`
	Seq      Seq                   `json:"seq"`
	Stamp    *version.Stamp        `json:"stamp,omitempty"`
	Over     map[ID]version.Vector `json:"over,omitempty"`
	Receipt  string                `json:"receipt,omitempty"`
	Clamped  bool                  `json:"clamped,omitempty"` // its stamp was ahead of the clock, and cut back
	Repeated bool                  `json:"repeated,omitempty"`
	Refusal  *Refusal              `json:"refusal,omitempty"`
	Clashes  []Clash               `json:"clashes,omitempty"`
	Records  []Shown               `json:"records,omitempty"`
}
