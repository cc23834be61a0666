package field

import "encoding/json"

// user names a person by the id of his record.
type user struct{}

// Check returns the id in lower case.
func (user) Check(spec Spec, raw json.RawMessage) (json.RawMessage, error) {
	return reference{to: "person"}.Check(spec, raw)
}
