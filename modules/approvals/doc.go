// Package approvals has people say yes before something counts: a discount, an
// expense, a new key customer. What is asked of whom is data, a flow; what it has
// come to for one record is an approval; what somebody says is a decision. All
// three are records, so that they sync, are read without a network and have a
// history.
//
// A decision is judged in the transaction in which it arrives, by what its author
// had before him: figures that have changed since, and that the flow calls
// relevant, have him asked again. The first that is accepted stands.
package approvals

// The kinds of records.
const (
	kindFlow     = "flow"
	kindApproval = "approval"
	kindDecision = "approval_decision"
)

// What an approval may be.
const (
	Pending   = "pending"         // somebody must decide
	Reconfirm = "needs_reconfirm" // somebody has, on figures that are no more
	Approved  = "approved"
	Rejected  = "rejected"
	Returned  = "returned" // to whoever asks, to mend it
	Withdrawn = "withdrawn"
)

// isOpen reports whether an approval in a state still waits for somebody.
func isOpen(state string) bool { return state == Pending || state == Reconfirm }

// What somebody may say.
const (
	Approve  = "approve"
	Reject   = "reject"
	Return   = "return"
	Forward  = "forward"  // somebody else decides for him
	Add      = "add"      // somebody else decides as well
	Skip     = "skip"     // the step is left out, for a reason
	Withdraw = "withdraw" // by whoever asks
	Pass     = "pass"     // by the server: time is up
	Escalate = "escalate" // by the server: whoever is above decides as well
)

// What becomes of a decision.
const (
	Counted = "counted"
	Late    = "late"            // it was decided before
	Again   = "needs_reconfirm" // it was made on figures that are no more
	Alone   = "alone"           // it is to be decided by itself, and not with many
)
