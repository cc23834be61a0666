package approvals

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync/online"
)

// MaxCounted is how many approvals one report counts: the latest.
const MaxCounted = 5_000

// Cycle is how long approvals take, of those that the caller may see.
type Cycle struct {
	AsOf  time.Time   `json:"as_of"`
	Flows []FlowCycle `json:"flows"`
	More  bool        `json:"more,omitempty"` // there are older ones that are not counted
}

// FlowCycle is how long those of one flow take.
type FlowCycle struct {
	Code    string      `json:"code"`
	Open    int         `json:"open"`
	Overdue int         `json:"overdue"` // of the open ones: time should have done something
	Ended   Times       `json:"ended"`   // from the first step to the end
	Nodes   []NodeCycle `json:"nodes"`
}

// NodeCycle is how long a node takes.
type NodeCycle struct {
	Node   string         `json:"node"`
	Open   int            `json:"open"`
	Took   Times          `json:"took"`    // from being asked to the decision, as it has arrived
	Dark   Times          `json:"offline"` // of it, from the decision to its arrival
	Counts map[string]int `json:"counts"`  // by how it ended
}

// Times are lengths of time in seconds.
type Times struct {
	Count  int     `json:"count"`
	Median float64 `json:"median_s"`
	P95    float64 `json:"p95_s"`
}

// Cycle counts.
func (s *Service) Cycle(ctx context.Context, who access.Caller) (*Cycle, error) {
	now := s.Now()
	flows := map[string]*flowTimes{}
	counted := 0
	err := s.each(ctx, who, online.Query{Kind: kindApproval, Sort: "-id"}, MaxCounted, func(r online.Record) {
		counted++
		rec := &record.Record{Kind: &record.Kind{Name: kindApproval}, ID: r.ID}
		for _, v := range r.Values {
			rec.Put(v.Field).Raw = v.Raw
		}
		var steps []Step
		if json.Unmarshal([]byte(rec.Text("steps")), &steps) != nil {
			return
		}
		code := rec.Text("code")
		if flows[code] == nil {
			flows[code] = &flowTimes{nodes: map[string]*nodeTimes{}}
		}
		flows[code].add(rec, steps, now)
	})
	if err != nil {
		return nil, err
	}
	out := &Cycle{AsOf: now.UTC(), Flows: []FlowCycle{}, More: counted >= MaxCounted}
	for _, code := range slices.Sorted(maps.Keys(flows)) {
		out.Flows = append(out.Flows, flows[code].sum(code))
	}
	return out, nil
}

type flowTimes struct {
	open, overdue int
	ended         []float64
	order         []string
	nodes         map[string]*nodeTimes
}

type nodeTimes struct {
	open       int
	took, dark []float64
	counts     map[string]int
}

func (f *flowTimes) add(rec *record.Record, steps []Step, now time.Time) {
	state := rec.Text("state")
	var begun time.Time
	for _, s := range steps {
		if s.State == waiting {
			continue
		}
		n := f.nodes[s.Node]
		if n == nil {
			n = &nodeTimes{counts: map[string]int{}}
			f.nodes[s.Node] = n
			f.order = append(f.order, s.Node)
		}
		if begun.IsZero() {
			begun = s.Opened
		}
		if s.State == open {
			if isOpen(state) {
				n.open++
			}
			continue
		}
		n.counts[s.State]++
		if s.State == leftOut || s.State == automatic || s.State == skipped {
			continue
		}
		n.took = append(n.took, s.Done.Sub(s.Opened).Seconds())
		for _, w := range s.Who {
			if w.Said != "" && !w.Arrived.IsZero() {
				n.dark = append(n.dark, max(0, w.Arrived.Sub(w.At).Seconds()))
			}
		}
	}
	switch {
	case isOpen(state):
		f.open++
		if due, err := time.Parse(time.RFC3339, rec.Text("due_at")); err == nil && due.Before(now) {
			f.overdue++
		}
	case !begun.IsZero():
		if ended, err := time.Parse(time.RFC3339, rec.Text("decided_at")); err == nil {
			f.ended = append(f.ended, max(0, ended.Sub(begun).Seconds()))
		}
	}
}

func (f *flowTimes) sum(code string) FlowCycle {
	out := FlowCycle{Code: code, Open: f.open, Overdue: f.overdue, Ended: times(f.ended), Nodes: []NodeCycle{}}
	for _, name := range f.order {
		n := f.nodes[name]
		out.Nodes = append(out.Nodes, NodeCycle{Node: name, Open: n.open, Took: times(n.took), Dark: times(n.dark), Counts: n.counts})
	}
	return out
}

// times are the median and the 95th of a hundred.
func times(all []float64) Times {
	if len(all) == 0 {
		return Times{}
	}
	slices.Sort(all)
	at := func(q float64) float64 { return all[min(len(all)-1, int(q*float64(len(all))))] }
	return Times{Count: len(all), Median: at(0.5), P95: at(0.95)}
}
