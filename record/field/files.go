package field

import "encoding/json"

// files is one element of a set of photos and papers: the id of an attachment,
// which may arrive before or after the record that names it.
type files struct{}

// Check returns the id in lower case.
func (files) Check(spec Spec, raw json.RawMessage) (json.RawMessage, error) {
	return reference{to: "attachment"}.Check(spec, raw)
}
