package field

import (
	"encoding/json"
	"errors"
	"fmt"
)

// MaxMapBytes is how long the value of one key may be in canonical form: an
// answer of a form, not a document.
const MaxMapBytes = 8 << 10

var (
	errMapNull  = errors.New("must be a value; leave it out to clear it")
	errMapLong  = fmt.Errorf("must be at most %d KiB long", MaxMapBytes>>10)
	errMapLists = errors.New("must be a list of plain values, without lists or objects in it")
)

// mapValue is the type map: the value of one key, which merges like a field of
// its own. It is a text, a number, yes or no, a list of such, or a small object.
type mapValue struct{}

// Check returns the value compact, the members of objects sorted by name.
func (mapValue) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	raw = trim(raw)
	switch {
	case !json.Valid(raw):
		return nil, errJSON
	case string(raw) == "null":
		return nil, errMapNull
	case raw[0] == '[' && !scalars(elements(raw)):
		return nil, errMapLists
	}
	checked, err := canonical(raw)
	if err != nil {
		return nil, err
	}
	if len(checked) > MaxMapBytes {
		return nil, errMapLong
	}
	return checked, nil
}

// scalars reports whether no element is a list or an object.
func scalars(elements [][]byte) bool {
	for _, e := range elements {
		if e[0] == '[' || e[0] == '{' {
			return false
		}
	}
	return true
}
