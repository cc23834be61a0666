// Package online is for clients that have no store of their own: records one
// by one, lists, history and the day at a glance. It reads by what a person
// holds now, in one snapshot each, and writes through the engine's one door.
package online

import (
	"context"
	"encoding/json"
	"time"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/version"
)

// Service answers clients that are online.
type Service struct {
	engine *sync.Engine
	key    []byte // of the places in lists; it lives outside the database
	now    func() time.Time

	sieves *sieves

	gather, walk int // of query.Request; tests ask for less
	keysAtOnce   int
}

// New is a service over an engine.
func New(engine *sync.Engine, key []byte, now func() time.Time) *Service {
	return &Service{engine: engine, key: key, now: now, sieves: newSieves(), keysAtOnce: keysAtOnce}
}

// Record is a record as its reader may see it: without hidden fields.
type Record struct {
	Kind   string        `json:"kind"`
	ID     record.ID     `json:"id"`
	Seq    record.Seq    `json:"seq"`
	Values record.Values `json:"set"`
}

// Query is what a list is asked for.
type Query struct {
	Kind   string
	Filter string // a CEL expression; empty means all
	Sort   string // a look-up field, "seq" or "id", with a minus for the last first; empty means "-id"
	Limit  int    // 0 means query.DefaultLimit
	After  string // Page.After of the page before
}

// Page is a part of a list. It may hold fewer than asked for, or none, and
// still not be the last: the list ends where After is empty.
type Page struct {
	Records []Record
	After   string
}

// Change is what one mutation did to one record.
type Change struct {
	Seq    record.Seq    `json:"seq"`
	Dot    version.Dot   `json:"-"`
	ID     record.ID     `json:"mutation"`
	At     time.Time     `json:"at"`      // when it was typed, as far as that can be believed
	Came   time.Time     `json:"arrived"` // when the server got it
	Person record.ID     `json:"person"`
	Device record.ID     `json:"device,omitzero"` // on which it was typed; none if the server wrote it
	Op     record.Op     `json:"op"`              // what was done to the record as a whole
	Server bool          `json:"server,omitempty"`
	Result record.Result `json:"result"`
	Fields []FieldChange `json:"fields,omitempty"`
}

// FieldChange is a field before and after a mutation.
type FieldChange struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	Lost   json.RawMessage `json:"lost,omitempty"`  // what was typed and does not stand, if something else won
	Typed  json.RawMessage `json:"typed,omitempty"` // what was typed, if it was merged with something else
}

// History is a part of what became of a record, the newest first.
type History struct {
	Changes []Change
	After   record.Seq // 0 where it ends
}

// Happening is a record with the time at which it happened.
type Happening struct {
	Record

	At string `json:"at"`
}

// Timeline is a part of what happened around a record, the newest first.
type Timeline struct {
	Happenings []Happening
	After      string
}

func missing(op string) error {
	return errs.New(op, errs.Missing, "this record is not there any more, or not for you").Coded("missing")
}

// Write takes in one change. m.ID is the key under which the caller may repeat
// it; its number and its stamp are the server's to give. A refused change is
// an outcome and no error.
func (s *Service) Write(ctx context.Context, who access.Caller, m record.Mutation) (record.Outcome, error) {
	return s.engine.Write(ctx, who, m)
}

// Get reads one record.
func (s *Service) Get(ctx context.Context, who access.Caller, kind string, id record.ID) (out Record, err error) {
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		rec, err := find(ctx, v, kind, id)
		if err != nil {
			return err
		}
		out = project(rec, v.Actor)
		return nil
	})
	return out, err
}

// find is a live record that the actor may see; anything else is missing.
func find(ctx context.Context, v sync.Sight, kind string, id record.ID) (*record.Record, error) {
	rec, err := read(ctx, v, id)
	if k := v.Schema.Kind(kind); k != nil && k.Match != nil {
		for range sync.MaxDepth { // what was merged away goes on under another name
			if err != nil || rec != nil && rec.State == record.Live {
				break
			}
			lead, failed := read(ctx, v, sync.RedirectOf(id))
			to, is := sync.GoesOnAs(lead)
			if err = failed; err != nil || !is {
				break
			}
			id = to
			rec, err = read(ctx, v, id)
		}
	}
	if err != nil {
		return nil, err
	}
	if rec == nil || rec.Kind.Name != kind || rec.State == record.Deleted || !v.Actor.Sees(rec.Kind, rec.Scopes) {
		return nil, missing("online.find")
	}
	return rec, nil
}

// read is a record whoever may see it, nil if there is none.
func read(ctx context.Context, v sync.Sight, id record.ID) (*record.Record, error) {
	rows, err := v.Tx.Records(ctx, []record.ID{id})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0].Record(v.Schema)
}

// project cuts a record down to what the actor may see.
func project(rec *record.Record, actor *access.Actor) Record {
	out := Record{Kind: rec.Kind.Name, ID: rec.ID, Seq: rec.Seq, Values: record.Values{}}
	for i := range rec.Slots {
		if s := &rec.Slots[i]; s.Raw != nil && !actor.Hides(rec.Kind, s.Field) {
			out.Values = append(out.Values, record.Value{Field: s.Field, Raw: s.Raw})
		}
	}
	return out
}
