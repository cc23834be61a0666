package device

import (
	"roadbook/errs"
	"roadbook/record"
)

const (
	approvalKind = "approval"
	decisionKind = "approval_decision"
)

// Saying is what somebody says of an approval.
type Saying struct {
	Approval record.ID
	Decision string // approve, reject, return, forward, add, skip or withdraw
	Comment  string
	To       record.ID // of forward and add
	Many     bool      // with others at once
}

// Say types a decision. With it goes what its author has before him of the record
// that it is about, so that the server takes it if nothing relevant has changed, and
// asks again if something has. Without the record itself, which is not everybody's
// to see, it is what the approval tells of it.
func (d *Device) Say(s Saying) (record.ID, error) {
	return d.Mutate(func(t *Typing) error {
		v, there := t.Get(s.Approval)
		if !there || v.Deleted || v.Kind != approvalKind {
			t.wrong(errs.Missing, "missing", "this record is not on the device")
			return t.err
		}
		about, _ := record.RawID(v.Raw("record"))
		set := Values{"approval": s.Approval.String(), "decision": s.Decision}
		if s.Comment != "" {
			set["comment"] = s.Comment
		}
		if !s.To.IsZero() {
			set["to"] = s.To.String()
		}
		if s.Many {
			set["many"] = true
		}
		id := t.Create(decisionKind, set)
		if dr := t.draft(decisionKind, id, record.OpEdit); dr != nil {
			if dr.saw = d.seenWhole(about); d.base.records[about] == nil {
				dr.saw = d.base.seq(s.Approval)
			}
		}
		return t.err
	})
}
