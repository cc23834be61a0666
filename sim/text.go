package sim

import (
	"encoding/json"
	"regexp"
	"slices"
)

// A long text has the words of all who have written into it, but for those that
// somebody took out who had them on his screen.

// word is what somebody types; nobody ever types it again.
var word = regexp.MustCompile(`v[0-9]+[a-z]?`)

func wordsOf(raw json.RawMessage) []string {
	words := word.FindAllString(string(raw), -1)
	slices.Sort(words)
	return slices.Compact(words)
}

// saysWords notes whose the words are that nobody had typed before.
func (w *World) saysWords(t *typing, raw json.RawMessage) {
	for _, word := range wordsOf(raw) {
		if w.said[word] == nil {
			w.said[word] = t
		}
	}
}

// writesText follows a text through its history: what its author took out, and
// what he put in. What he left as it was is as others have it. His own words
// count as known to him, also where he could not see them because the field was
// hidden from him for a while. Who takes out a line that somebody else has changed
// meanwhile is told, and it stays.
func (r *replay) writesText(row *logRow, at place, raw json.RawMessage) {
	had, has, told := r.hadWords(r.w.typed[row.id], at), wordsOf(raw), row.told(at)
	now := slices.DeleteFunc(slices.Clone(r.words[at]), func(w string) bool {
		if slices.Contains(has, w) {
			return false
		}
		by := r.w.said[w]
		own := by != nil && r.own(r.dots[row.id], r.dots[by.id])
		saw := slices.Contains(had, w)
		if saw && told || own && !saw {
			r.doubted[at] = append(r.doubted[at], w)
		}
		return own || saw
	})
	for _, w := range has {
		if !slices.Contains(had, w) && !r.replaced[at][w] {
			now = append(now, w)
		}
	}
	for _, w := range had {
		if !slices.Contains(has, w) && r.w.life > 0 {
			r.replaces(at, w)
		}
	}
	slices.Sort(now)
	r.words[at] = slices.Compact(now)
}

// replaces notes that somebody has taken out a word that he had on his screen. What
// has brought it may come only now: it was parked.
func (r *replay) replaces(at place, word string) {
	if r.replaced[at] == nil {
		r.replaced[at] = map[string]bool{}
	}
	r.replaced[at][word] = true
}

// hadWords are those that an author had on his screen, and those that had been
// replaced by what he had there: if what replaced them is lost with a server and
// a phone, they are replaced by his.
func (r *replay) hadWords(t *typing, at place) []string {
	had := slices.Clone(t.words[at])
	for by := t.over[at]; by != nil && r.w.life > 0; by = by.over[at] {
		had = append(had, by.words[at]...)
	}
	return had
}

// checkText compares a text with what was written into it.
func (r *replay) checkText(at place, rec *row) {
	has := wordsOf(rec.fields.Get(at.field))
	for _, w := range r.words[at] {
		if !slices.Contains(has, w) {
			r.w.finds("%s has lost %s: it is %q", at, w, rec.fields.Get(at.field))
		}
	}
	for _, w := range has {
		if !slices.Contains(r.words[at], w) && !slices.Contains(r.doubted[at], w) && r.w.life == 0 {
			r.w.finds("%s has %s again, which somebody had replaced: it is %q", at, w, rec.fields.Get(at.field))
		}
	}
}
