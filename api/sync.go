package api

import (
	"context"

	"roadbook/api/words"
	"roadbook/record"
	"roadbook/sync/wire"
)

// push takes in a device's outbox. Once it is here it is judged whether or not
// the device stays to listen: a phone in a lift that gives up waiting finds the
// verdict when it asks again, instead of never getting further.
func (s *Server) push(ctx context.Context, in *call) (*reply, error) {
	p, err := wire.ReadPush(in.body)
	if err != nil {
		return nil, err
	}
	in.replica = p.Replica
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	answer, err := s.Line.Push(ctx, in.who, p)
	if err != nil {
		return nil, err
	}
	told := *answer
	told.Outcomes = translated(answer.Outcomes, in.lang)
	return encode(&told)
}

// check compares what a device has with what it must have.
func (s *Server) check(ctx context.Context, in *call) (*reply, error) {
	r, err := wire.ReadCheck(in.body)
	if err != nil {
		return nil, err
	}
	in.replica = r.Replica
	page, err := s.Line.Check(ctx, in.who, r)
	if err != nil {
		return nil, err
	}
	return &reply{contentType: jsonType, body: page}, nil
}

// pull answers one page, which the device may want to wait for.
func (s *Server) pull(ctx context.Context, in *call) (*reply, error) {
	r, err := wire.ReadPull(in.body)
	if err != nil {
		return nil, err
	}
	in.replica = r.Replica
	who := in.who
	who.Say = func(r *record.Refusal) *record.Refusal { return words.Refusal(r, in.lang) }
	page, err := s.await(ctx, who, r)
	if err != nil {
		return nil, err
	}
	return &reply{contentType: jsonType, body: page}, nil
}
