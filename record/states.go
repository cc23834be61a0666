package record

import (
	"cmp"
	"fmt"
	"slices"
)

// MaxStates is the most states of one field: what fits on a drawing of a
// process, and what can be checked three by three.
const MaxStates = 32

// States is a process as data: which state may follow which, and what becomes
// of two that were reached without knowledge of each other.
type States struct {
	Begin []string            `json:"begin,omitempty"` // in which a record may begin; nobody named means any
	Moves map[string][]string `json:"moves"`
	Order []string            `json:"order,omitempty"` // from the least to the furthest; as the choices, if it is not said
	Joins []Join              `json:"joins,omitempty"` // where the further of two is not all that there is to say
}

// Join is a row of the join table. It is about any two different states of Of.
type Join struct {
	Of   []string `json:"of"`
	To   string   `json:"to,omitempty"`   // the further of the two, if it is not said
	Ask  bool     `json:"ask,omitempty"`  // none of them: a person decides
	Note bool     `json:"note,omitempty"` // a person is told
}

// Joined is what concurrent states come to.
type Joined struct {
	State string // "" if a person must decide
	Ask   bool
	Note  bool // somebody should know
}

// MayMove reports whether one state may follow another. Who has no state on his
// screen begins; who says what is there already says nothing.
func (f *Field) MayMove(from, to string) bool {
	switch {
	case f.States == nil || from == to:
		return true
	case from == "":
		return len(f.States.Begin) == 0 || slices.Contains(f.States.Begin, to)
	}
	return slices.Contains(f.States.Moves[from], to)
}

// Join is what states that were reached without knowledge of each other come
// to. It is a function of the set of them: the schema was not published
// otherwise.
func (f *Field) Join(states ...string) Joined {
	states = slices.Compact(slices.Sorted(slices.Values(states)))
	out := Joined{}
	for i, s := range states {
		if i == 0 {
			out.State = s
			continue
		}
		if !out.Ask {
			j := f.pair(out.State, s)
			out.State, out.Ask = j.State, j.Ask
		}
		for _, other := range states[:i] {
			j := f.pair(other, s)
			out.Note = out.Note || j.Note || j.Ask
		}
	}
	return out
}

// pair joins two: by the row that names both, else the further stands.
func (f *Field) pair(a, b string) Joined {
	further := a
	if f.further(a, b) < 0 {
		further = b
	}
	if a == b || f.States == nil {
		return Joined{State: further}
	}
	for _, row := range f.States.Joins {
		if slices.Contains(row.Of, a) && slices.Contains(row.Of, b) {
			return row.result(further)
		}
	}
	return Joined{State: further}
}

func (j Join) result(further string) Joined {
	if j.Ask {
		return Joined{Ask: true, Note: true}
	}
	return Joined{State: cmp.Or(j.To, further), Note: j.Note}
}

// further compares how far two states are. One that the schema does not offer
// any more is behind all.
func (f *Field) further(a, b string) int {
	order := f.Choices
	if f.States != nil && len(f.States.Order) > 0 {
		order = f.States.Order
	}
	return cmp.Or(cmp.Compare(slices.Index(order, a), slices.Index(order, b)), cmp.Compare(a, b))
}

// checkStates reports every way in which a process does not hold together.
func (f *Field) checkStates() (wrong []string) {
	switch {
	case f.Policy != Process && f.States == nil:
		return nil
	case f.Policy != Process:
		return []string{"only a field with the policy state has states"}
	case f.Type != "choice" || f.States == nil:
		return []string{"the policy state needs a choice, and states that say which may follow which"}
	case len(f.Choices) == 0 || len(f.Choices) > MaxStates:
		return []string{fmt.Sprintf("a process has at least one state and at most %d", MaxStates)}
	}
	if wrong = f.checkNames(); len(wrong) == 0 {
		wrong = f.checkRows()
	}
	if len(wrong) == 0 {
		wrong = f.checkJoin()
	}
	return wrong
}

func (f *Field) checkNames() (wrong []string) {
	known := func(where string, names ...string) {
		for _, name := range names {
			if !slices.Contains(f.Choices, name) {
				wrong = append(wrong, fmt.Sprintf("%s names %q, which is no state of it", where, name))
			}
		}
	}
	known("begin", f.States.Begin...)
	for _, from := range slices.Sorted(func(yield func(string) bool) {
		for from := range f.States.Moves {
			if !yield(from) {
				return
			}
		}
	}) {
		known("moves", from)
		known("moves from "+from, f.States.Moves[from]...)
	}
	known("order", f.States.Order...)
	for _, row := range f.States.Joins {
		known("joins", row.Of...)
		if row.To != "" {
			known("joins", row.To)
		}
	}
	sorted := func(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }
	if len(sorted(f.Choices)) != len(f.Choices) {
		wrong = append(wrong, "a state is there twice")
	}
	if o := f.States.Order; len(o) > 0 && (len(o) != len(f.Choices) || len(sorted(o)) != len(o)) {
		wrong = append(wrong, "order must name every state once")
	}
	return wrong
}

// checkRows makes sure that what two states come to is said once, and that a
// state joined with itself is itself.
func (f *Field) checkRows() (wrong []string) {
	said := map[[2]string]Joined{}
	for _, row := range f.States.Joins {
		if row.Ask && row.To != "" {
			wrong = append(wrong, fmt.Sprintf("a person decides between %v, or it becomes %s, not both", row.Of, row.To))
		}
		if len(row.Of) < 2 {
			wrong = append(wrong, fmt.Sprintf("a row of joins is about two states or more, not about %v", row.Of))
		}
		for i, a := range row.Of {
			for _, b := range row.Of[:i] {
				if a == b {
					wrong = append(wrong, fmt.Sprintf("%s with %s is %s, and no row may say so or otherwise", a, a, a))
					continue
				}
				further := a
				if f.further(a, b) < 0 {
					further = b
				}
				pair, is := [2]string{min(a, b), max(a, b)}, row.result(further)
				if was, there := said[pair]; there && was != is {
					wrong = append(wrong, fmt.Sprintf("%s and %s become %s by one row and %s by another", pair[0], pair[1], was, is))
				}
				said[pair] = is
			}
		}
	}
	return wrong
}

func (j Joined) String() string {
	if j.Ask {
		return "a question"
	}
	if j.Note {
		return j.State + " (with a note)"
	}
	return j.State
}

// checkJoin makes sure that of three states it does not matter which two meet
// first. Of two it does not by the form of the table, and the first three for
// which it does are named.
func (f *Field) checkJoin() []string {
	meet := func(a, b Joined) Joined {
		if a.Ask || b.Ask {
			return Joined{Ask: true}
		}
		return Joined{State: f.pair(a.State, b.State).State, Ask: f.pair(a.State, b.State).Ask}
	}
	for _, a := range f.Choices {
		for _, b := range f.Choices {
			for _, c := range f.Choices {
				x, y, z := Joined{State: a}, Joined{State: b}, Joined{State: c}
				one, other := meet(meet(x, y), z), meet(x, meet(y, z))
				if one != other {
					return []string{fmt.Sprintf(
						"what becomes of %s, %s and %s depends on who comes first: %s if %s and %s meet first, %s if %s and %s do",
						a, b, c, one, a, b, other, b, c)}
				}
			}
		}
	}
	return nil
}
