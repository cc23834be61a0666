package api

import (
	"cmp"
	"context"

	"roadbook/access"
	"roadbook/api/contract"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/online"
	"roadbook/sync/wire"
)

const keyHeader = "Idempotency-Key"

// Keyed is what every change of a record brings: a key under which it may be
// sent again.
type Keyed struct {
	Key string `header:"Idempotency-Key" required:"true" doc:"Any UUID, one for each change." example:"0199b6a0-0000-7000-8000-0000000000a1"`
}

func (k *Keyed) mutation() (record.ID, error) {
	id, err := record.ParseID(k.Key)
	if err != nil || id.IsZero() {
		return record.ID{}, coded("api.change", errs.Invalid, "idempotency_key")
	}
	return id, nil
}

type changeOut struct{ Body changed }

// changed is the verdict, and what stands now. There is no record when it is
// gone, or gone from the sight of who changed it.
type changed struct {
	Outcome record.Outcome `json:"outcome"`
	Record  *online.Record `json:"record,omitempty"`
}

type creating struct {
	Keyed

	Kind string `path:"kind" maxLength:"128" example:"account"`
}

// createRecord makes a record, under the id that the client gives it or else
// under that of the key.
func (s *Server) createRecord(ctx context.Context, in *creating) (*changeOut, error) {
	e, err := wire.ReadEdit(callOf(ctx).body)
	if err != nil {
		return nil, err
	}
	named, err := decode[struct{ ID string }](callOf(ctx).body)
	if err != nil {
		return nil, err
	}
	e.Op, e.Kind = record.OpCreate, in.Kind
	if e.ID, err = record.ParseID(cmp.Or(named.ID, in.Key)); err != nil && named.ID != "" {
		return nil, badParameter("id", "must be a UUID")
	}
	return s.change(ctx, in.Keyed, e)
}

// Changing is a change of one record.
type Changing struct {
	Keyed
	OneRecord
}

// editRecord changes some fields of a record.
func (s *Server) editRecord(ctx context.Context, in *Changing) (*changeOut, error) {
	e, err := wire.ReadEdit(callOf(ctx).body)
	if err != nil {
		return nil, err
	}
	e.Op, e.Kind, e.ID = record.OpEdit, in.Kind, in.id()
	return s.change(ctx, in.Keyed, e)
}

type deleting struct {
	Changing

	Seen string `query:"seen" pattern:"^[0-9]{1,19}$" doc:"The seq of the record as it was read."`
}

// deleteRecord leaves a tombstone.
func (s *Server) deleteRecord(ctx context.Context, in *deleting) (*changeOut, error) {
	body := []byte(`{}`)
	if in.Seen != "" {
		body = []byte(`{"seen":{"log":"` + in.Seen + `"}}`)
	}
	return s.delete(ctx, &in.Changing, body)
}

// deleteByPost is the same for clients that know no DELETE.
func (s *Server) deleteByPost(ctx context.Context, in *Changing) (*changeOut, error) {
	body := callOf(ctx).body
	if len(body) == 0 {
		body = []byte(`{}`)
	}
	return s.delete(ctx, in, body)
}

func (s *Server) delete(ctx context.Context, in *Changing, body []byte) (*changeOut, error) {
	e, err := wire.ReadEdit(body)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, in.Keyed, record.Edit{Op: record.OpDelete, Kind: in.Kind, ID: in.id(), Seen: e.Seen})
}

// change has one edit judged, and shows what stands then.
func (s *Server) change(ctx context.Context, key Keyed, e record.Edit) (*changeOut, error) {
	id, err := key.mutation()
	if err != nil {
		return nil, err
	}
	return s.write(ctx, e.Kind, e.ID, func(ctx context.Context, records Records, who access.Caller) (record.Outcome, error) {
		return records.Write(ctx, who, record.Mutation{ID: id, Edits: []record.Edit{e}})
	})
}

// restoreField writes once more what a mutation gave to a field.
func (s *Server) restoreField(ctx context.Context, in *Changing) (*changeOut, error) {
	key, err := in.mutation()
	if err != nil {
		return nil, err
	}
	value, err := decode[contract.Restoring](callOf(ctx).body)
	if err != nil {
		return nil, err
	}
	return s.write(ctx, in.Kind, in.id(), func(ctx context.Context, records Records, who access.Caller) (record.Outcome, error) {
		return records.Restore(ctx, who, key, in.Kind, in.id(), value.Field, value.Dot)
	})
}

// write makes a change, and then reads what has become of its record. Once it
// is here it is judged, whether or not the client stays to listen.
func (s *Server) write(
	ctx context.Context, kind string, id record.ID, judge func(context.Context, Records, access.Caller) (record.Outcome, error),
) (*changeOut, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	who := callOf(ctx).who
	outcome, err := judge(ctx, records, who)
	if err != nil {
		return nil, err
	}
	if outcome.Result == record.Refused && outcome.Refusal != nil {
		return nil, &refusedError{outcome}
	}
	out := &changeOut{changed{Outcome: outcome}}
	now, err := records.Get(ctx, who, kind, id)
	switch {
	case err == nil:
		out.Body.Record = &now
	case errs.KindOf(err) != errs.Missing:
		return nil, err
	}
	return out, nil
}

// refusedError is a change that was judged and refused, as an error: whoever
// is online waits for nothing else.
type refusedError struct{ outcome record.Outcome }

func (e *refusedError) Error() string { return e.Unwrap().Error() }

// Unwrap is what the refusal stands for.
func (e *refusedError) Unwrap() error {
	r := e.outcome.Refusal
	return errs.New("api.write", r.Kind, "%s", r.Detail).Coded(r.Code).Of(r.Fields...)
}

// Extra hands over the verdict, with what stands in place of the change.
func (e *refusedError) Extra() any {
	return wire.Problem{Outcomes: []record.Outcome{e.outcome}}
}
