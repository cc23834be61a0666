package field

import (
	"encoding/json"
	"errors"
)

var errNotBool = errors.New("must be true or false")

// boolean is yes or no. Words and numbers that might mean it are refused: the
// importer, who knows the language, turns them into one or the other.
type boolean struct{}

// Check returns true or false.
func (boolean) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	raw = trim(raw)
	if s := string(raw); s != "true" && s != "false" {
		return nil, errNotBool
	}
	return raw, nil
}
