package conflicts

import (
	"cmp"
	"encoding/json"
	"slices"

	"roadbook/record"
	"roadbook/record/field"
)

// row is one row of a list, taken apart.
type row struct {
	id   string
	pos  string
	cols record.Values // without the position, sorted by name
}

// rowsOf takes a checked list apart.
func rowsOf(raw json.RawMessage) ([]row, error) {
	if record.IsNull(raw) {
		return nil, nil
	}
	list, err := record.ParseList(raw)
	if err != nil {
		return nil, err
	}
	out := make([]row, len(list))
	for i, one := range list {
		cols, err := record.ParseValues(one)
		if err != nil {
			return nil, err
		}
		out[i].id = cols.Text("id")
		if pos := cols.Text(field.Position); field.IsPosition(pos) {
			out[i].pos = pos
		}
		out[i].cols = slices.DeleteFunc(cols, func(v record.Value) bool { return v.Field == field.Position })
	}
	return out, nil
}

// listed puts rows together again, in their order, each with its position.
func listed(rows []row) json.RawMessage {
	out := []byte{'['}
	for i, r := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		cols := append(slices.Clone(r.cols), record.Value{Field: field.Position, Raw: record.AppendString(nil, r.pos)})
		slices.SortFunc(cols, func(a, b record.Value) int { return cmp.Compare(a.Field, b.Field) })
		out = cols.AppendJSON(out)
	}
	return append(out, ']')
}

func rowBy(rows []row, id string) *row {
	for i := range rows {
		if rows[i].id == id {
			return &rows[i]
		}
	}
	return nil
}

// says reports whether two rows say the same, wherever they stand.
func (r *row) says(o *row) bool {
	return slices.EqualFunc(r.cols, o.cols, func(a, b record.Value) bool { return a.Field == b.Field && sameValue(a.Raw, b.Raw) })
}

func byPosition(a, b row) int { return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.id, b.id)) }

// placed gives rows positions that say the order in which they stand. Those that
// stand in order already keep theirs, so that who moves one row changes that and
// no other.
func placed(rows []row) []row {
	out := slices.Clone(rows)
	keep := inOrder(out)
	last, full := "", false
	for i := 0; i < len(out); {
		if keep[i] {
			last = out[i].pos
			i++
			continue
		}
		till := i
		for till < len(out) && !keep[till] {
			till++
		}
		next := ""
		if till < len(out) {
			next = out[till].pos
		}
		full = full || !between(out[i:till], last, next)
		last = out[till-1].pos
		i = till
	}
	if full || !slices.Contains(keep, true) {
		for i := range out {
			out[i].pos = field.Spread(i, len(out), out[i].id)
		}
	}
	return out
}

// between gives rows positions after one and before another: the one in the
// middle first, so that they stay short. It reports whether there was room.
func between(rows []row, after, before string) bool {
	if len(rows) == 0 {
		return true
	}
	mid := len(rows) / 2
	if before == "" {
		mid = 0 // at the end there is room
	}
	rows[mid].pos = field.Between(after, before, rows[mid].id)
	return rows[mid].pos != "" && between(rows[:mid], after, rows[mid].pos) && between(rows[mid+1:], rows[mid].pos, before)
}

// inOrder are the most rows whose positions say that they stand as they do: a
// longest increasing subsequence.
func inOrder(rows []row) []bool {
	longest, before := make([]int, len(rows)), make([]int, len(rows))
	end := -1
	for i := range rows {
		before[i] = -1
		if rows[i].pos == "" {
			continue
		}
		longest[i] = 1
		for j := range i {
			if longest[j] >= longest[i] && byPosition(rows[j], rows[i]) < 0 {
				longest[i], before[i] = longest[j]+1, j
			}
		}
		if end < 0 || longest[i] > longest[end] {
			end = i
		}
	}
	keep := make([]bool, len(rows))
	for ; end >= 0; end = before[end] {
		keep[end] = true
	}
	return keep
}
