package sim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Step is one line of a script: who does what, and what chance does to it.
//
//	17 lin types edit a3 name=v17 tags+b ; create c17 contact account=a3 name=v17b
//	18 lin pushes | lose=answer via=2
//
// Its number is its name: the ids and the values that it makes follow from it
// and from nothing else, so that they stay what they were when other lines are
// taken out. A step that does not apply any more is passed over.
type Step struct {
	No   int
	Who  string
	Does string
	Args []string
	With map[string]string
}

func (s Step) String() string {
	parts := append([]string{strconv.Itoa(s.No), s.Who, s.Does}, s.Args...)
	if len(s.With) > 0 {
		parts = append(parts, "|")
		for _, k := range slices.Sorted(maps.Keys(s.With)) {
			parts = append(parts, k+"="+s.With[k])
		}
	}
	return strings.Join(parts, " ")
}

// number is what chance does as a number, 0 if it does nothing.
func (s Step) number(key string) int {
	n, err := strconv.Atoi(s.With[key])
	if err != nil {
		return 0
	}
	return n
}

func parseStep(line string) (Step, error) {
	head, tail, _ := strings.Cut(line, "|")
	words := strings.Fields(head)
	if len(words) < 3 {
		return Step{}, fmt.Errorf("a step is a number, who, and what he does: %q", line)
	}
	no, err := strconv.Atoi(words[0])
	if err != nil || no < 1 {
		return Step{}, fmt.Errorf("a step begins with its number: %q", line)
	}
	s := Step{No: no, Who: words[1], Does: words[2], Args: words[3:]}
	for _, w := range strings.Fields(tail) {
		key, value, found := strings.Cut(w, "=")
		if !found {
			return Step{}, fmt.Errorf("what chance does is key=value: %q", w)
		}
		if s.With == nil {
			s.With = map[string]string{}
		}
		s.With[key] = value
	}
	return s, nil
}

// Script is a history as data: a seed, from which ids and names of replicas
// follow, what becomes of deletes, and the steps.
type Script struct {
	Seed    uint64
	Deletes string // "account=revive contact=cascade"
	Strict  bool   // every step must apply
	Alike   bool   // many customers are the same: they become one, and two again
	Backed  bool   // the servers have a second machine, and say what is safe there
	Steps   []Step
}

// Parse reads a script. Lines that begin with # are remarks.
func Parse(text string) (Script, error) {
	s := Script{Seed: 1}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		var err error
		switch {
		case line == "" || line[0] == '#':
		case word == "seed":
			s.Seed, err = strconv.ParseUint(rest, 10, 64)
		case word == "strict":
			s.Strict = true
		case word == "alike":
			s.Alike = true
		case word == "backed":
			s.Backed = true
		case word == "deletes":
			s.Deletes = rest
		default:
			var step Step
			if step, err = parseStep(line); err == nil {
				s.Steps = append(s.Steps, step)
			}
		}
		if err != nil {
			return s, err
		}
	}
	slices.SortStableFunc(s.Steps, func(a, b Step) int { return cmp.Compare(a.No, b.No) })
	return s, nil
}

func (s Script) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\n", s.Seed)
	if s.Deletes != "" {
		fmt.Fprintf(&b, "deletes %s\n", s.Deletes)
	}
	if s.Alike {
		b.WriteString("alike\n")
	}
	if s.Backed {
		b.WriteString("backed\n")
	}
	if s.Strict {
		b.WriteString("strict\n")
	}
	for _, step := range s.Steps {
		b.WriteString(step.String() + "\n")
	}
	return b.String()
}
