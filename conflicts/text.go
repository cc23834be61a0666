package conflicts

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"roadbook/record"
	"roadbook/record/field"
)

// Text merges what an author made of a text with what it has become since he
// read it: three-way, as diff3 does (Khanna, Kunal and Pierce, "A formal
// investigation of diff3", 2007), line by line, and clause by clause where both
// have changed the same lines, because a remark in Chinese is often one line
// without a space. base is the text as it was on his screen.
//
// A text remembers whose writes have come into it since somebody knew all of it.
// His own earlier one may be among them: then base is what he typed there.
//
// Law: what one of two has changed and the other has not is as he made it; what
// both have changed is there twice and marked, unless they made the same of it.
// Of two concurrent texts it makes no difference which comes first.
func Text(cur *record.Slot, raw json.RawMessage, base func() (json.RawMessage, error), w *Write) (Verdict, error) {
	into := unread(cur, w)
	if len(into) == 0 {
		cur.Raw, cur.By, cur.Elems, cur.Versions = raw, w.By, nil, nil
		return Took, nil
	}
	was, err := base()
	if err != nil {
		return Kept, err
	}
	out, verdict, err := merge(was, cur, raw, last(into), w)
	if err == nil && verdict != Lost {
		cur.Raw, cur.By, cur.Elems = out, w.By, []record.Elem{{Adds: append(into, w.By)}}
	}
	return verdict, err
}

// unread are the writes that have come into a text and that an author had not
// read.
func unread(cur *record.Slot, w *Write) (out []record.Writer) {
	all := []record.Writer{cur.By}
	if len(cur.Elems) > 0 {
		all = cur.Elems[0].Adds
	}
	for _, o := range all {
		if !w.Covers(o) {
			out = append(out, o)
		}
	}
	return out
}

func last(all []record.Writer) record.Writer { return slices.MaxFunc(all, Compare) }

func merge(was json.RawMessage, cur *record.Slot, raw json.RawMessage, by record.Writer, w *Write) (json.RawMessage, Verdict, error) {
	if sameValue(cur.Raw, raw) {
		return cur.Raw, Agreed, nil
	}
	var texts [3]string
	for i, r := range []json.RawMessage{was, cur.Raw, raw} {
		var err error
		if texts[i], err = plainText(r); err != nil {
			return nil, Kept, err
		}
	}
	a, b := texts[1], texts[2]
	if Compare(by, w.By) > 0 {
		a, b = b, a
	}
	merged, clean := MergeText(texts[0], a, b)
	out := json.RawMessage("null")
	if merged != "" {
		out = record.AppendString(nil, merged)
	}
	switch {
	case len(merged) > field.MaxTextBytes && Compare(by, w.By) > 0: // both are whole in history, and a person is asked
		return nil, Lost, nil
	case len(merged) > field.MaxTextBytes:
		return raw, Beat, nil
	case !clean:
		return out, Marked, nil
	}
	return out, Merged, nil
}

func plainText(raw json.RawMessage) (text string, err error) {
	if !record.IsNull(raw) {
		if err = json.Unmarshal(raw, &text); err != nil {
			err = errors.New("must be text")
		}
	}
	return text, err
}

// What stands before each of two versions of the same place.
const (
	firstMark  = "【1】"
	secondMark = "【2】"
)

// MergeText merges two texts that come from the same one; a is the older of
// them. It is clean if nowhere both have changed the same. Line ends become \n.
func MergeText(base, a, b string) (merged string, clean bool) {
	clean = true
	lines := mergeTokens(lines(base), lines(a), lines(b), func(base, a, b []string) []string {
		if len(a) == 0 || len(b) == 0 { // one has taken away what the other has changed
			clean = false
			return slices.Concat(a, b)
		}
		clauses := mergeTokens(clauses(base), clauses(a), clauses(b), func(_, a, b []string) []string {
			clean = false
			if len(a) == 0 || len(b) == 0 {
				return slices.Concat(a, b)
			}
			return []string{firstMark, strings.Join(a, ""), secondMark, strings.Join(b, "")}
		})
		return []string{strings.Join(clauses, "")}
	})
	return strings.Join(lines, "\n"), clean
}

