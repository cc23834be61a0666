package sim

import (
	"encoding/json"
	"slices"
	"strings"

	"roadbook/record"
	"roadbook/record/field"
)

// A list has the words of all who have written into it, but for those that
// somebody took out who had them on his screen. A row may still have such words:
// it was edited by somebody who did not know that it had gone.

// withRow is a list as somebody makes it of what is on his screen: "+row:column:word"
// puts a row in at the top, "*row:column:word" types into a column of one that is
// there, "-row" takes it out. It sends no positions: old apps do not know of them.
func (w *World) withRow(list json.RawMessage, sign byte, text string) json.RawMessage {
	name, rest, _ := strings.Cut(text, ":")
	column, word, _ := strings.Cut(rest, ":")
	id := w.derive("row " + name).String()
	rows := []map[string]string{}
	_ = json.Unmarshal(list, &rows) // what is no list has no rows
	at := slices.IndexFunc(rows, func(r map[string]string) bool { return r["id"] == id })
	switch {
	case sign == '+' && at < 0:
		rows = slices.Insert(rows, 0, map[string]string{"id": id, column: word})
	case sign == '-' && at >= 0:
		rows = slices.Delete(rows, at, at+1)
	case sign == '*' && at >= 0:
		rows[at][column] = word
	}
	for _, r := range rows {
		delete(r, field.Position)
	}
	return encode(rows)
}

// writesRows follows a list through its history.
func (r *replay) writesRows(row *logRow, at place, raw json.RawMessage) {
	screen, now := r.w.typed[row.id].words[at], wordsOf(raw)
	r.words[at] = slices.DeleteFunc(r.words[at], func(w string) bool { return slices.Contains(screen, w) && !slices.Contains(now, w) })
	for _, w := range now {
		if !slices.Contains(screen, w) {
			r.words[at] = append(r.words[at], w)
		}
	}
}

// checkRows compares a list with what was written into it.
func (r *replay) checkRows(at place, rec *row) {
	has := wordsOf(rec.fields.Get(at.field))
	for _, w := range r.words[at] {
		if !slices.Contains(has, w) {
			r.w.finds("%s has lost %s: it is %q", at, w, rec.fields.Get(at.field))
		}
	}
}

// isList reports whether a field is merged row by row.
func isList(f *record.Field) bool { return f != nil && f.Policy == record.List }
