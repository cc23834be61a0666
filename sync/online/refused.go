package online

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync"
	"roadbook/sync/history"
)

// Limits of the list of what was refused.
const (
	DefaultRefused = 50
	MaxRefused     = 200

	// lookAtRefused is how many rows a page looks at: what others have typed is
	// passed over, so a page may be short and not the last.
	lookAtRefused = 2000
)

// RefusedChange is a mutation that was refused, or waits on a restored server
// for what it builds on.
type RefusedChange struct {
	Seq      record.Seq      `json:"seq"`
	Mutation record.ID       `json:"mutation"`
	State    record.Result   `json:"state"` // refused or parked
	Person   record.ID       `json:"person"`
	Name     string          `json:"name,omitempty"`
	Device   record.ID       `json:"device,omitzero"`
	Arrived  time.Time       `json:"arrived"`
	Reason   *record.Refusal `json:"reason,omitempty"`
	Fix      string          `json:"fix,omitempty"`  // what to do about it
	After    record.ID       `json:"after,omitzero"` // the refused mutation that it builds on
	Records  []RefusedEdit   `json:"records"`
}

// RefusedEdit is what it was to do to one record. Values are there only if the
// reader may see the record today, or has it in his hands that it was not made.
type RefusedEdit struct {
	Op   record.Op     `json:"op"`
	Kind string        `json:"kind"`
	ID   record.ID     `json:"id"`
	Set  record.Values `json:"set,omitempty"`
}

// RefusedPage is a part of the list, the newest first.
type RefusedPage struct {
	Refused []RefusedChange
	After   record.Seq // 0 where it ends
}

// RefusedQuery is what the list is asked for.
type RefusedQuery struct {
	Person record.ID // NoID for all whom the reader answers for
	Limit  int
	After  record.Seq
}

// Refused lists what was refused or waits, of the caller himself and, if he is
// a manager or an administrator, of the people below him.
func (s *Service) Refused(ctx context.Context, who access.Caller, q RefusedQuery) (out RefusedPage, err error) {
	if q.Limit == 0 {
		q.Limit = DefaultRefused
	}
	if q.Limit < 0 || q.Limit > MaxRefused {
		return out, errs.New("online.Refused", errs.Invalid, "a page has at most %d changes", MaxRefused).Coded("limit").
			Of(errs.Field{Field: "limit", Detail: "this is more than a page holds"})
	}
	if q.After == 0 {
		q.After = 1 << 62
	}
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		out = RefusedPage{}
		rows, err := v.Tx.Refused(ctx, q.After, lookAtRefused)
		if err != nil {
			return err
		}
		l := &refusedList{v: v, q: q, persons: map[record.ReplicaID]record.ID{}, devices: map[record.ReplicaID]record.ID{}, page: &out}
		if err := l.load(ctx, rows); err != nil {
			return err
		}
		for i := range rows {
			if len(out.Refused) == q.Limit {
				return nil
			}
			if err := l.add(ctx, &rows[i]); err != nil {
				return err
			}
			out.After = rows[i].Seq
		}
		if len(rows) < lookAtRefused {
			out.After = 0
		}
		return nil
	})
	return out, err
}

// refusedList is a page in the making.
type refusedList struct {
	v       sync.Sight
	q       RefusedQuery
	persons map[record.ReplicaID]record.ID // who writes under a name
	devices map[record.ReplicaID]record.ID // and on which device
	names   map[record.ID]string
	page    *RefusedPage
}

func (l *refusedList) load(ctx context.Context, rows []store.Entry) error {
	var ids []record.ReplicaID
	for i := range rows {
		if id := history.Typed(&rows[i]).Replica; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	writers, err := l.v.Tx.Writers(ctx, ids)
	if err != nil {
		return err
	}
	var people []record.ID
	for _, w := range writers {
		l.persons[w.ID], l.devices[w.ID] = w.Person, w.Device
		people = append(people, w.Person)
	}
	found, err := l.v.Tx.People(ctx, people)
	l.names = map[record.ID]string{}
	for _, p := range found {
		l.names[p.ID] = p.Name
	}
	return err
}

// answers reports whether the reader may know what somebody has typed in vain.
func (l *refusedList) answers(person record.ID) bool {
	a := l.v.Actor
	switch {
	case person.IsZero() || !a.Active, !l.q.Person.IsZero() && l.q.Person != person:
		return false
	case person == a.Person:
		return true
	}
	return slices.Contains(a.Roles, string(access.Admin)) || slices.Contains(a.Roles, string(access.Manager)) && a.Owners[person]
}

func (l *refusedList) add(ctx context.Context, row *store.Entry) error {
	typed := history.Typed(row)
	person := row.Person
	if person.IsZero() {
		person = l.persons[typed.Replica] // it could not even be read
	}
	if row.Twin != 0 || !l.answers(person) {
		return nil
	}
	if row.Result == record.Parked {
		if at, err := l.v.Tx.FateOf(ctx, row.Seq); err != nil || at != 0 {
			return err // what became of it has a row of its own
		}
	}
	var keep history.Verdict
	if row.Outcome != nil {
		if err := json.Unmarshal(row.Outcome, &keep); err != nil {
			return fmt.Errorf("row %d of the log is damaged: %w", row.Seq, err)
		}
	}
	edits, err := pastEdits(row)
	if err != nil {
		return err
	}
	shown, err := l.edits(ctx, edits, person)
	if err != nil {
		return err
	}
	l.page.Refused = append(l.page.Refused, RefusedChange{
		Seq: row.Seq, Mutation: typed.ID, State: row.Result, Person: person, Name: l.names[person], Device: l.devices[typed.Replica],
		Arrived: row.Arrived.UTC(), Reason: keep.Refusal, After: keep.After, Records: shown,
	})
	return nil
}

// edits are shown with their values if the reader may see the record today. One
// that was never made is shown to those who would see its author's.
func (l *refusedList) edits(ctx context.Context, edits []pastEdit, person record.ID) ([]RefusedEdit, error) {
	out := make([]RefusedEdit, 0, len(edits))
	var ids []record.ID
	for i := range edits {
		ids = append(ids, edits[i].ID)
	}
	rows, err := l.v.Tx.Records(ctx, ids)
	if err != nil {
		return nil, err
	}
	there := map[record.ID]*record.Record{}
	for i := range rows {
		rec, err := rows[i].Record(l.v.Schema)
		if err != nil {
			return nil, err
		}
		there[rec.ID] = rec
	}
	a := l.v.Actor
	for i := range edits {
		e := &edits[i]
		kind, rec := l.v.Schema.Kind(e.Kind), there[e.ID]
		edit := RefusedEdit{Op: e.Op, Kind: e.Kind, ID: e.ID}
		sees := kind != nil && a.Reads(kind)
		if rec != nil {
			sees = sees && rec.Kind == kind && rec.State == record.Live && a.Sees(kind, rec.Scopes)
		} else {
			sees = sees && e.Op == record.OpCreate && (a.Owners[person] || person == a.Person)
		}
		for _, values := range []record.Values{e.Set, e.Add, e.Remove, e.Inc} {
			for _, v := range values {
				if sees && !a.Hides(kind, v.Field) {
					edit.Set = append(edit.Set, v)
				}
			}
		}
		out = append(out, edit)
	}
	return out, nil
}