// lines are the lines of a text; an empty one has none.
func lines(text string) []string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// clauses cuts lines into what stands between punctuation, and that. A mark is one
// too: who goes on with his own version replaces that and not both.
func clauses(lines []string) (out []string) {
	text := strings.Join(lines, "\n")
	begun := 0
	for at := 0; at < len(text); {
		cut := punctuation(text[at:])
		if cut == 0 {
			_, size := utf8.DecodeRuneInString(text[at:])
			at += size
			continue
		}
		if begun < at {
			out = append(out, text[begun:at])
		}
		out = append(out, text[at:at+cut])
		at += cut
		begun = at
	}
	if begun < len(text) {
		out = append(out, text[begun:])
	}
	return out
}

// punctuation is how long what a text begins with is, 0 if it is none.
func punctuation(text string) int {
	for _, mark := range []string{firstMark, secondMark} {
		if strings.HasPrefix(text, mark) {
			return len(mark)
		}
	}
	if c, size := utf8.DecodeRuneInString(text); strings.ContainsRune("\n。！？；：，、,.!?;:()（） ", c) {
		return size
	}
	return 0
}

// mergeTokens merges two lists that come from the same one. Where both have
// changed the same of it, both says what becomes of that.
func mergeTokens(base, a, b []string, both func(base, a, b []string) []string) (out []string) {
	left, right := changes(base, a), changes(base, b)
	at := 0
	for len(left) > 0 || len(right) > 0 {
		var next change
		switch {
		case len(right) == 0 || len(left) > 0 && left[0].before(right[0]):
			next, left = left[0], left[1:]
		case len(left) == 0 || right[0].before(left[0]):
			next, right = right[0], right[1:]
		default:
			var g clash
			g, left, right = overlap(left, right)
			out = append(out, base[at:g.from]...)
			at = g.to
			mine, theirs := g.side(base, g.left), g.side(base, g.right)
			switch {
			case slices.Equal(mine, theirs):
				out = append(out, mine...)
			case g.from == g.to: // both have put something in
				out = append(append(out, mine...), theirs...)
			default:
				out = append(out, both(base[g.from:g.to], mine, theirs)...)
			}
			continue
		}
		out = append(append(out, base[at:next.from]...), next.to...)
		at = next.till
	}
	return append(out, base[at:]...)
}

// change is a stretch of a list that has become another; where it is empty,
// something was put in.
type change struct {
	from, till int
	to         []string
}

// before reports whether all of c stands before all of o. Two that put something
// in at the same place do not, nor does one that overlaps.
func (c change) before(o change) bool {
	return c.till <= o.from && (c.from < c.till || o.from < o.till || c.till < o.from)
}

// clash is a stretch in which the changes of both sides overlap.
type clash struct {
	from, to    int
	left, right []change
}

// overlap takes the changes of both sides that overlap, one with the next.
func overlap(left, right []change) (g clash, _, _ []change) {
	g = clash{from: min(left[0].from, right[0].from), to: max(left[0].till, right[0].till), left: left[:1], right: right[:1]}
	l, r := 1, 1
	for more := true; more; {
		more = false
		if l < len(left) && left[l].from < g.to {
			l, more = l+1, true
			g.to = max(g.to, left[l-1].till)
		}
		if r < len(right) && right[r].from < g.to {
			r, more = r+1, true
			g.to = max(g.to, right[r-1].till)
		}
	}
	g.left, g.right = left[:l], right[:r]
	return g, left[l:], right[r:]
}

// side is what one side has made of the stretch.
func (g clash) side(base []string, all []change) (out []string) {
	at := g.from
	for _, c := range all {
		out = append(append(out, base[at:c.from]...), c.to...)
		at = c.till
	}
	return append(out, base[at:g.to]...)
}
