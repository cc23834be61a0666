package approvals

import (
	"context"
	"encoding/json"
	"slices"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/sync/online"
)

// Trial is a flow tried on a record, with nothing written and nobody told.
type Trial struct {
	Flow      record.ID                  `json:"flow,omitzero"`        // one that is there, also a draft
	Body      string                     `json:"body,omitempty"`       // or its text
	About     string                     `json:"about_kind,omitempty"` // of a text
	Record    record.ID                  `json:"record,omitzero"`      // one that is there
	Set       map[string]json.RawMessage `json:"set,omitempty"`        // a sample, or what is to be otherwise of the record
	Submitter record.ID                  `json:"submitter,omitzero"`   // who asks; else the caller
}

// Path is what would come of it if everybody agreed.
type Path struct {
	Starts bool         `json:"starts"`
	Steps  []TrialStep  `json:"steps"`
	Set    []TrialValue `json:"set,omitempty"` // to the record, at the end
}

// TrialStep is a step of it.
type TrialStep struct {
	Node  string     `json:"node"`
	State string     `json:"state"`
	Mode  string     `json:"mode,omitempty"`
	Who   []TrialWho `json:"who,omitempty"`
	Why   string     `json:"why,omitempty"`
	Waits string     `json:"passes_after,omitempty"`
}

// TrialWho is somebody who would be asked.
type TrialWho struct {
	Person record.ID `json:"person"`
	For    record.ID `json:"for,omitzero"`
	Name   string    `json:"name"`
	Told   string    `json:"told"` // what he would be told of
}

// TrialValue is a field that would be set.
type TrialValue struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

// Simulate tries a flow.
func (s *Service) Simulate(ctx context.Context, who access.Caller, in Trial) (*Path, error) {
	flow, about := in.Body, in.About
	if !in.Flow.IsZero() {
		rec, err := s.read(ctx, who, in.Flow)
		if err != nil {
			return nil, err
		}
		flow, about = rec.Text("body"), rec.Text("about_kind")
	}
	c, err := s.trial(ctx, who, flow, about, in)
	if err != nil {
		return nil, err
	}
	out := &Path{}
	if out.Starts, err = c.plan.start.Holds(c.values); err != nil || !out.Starts {
		return out, err
	}
	if err := c.begin(s.Now()); err != nil {
		return nil, err
	}
	if err := c.agree(s); err != nil {
		return nil, err
	}
	names, err := s.names(ctx, who)
	if err != nil {
		return nil, err
	}
	for i, step := range c.Steps {
		t := TrialStep{Node: step.Node, State: step.State, Mode: step.Mode, Why: step.Why}
		if wait := c.plan.Nodes[i].PassAfter; wait > 0 {
			b, _ := wait.MarshalJSON() // of a text, which can be written
			t.Waits = string(b[1 : len(b)-1])
		}
		for _, w := range step.Who {
			t.Who = append(t.Who, TrialWho{Person: w.Person, For: w.For, Name: names[w.Person], Told: "approval_waiting"})
		}
		out.Steps = append(out.Steps, t)
	}
	for _, f := range c.subject.Kind.Fields {
		if raw := c.plan.Approved[f.Name]; raw != nil {
			out.Set = append(out.Set, TrialValue{f.Name, raw})
		}
	}
	return out, nil
}

// agree has everybody say yes, and keeps who was asked.
func (c *Case) agree(s *Service) error {
	for isOpen(c.State) {
		i := c.at()
		asked := slices.Clone(c.Steps[i].Who)
		for c.at() == i {
			waits := c.waitsFor()
			if len(waits) == 0 {
				return errs.New("approvals.Simulate", errs.Internal, "a step asks nobody")
			}
			if err := c.say(word{said: Approve, person: waits[0], typed: s.Now(), arrived: s.Now()}); err != nil {
				return err
			}
		}
		c.Steps[i].Who = asked
	}
	return nil
}

// trial is a case of a record that need not be there.
func (s *Service) trial(ctx context.Context, who access.Caller, flow, about string, in Trial) (*Case, error) {
	const op = "approvals.Simulate"

	c := &Case{}
	var kind *record.Kind
	err := s.Engine.Look(ctx, who, func(v sync.Sight) error {
		if kind = v.Schema.Kind(about); kind == nil {
			return errs.New(op, errs.Invalid, "there is no such kind of record").Coded("unknown_kind").Of(errs.Field{Field: "about_kind", Detail: "there is no such kind"})
		}
		var err error
		if c.plan, err = readFlow(flow, speak(v.Schema.Kind, kind)); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.subject = &record.Record{Kind: kind, ID: in.Record, Owner: who.Person}
	if !in.Record.IsZero() {
		known, err := s.Records.Get(ctx, who, about, in.Record)
		if err != nil {
			return nil, err
		}
		for _, v := range known.Values {
			c.subject.Put(v.Field).Raw = v.Raw
		}
	}
	for name, raw := range in.Set {
		if kind.Field(name) == nil {
			return nil, errs.New(op, errs.Invalid, "%s: %s has no such field", name, kind.Name).Coded("unknown_field").Of(errs.Field{Field: name, Detail: kind.Name + " has no such field"})
		}
		c.subject.Put(name).Raw = raw
	}
	var customer *record.Record
	if id := c.subject.Ref(kind.Parent); kind.Parent != "" && !id.IsZero() && c.plan.words.customer != nil {
		known, err := s.Records.Get(ctx, who, "account", id)
		if err != nil {
			return nil, err
		}
		customer = &record.Record{Kind: c.plan.words.customer, ID: id}
		for _, v := range known.Values {
			customer.Put(v.Field).Raw = v.Raw
		}
	}
	if c.company, err = readCompany(ctx, &lister{s, who}); err != nil {
		return nil, err
	}
	submitter := in.Submitter
	if submitter.IsZero() {
		submitter = who.Person
	}
	if c.submitter = c.company.people[submitter]; c.submitter == nil {
		c.submitter = &member{id: submitter}
	}
	c.values = c.plan.words.values(c.subject, customer, c.submitter.roles)
	return c, nil
}

// lister lists kinds of the catalogue, as somebody may see them.
type lister struct {
	s   *Service
	who access.Caller
}

// maxListed is how many people, or units, a trial looks at.
const maxListed = 10_000

// Records implements catalogue.
func (l *lister) Records(ctx context.Context, kind string) (all []*record.Record, err error) {
	err = l.s.each(ctx, l.who, online.Query{Kind: kind, Sort: "id"}, maxListed, func(r online.Record) {
		rec := &record.Record{Kind: &record.Kind{Name: kind}, ID: r.ID}
		for _, v := range r.Values {
			rec.Put(v.Field).Raw = v.Raw
		}
		all = append(all, rec)
	})
	return all, err
}

// each reads a list to its end, or as far as is enough.
func (s *Service) each(ctx context.Context, who access.Caller, q online.Query, most int, do func(online.Record)) error {
	q.Limit = 200
	for read := 0; read < most; {
		page, err := s.Records.List(ctx, who, q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			do(r)
		}
		read += len(page.Records)
		if q.After = page.After; q.After == "" {
			return nil
		}
	}
	return nil
}

func (s *Service) names(ctx context.Context, who access.Caller) (map[record.ID]string, error) {
	names := map[record.ID]string{}
	err := s.each(ctx, who, online.Query{Kind: "user", Sort: "id"}, maxListed, func(r online.Record) { names[r.ID] = r.Values.Text("name") })
	return names, err
}
