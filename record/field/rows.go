package field

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Limits of a list of rows.
const (
	MaxRows       = 200      // lines of one quote; a longer list is records of its own
	MaxRowMembers = 50       // columns, the id among them; its position, which the server adds, is none
	MaxRowsBytes  = 64 << 10 // of the whole list in canonical form, like a text
)

var (
	errNotRows    = errors.New("must be a list of rows, each an object with an id")
	errRowsMany   = fmt.Errorf("must have at most %d rows", MaxRows)
	errRowsLong   = fmt.Errorf("must be at most %d KiB in all; use fewer or shorter rows", MaxRowsBytes>>10)
	errRowWide    = fmt.Errorf("must have at most %d members", MaxRowMembers)
	errRowID      = errors.New("must have an id, a UUID of 36 characters")
	errRowTwice   = errors.New("must have an id that no other row has")
	errRowMembers = errors.New("must hold text, numbers, yes or no, or objects, but no lists")
)

// rows is a list of child rows that are no records of their own: the products
// of an opportunity, a checklist. Each row has an id, by which it is merged.
// Their order is kept as it came. Of a list that is merged row by row the server
// remembers it in a member of each row, its position.
type rows struct{}

// Position is the member of a row that says where it stands.
const Position = "pos"

// Check returns the rows compact, the members of each sorted by name.
func (rows) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	raw = trim(raw)
	if !opens(raw, '[') {
		return nil, errNotRows
	}
	list := elements(raw)
	if len(list) > MaxRows {
		return nil, errRowsMany
	}
	ids := make(map[string]bool, len(list))
	b := append(make([]byte, 0, len(raw)), '[')
	for i, row := range list {
		if i > 0 {
			b = append(b, ',')
		}
		checked, err := checkRow(row, ids)
		if err != nil {
			return nil, fmt.Errorf("row %d %w", i+1, err)
		}
		b = append(b, checked...)
	}
	if b = append(b, ']'); len(b) > MaxRowsBytes {
		return nil, errRowsLong
	}
	return b, nil
}

// checkRow checks one row and notes its id.
func checkRow(raw json.RawMessage, ids map[string]bool) (json.RawMessage, error) {
	if raw[0] != '{' {
		return nil, errRowID
	}
	ms, err := members(raw)
	if err != nil {
		return nil, err
	}
	id, columns := "", 0
	for i, m := range ms {
		if m.name != Position {
			columns++
		}
		switch {
		case m.name == "id":
			if ms[i].raw, err = (reference{}).Check(Spec{}, m.raw); err != nil {
				return nil, errRowID
			}
			id = string(ms[i].raw)
		case m.raw[0] == '[':
			return nil, errRowMembers
		}
	}
	switch {
	case columns > MaxRowMembers:
		return nil, errRowWide
	case id == "":
		return nil, errRowID
	}
	if ids[id] {
		return nil, errRowTwice
	}
	ids[id] = true
	return appendMembers(nil, ms, MaxDepth-2)
}
