package words

import (
	"cmp"
	"maps"
	"slices"

	"roadbook/errs"
)

// said is one thing in both languages.
type said struct{ en, zh string }

// in returns the text in one of them.
func (s said) in(lang Language) string {
	if lang == Chinese {
		return s.zh
	}
	return s.en
}

// messages say what a code means to a salesperson: what happened, and what to
// do. A new code needs a line in the file of its subject, and TestMessages
// finds those that lack one. The nine kinds stand for errors without a code.
//
// Who hears of a refusal has his typed text still in front of him, so "enter
// it again" is never said lightly.
var messages = together(ofKinds, ofRequests, ofWhatWasSent, ofValues, ofState, ofPeople, ofLists, ofFiles, ofApprovals)

// together makes one table of several. A code has one sentence.
func together(parts ...map[string]said) map[string]said {
	all := map[string]said{}
	for _, part := range parts {
		for code, s := range part {
			if _, twice := all[code]; twice {
				panic("two sentences for the code " + code)
			}
			all[code] = s
		}
	}
	return all
}

// Codes are those that there are sentences for, the nine kinds among them.
func Codes() []string { return slices.Sorted(maps.Keys(messages)) }

// Title names the kind of problem; the sentence says more.
func Title(kind errs.Kind, lang Language) string { return titles[kind].in(lang) }

// Coded is an error that says what its code says.
func Coded(op string, kind errs.Kind, code string) *errs.Error {
	return errs.New(op, kind, "%s", messages[code].en).Coded(code)
}

// sentence is the text of a code in a language; own is what the error says
// itself, in English. That knows more than the text of the code, so it comes
// first in English; in Chinese the code's comes first, and better English than
// nothing.
func sentence(code, own string, lang Language) string {
	if lang == Chinese {
		return cmp.Or(messages[code].zh, own)
	}
	return cmp.Or(own, messages[code].en)
}
