package approvals

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/field"
	"roadbook/rules"
)

// Limits of a flow. It is worked out while everybody waits, and shown on phones.
const (
	MaxFlowBytes = 32 << 10
	MaxNodes     = 20
	MaxPeople    = 20 // that a node names
	MinWait      = time.Minute
	MaxWait      = 90 * 24 * time.Hour
)

// Flow says when approval is needed, of what, and of whom.
type Flow struct {
	Start    Start    `json:"start"`
	Relevant []string `json:"relevant"` // fields that a decision is about
	Locked   []string `json:"locked,omitempty"`
	Nodes    []Node   `json:"nodes"`
	// LateReject says what becomes of a no that arrives after time has passed a
	// node: reopen, which is usual, or note.
	LateReject string `json:"late_reject,omitempty"`
	// ClosedWhen says when it is too late to reopen anything: the order is in the ERP.
	ClosedWhen string                     `json:"closed_when,omitempty"`
	Approved   map[string]json.RawMessage `json:"approved,omitempty"` // what is set then
	Rejected   map[string]json.RawMessage `json:"rejected,omitempty"`
}

// Start is when a flow begins: when somebody submits a record, or by itself when a
// change makes a condition true.
type Start struct {
	On   string `json:"on"` // submit or change
	When string `json:"when,omitempty"`
}

// Node is a step of a flow.
type Node struct {
	Name          string   `json:"name"`
	When          string   `json:"when,omitempty"` // otherwise it is left out
	Who           Who      `json:"who"`
	Mode          string   `json:"mode,omitempty"` // any, which is usual, all, or order
	SkipSubmitter bool     `json:"skip_submitter,omitempty"`
	AutoApprove   string   `json:"auto_approve,omitempty"` // needs nobody if this holds
	Alone         string   `json:"alone,omitempty"`        // not to be decided with many at once if this holds
	PassAfter     Duration `json:"pass_after,omitempty"`
	EscalateAfter Duration `json:"escalate_after,omitempty"`
	MaySkip       []string `json:"may_skip,omitempty"` // roles
}

// Who says whom a node asks: one of these.
type Who struct {
	Manager int         `json:"manager,omitempty"` // so many levels above whoever asks
	Role    string      `json:"role,omitempty"`
	People  []record.ID `json:"people,omitempty"`
	Field   string      `json:"field,omitempty"` // of the record, which names somebody
}

// Duration is a length of time as Go writes it: 24h, 90m.
type Duration time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return errors.New("a length of time such as 24h was expected")
	}
	v, err := time.ParseDuration(text)
	if err != nil || v < MinWait || v > MaxWait {
		return fmt.Errorf("a length of time from %s to %s, such as 24h, was expected", MinWait, MaxWait)
	}
	*d = Duration(v)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// plan is a flow that can be worked with.
type plan struct {
	*Flow

	start, closed *rules.Condition
	nodes         []conditions
	words         *vocabulary
}

// conditions are those of a node.
type conditions struct{ when, auto, alone *rules.Condition }

// faults gathers what is wrong with a flow.
type faults []errs.Field

func (f *faults) add(at, format string, args ...any) {
	*f = append(*f, errs.Field{Field: at, Detail: fmt.Sprintf(format, args...)})
}

// readFlow reads the text of a flow about a kind. The error names every place that
// is wrong, and of conditions line and column.
func readFlow(text string, words *vocabulary) (*plan, error) {
	p := &plan{Flow: &Flow{}, words: words}
	var f faults
	if len(text) > MaxFlowBytes {
		f.add("body", "it is longer than %d KiB", MaxFlowBytes>>10)
		return nil, f.err()
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(p.Flow); err != nil {
		line, column := placeIn(text, err, d.InputOffset())
		f.add("body", "line %d, column %d: %s", line, column, unquoted(err))
		return nil, f.err()
	}
	p.check(&f)
	if len(f) > 0 {
		return nil, f.err()
	}
	return p, nil
}

func (f faults) err() error {
	return errs.New("approvals.flow", errs.Invalid, "this flow cannot work: %s: %s", f[0].Field, f[0].Detail).Coded("flow").Of(f...)
}

// placeIn is the line and column at which reading has failed.
func placeIn(text string, err error, read int64) (line, column int) {
	at := read
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &wrong):
		at = wrong.Offset
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		at = int64(len(text))
	}
	before := []byte(text[:min(int(at), len(text))])
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

func unquoted(err error) string {
	text := strings.TrimPrefix(err.Error(), "json: ")
	if text == "EOF" || strings.HasSuffix(text, "unexpected EOF") {
		return "it ends too early"
	}
	return text
}

