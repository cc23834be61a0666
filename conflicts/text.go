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
	into := strangers(standing(cur), w)
	if len(into) == 0 {
		cur.Raw, cur.By, cur.Elems, cur.Versions = raw, w.By, nil, nil
		return Took, nil
	}
	was, err := base()
	if err != nil {
		return Kept, err
	}
	out, verdict, err := merge(was, cur, raw, greatest(into).By, w)
	if err == nil && verdict != Lost {
		cur.Raw, cur.By, cur.Elems = out, w.By, nil
		comeInto(cur, into, w.By)
	}
	return verdict, err
}

// text settles a long text.
func (s *settling) text(f *record.Field, raw json.RawMessage) {
	if s.gone(f) {
		return
	}
	was := s.slot(f)
	verdict, err := Text(s.rec.Put(f.Name), raw, func() (json.RawMessage, error) { return s.base(f) }, s.w)
	if err != nil {
		s.fail("history", f.Name, "what stood here before could not be read")
		return
	}
	s.note(f, was, raw, verdict)
}

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
