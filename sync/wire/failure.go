package wire

import "roadbook/errs"

// Failure is an error that a device acts on by more than its kind: a hole, a
// fork or a stale cursor.
type Failure struct {
	Err  *errs.Error
	More Problem
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap lets the kind be found.
func (f *Failure) Unwrap() error { return f.Err }

// Extra is what an answer carries besides the error itself.
func (f *Failure) Extra() any { return f.More }

// NotYours refuses a device that speaks under a name that is not its own.
// The epoch tells one whose server was restored to bring its journal.
func NotYours(epoch string) error {
	err := errs.New("sync.Push", errs.Denied, "this device may not write under that name; sign in again")
	return &Failure{Err: err.Coded("replica"), More: Problem{Epoch: epoch}}
}