// check compiles the conditions and looks at every name.
func (p *plan) check(f *faults) {
	kind := p.words.kind
	if p.Start.On != "submit" && p.Start.On != "change" {
		f.add("start.on", "submit or change was expected")
	}
	p.start = p.condition(f, "start.when", p.Start.When)
	p.closed = p.condition(f, "closed_when", p.ClosedWhen)
	if len(p.Relevant) == 0 {
		f.add("relevant", "name the fields that a decision is about")
	}
	for _, name := range p.Relevant {
		switch k := kind.Field(name); {
		case k == nil:
			f.add("relevant", "%s has no field %q", kind.Name, name)
		case len(k.Readers) > 0:
			f.add("relevant", "%q is not for everybody to see, and approvers would", name)
		}
	}
	for _, name := range p.Locked {
		if kind.Field(name) == nil {
			f.add("locked", "%s has no field %q", kind.Name, name)
		}
	}
	if !slices.Contains([]string{"", "reopen", "note"}, p.LateReject) {
		f.add("late_reject", "reopen or note was expected")
	}
	p.checkSet(f, "approved", p.Approved)
	p.checkSet(f, "rejected", p.Rejected)
	if len(p.Nodes) == 0 || len(p.Nodes) > MaxNodes {
		f.add("nodes", "from 1 to %d nodes were expected", MaxNodes)
		return
	}
	for i := range p.Nodes {
		p.checkNode(f, i)
	}
}

func (p *plan) checkSet(f *faults, at string, set map[string]json.RawMessage) {
	kind := p.words.kind
	for _, name := range slices.Sorted(maps.Keys(set)) {
		k := kind.Field(name)
		switch {
		case k == nil:
			f.add(at, "%s has no field %q", kind.Name, name)
			continue
		case slices.Contains(p.Relevant, name):
			f.add(at, "%q is what the decision is about", name)
		}
		if t, known := field.Lookup(k.Type); known && k.Policy != record.Set {
			if _, err := t.Check(field.Spec{Choices: k.Choices, To: k.To}, set[name]); err != nil {
				f.add(at, "%s %s", name, err)
			}
		}
	}
}

func (p *plan) checkNode(f *faults, i int) {
	n, at := &p.Nodes[i], fmt.Sprintf("nodes[%d]", i)
	if strings.TrimSpace(n.Name) == "" || slices.ContainsFunc(p.Nodes[:i], func(o Node) bool { return o.Name == n.Name }) {
		f.add(at+".name", "a name that no other node has was expected")
	}
	if !slices.Contains([]string{"", "any", "all", "order"}, n.Mode) {
		f.add(at+".mode", "any, all or order was expected")
	}
	n.Who.check(f, at+".who", p.words)
	if n.PassAfter > 0 && n.EscalateAfter >= n.PassAfter {
		f.add(at+".escalate_after", "by then the node has passed by itself")
	}
	for _, r := range n.MaySkip {
		if !slices.Contains(p.words.roles, r) {
			f.add(at+".may_skip", "there is no role %q", r)
		}
	}
	p.nodes = append(p.nodes, conditions{
		when: p.condition(f, at+".when", n.When), auto: p.condition(f, at+".auto_approve", n.AutoApprove), alone: p.condition(f, at+".alone", n.Alone),
	})
}

func (w *Who) check(f *faults, at string, words *vocabulary) {
	named := 0
	for _, is := range []bool{w.Manager != 0, w.Role != "", len(w.People) > 0, w.Field != ""} {
		if is {
			named++
		}
	}
	switch {
	case named != 1:
		f.add(at, "one of manager, role, people and field was expected")
	case w.Manager < 0 || w.Manager > MaxNodes:
		f.add(at+".manager", "from 1 to %d levels were expected", MaxNodes)
	case w.Role != "" && !slices.Contains(words.roles, w.Role):
		f.add(at+".role", "there is no role %q", w.Role)
	case len(w.People) > MaxPeople:
		f.add(at+".people", "at most %d people were expected", MaxPeople)
	case w.Field != "":
		if k := words.kind.Field(w.Field); k == nil || k.Type != "user" {
			f.add(at+".field", "%s has no field %q that names somebody", words.kind.Name, w.Field)
		}
	}
}

func (p *plan) condition(f *faults, at, text string) *rules.Condition {
	c, err := p.words.language.Read(text)
	var wrong *errs.Error
	if errors.As(err, &wrong) {
		f.add(at, "%s", wrong.Msg)
	}
	return c
}
