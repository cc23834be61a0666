package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// What clients saw of a handful of records is judged by somebody who knows
// nothing of this program: porcupine looks for one order of all that was done to
// a record, in which nothing comes before what had ended when it began, and
// every answer is what the order says. If there is one, everybody has read his
// own writes, nobody has seen an older value after a younger, and nothing that
// was acknowledged is lost.

// act is what a client did to one record, and what he was told.
type act struct {
	record int
	what   string     // read, write, rewind
	value  string     // written or read; no value is written twice
	seq    record.Seq // told; of a rewind, the last that is left; 0: not told
	lost   bool       // the author was told that another value stands
	again  bool       // it had been judged before
	answer bool       // there was one; what a write without one has done, if anything, shows later
}

func (a act) String() string {
	text := fmt.Sprintf("record %d: %s %s", a.record, a.what, a.value)
	switch {
	case a.what == "write" && !a.answer:
		return text + ", no answer"
	case a.lost:
		text += ", another value stands"
	case a.again:
		text += ", judged before"
	}
	return fmt.Sprintf("%s, seq %d", text, a.seq)
}

// state is a record as a register: the values that it had, the last of which
// stands.
type state []stood

// stood is one of them. The seq of what nobody was told of is 0 until somebody
// reads it; a write that lost moves the seq, and leaves the value.
type stood struct {
	value string
	seq   record.Seq
	by    string // the value that was written, if it stands
}

func (s state) top() stood { return s[len(s)-1] }

// known is the last seq that is known.
func (s state) known() record.Seq {
	for _, v := range slices.Backward(s) {
		if v.seq > 0 {
			return v.seq
		}
	}
	return 0
}

func (s state) plus(v stood) state { return append(slices.Clip(s), v) }

// numbered is the state in which the seq of one value is known.
func (s state) numbered(i int, seq record.Seq) []any {
	switch {
	case s[i].seq == seq:
		return []any{s}
	case s[i].seq > 0 || seq <= s[:i].known():
		return nil
	}
	s = slices.Clone(s)
	s[i].seq = seq
	return []any{s}
}

// step is what may be after an act; nothing if it cannot have been.
func (s state) step(a act) []any {
	at := slices.IndexFunc(s, func(v stood) bool { return v.by == a.value })
	moved := s.plus(stood{value: s.top().value, seq: a.seq})
	switch {
	case a.what == "read":
		if s.top().value != a.value {
			return nil
		}
		return s.numbered(len(s)-1, a.seq)
	case a.what == "rewind":
		return s.rewound(a.seq)
	case !a.answer && at >= 0:
		return []any{s}
	case !a.answer: // it has not arrived, or stands, or lost
		return []any{s, s.plus(stood{value: a.value, by: a.value}), moved}
	case a.again && at >= 0:
		return s.numbered(at, a.seq)
	case a.again && a.lost:
		return []any{s}
	case a.again || at >= 0 || a.seq <= s.known():
		return nil
	case a.lost:
		return []any{s, moved}
	}
	return []any{s.plus(stood{value: a.value, seq: a.seq, by: a.value})}
}

// rewound is what may be left of a log of which everything up to a place is.
func (s state) rewound(last record.Seq) (left []any) {
	gone := func(v stood) bool { return v.seq > last }
	kept := func(v stood) bool { return v.seq > 0 && v.seq <= last }
	for n := range s {
		if n++; !slices.ContainsFunc(s[:n], gone) && !slices.ContainsFunc(s[n:], kept) {
			left = append(left, s[:n])
		}
	}
	return left
}

// What porcupine must find, and what it must let pass.
func TestRegister(t *testing.T) {
	t.Parallel()

	write := func(v string, seq record.Seq) act { return act{what: "write", value: v, seq: seq, answer: true} }
	read := func(v string, seq record.Seq) act { return act{what: "read", value: v, seq: seq, answer: true} }
	silent := func(v string) act { return act{what: "write", value: v} }
	again := func(v string, seq record.Seq) act {
		return act{what: "write", value: v, seq: seq, answer: true, again: true}
	}
	rewind := act{what: "rewind", seq: 5}
	for name, c := range map[string]struct {
		acts []act // one after the other, but that what has no answer never ends
		ok   bool
	}{
		"one after the other":              {[]act{write("a", 2), read("a", 2), write("b", 3), read("b", 3)}, true},
		"an acknowledged write is lost":    {[]act{write("a", 2), read("0", 1)}, false},
		"a reader goes back":               {[]act{silent("a"), read("a", 2), read("0", 1)}, false},
		"a repeat counts twice":            {[]act{write("a", 2), write("b", 3), read("b", 3), read("a", 4)}, false},
		"a repeat is judged twice":         {[]act{silent("a"), read("a", 2), write("a", 3)}, false},
		"a repeat has its first verdict":   {[]act{silent("a"), write("b", 3), again("a", 2), read("b", 3)}, true},
		"and not another":                  {[]act{silent("a"), read("a", 2), write("b", 3), again("a", 4)}, false},
		"no answer, and not there":         {[]act{silent("a"), read("0", 1), write("b", 2)}, true},
		"no answer, there late":            {[]act{silent("a"), read("0", 1), read("a", 2)}, true},
		"a seq is given out twice":         {[]act{write("a", 2), write("b", 2)}, false},
		"lost to another, and said so":     {[]act{write("a", 2), {what: "write", value: "b", seq: 3, lost: true, answer: true}, read("a", 3)}, true},
		"lost to another without a word":   {[]act{write("a", 2), write("b", 3), read("a", 2)}, false},
		"what was behind the point is off": {[]act{write("a", 5), write("b", 6), rewind, read("a", 5)}, true},
		"what was before it is off, too":   {[]act{write("a", 5), rewind, read("0", 1)}, false},
		"what was behind it is there":      {[]act{write("b", 6), rewind, read("b", 6)}, false},
		"off, and written again":           {[]act{write("a", 6), rewind, read("0", 1), write("a", 9), read("a", 9)}, true},
		"nobody knows where it was":        {[]act{silent("a"), rewind, read("a", 4)}, true},
	} {
		var acts []porcupine.Operation
		for i, a := range c.acts {
			op := porcupine.Operation{Input: a, Call: int64(2 * i), Return: int64(2*i + 1)}
			if !a.answer && a.what == "write" {
				op.Return = never
			}
			acts = append(acts, op)
		}
		found := linearizable([]state{{{value: "0", seq: 1, by: "0"}}}, acts)
		require.Equal(t, c.ok, found == "", "%s\n%s", name, found)
	}
}
