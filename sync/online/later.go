package online

import (
	"context"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/version"
)

func notYet(op string) error {
	return errs.New(op, errs.Busy, "this is still being built").Coded("busy")
}

// History reads what became of a record, from after on back; 0 begins with the
// newest change.
func (s *Service) History(_ context.Context, _ access.Caller, _ string, _ record.ID, _ record.Seq, _ int) (History, error) {
	return History{}, notYet("online.History")
}

// Restore writes the value that a mutation gave to a field, or wanted to give
// it, once more, as a change that has seen what stands there now. key is the
// id under which the caller may repeat it.
func (s *Service) Restore(
	_ context.Context, _ access.Caller, _ record.ID, _ string, _ record.ID, _ string, _ version.Dot,
) (record.Outcome, error) {
	return record.Outcome{}, notYet("online.Restore")
}

// Timeline reads what happened around a record.
func (s *Service) Timeline(_ context.Context, _ access.Caller, _ string, _ record.ID, _ string, _ int) (Timeline, error) {
	return Timeline{}, notYet("online.Timeline")
}

// Today is the day of the caller in which an instant falls, where he is.
func (s *Service) Today(_ context.Context, _ access.Caller, _ time.Time) (Today, error) {
	return Today{}, notYet("online.Today")
}

// Today is a person's day at a glance, in no more than MaxTodayBytes.
type Today struct {
	Day       string     `json:"day"`
	Plan      []Record   `json:"plan"`           // visits planned for the day, in order
	Next      *record.ID `json:"next,omitempty"` // of the plan: what is not begun or under way
	Tasks     []Record   `json:"tasks"`          // due by the end of the day, also those overdue
	Conflicts []Record   `json:"conflicts"`      // that ask this person to look
	Accounts  []Record   `json:"accounts"`       // whom all this is about
	Counts    Counts     `json:"counts"`
}

// Counts are how many there are, also of those that had no room.
type Counts struct {
	Planned   int `json:"planned"`
	Done      int `json:"done"`
	Tasks     int `json:"tasks"`
	Overdue   int `json:"overdue"`
	Conflicts int `json:"conflicts"`
}
