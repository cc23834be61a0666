package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkWithin is what porcupine gets for one history.
const checkWithin = time.Minute

// linearizable finds what cannot have been, and tells it in words; "" if there
// is an order.
func linearizable(first []state, acts []porcupine.Operation) string {
	step := func(s, in, _ any) []any { return s.(state).step(in.(act)) }
	for r := range first {
		m := porcupine.NondeterministicModel{
			Init: func() []any { return []any{first[r]} }, Step: step,
			Equal: func(a, b any) bool { return slices.Equal(a.(state), b.(state)) },
		}
		mine := slices.DeleteFunc(slices.Clone(acts), func(o porcupine.Operation) bool { return o.Input.(act).record != r })
		result, info := porcupine.CheckOperationsVerbose(m.ToModel(), mine, checkWithin)
		if result != porcupine.Ok {
			return fmt.Sprintf("record %d: %s\n%s", r, result, counterexample(mine, info))
		}
	}
	return ""
}

// told is how much of a counterexample is told on either side.
const told = 12

// counterexample is the longest order that was found, and what did not fit
// behind it.
func counterexample(acts []porcupine.Operation, info porcupine.LinearizationInfo) string {
	var longest []int
	for _, order := range info.PartialLinearizations()[0] {
		if len(order) > len(longest) {
			longest = order
		}
	}
	var out strings.Builder
	tell := func(i int) {
		ret := time.Duration(acts[i].Return).String()
		if acts[i].Return == never {
			ret = "never"
		}
		fmt.Fprintf(&out, "  client %d, %v to %s: %v\n", acts[i].ClientId, time.Duration(acts[i].Call), ret, acts[i].Input)
	}
	out.WriteString("in this order:\n")
	for _, i := range longest[max(0, len(longest)-told):] {
		tell(i)
	}
	out.WriteString("but then none of these can have been next:\n")
	var left []int
	for i := range acts {
		if !slices.Contains(longest, i) {
			left = append(left, i)
		}
	}
	slices.SortFunc(left, func(a, b int) int { return int(acts[a].Call - acts[b].Call) })
	for _, i := range left[:min(told, len(left))] {
		tell(i)
	}
	return out.String()
}
