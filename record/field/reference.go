package field

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"

	"github.com/google/uuid"
)

// uuidBytes is the length of the one spelling of a UUID that travels.
const uuidBytes = 36

// reference names a record by its id. Whether there is such a record, of that
// kind and visible to the author, is for the caller to see.
type reference struct {
	to string // what it names, if the schema cannot say otherwise
}

// Check returns the id in lower case. The nil UUID names nothing and is refused.
func (r reference) Check(spec Spec, raw json.RawMessage) (json.RawMessage, error) {
	body, plain, err := unquote(raw)
	if err != nil || len(body) != uuidBytes {
		return nil, r.problem(spec)
	}
	id, err := uuid.ParseBytes(body)
	if err != nil || id == uuid.Nil {
		return nil, r.problem(spec)
	}
	if plain && !bytes.ContainsAny(body, "ABCDEF") {
		return trim(raw), nil
	}
	return quote(bytes.ToLower(body)), nil
}

func (r reference) problem(spec Spec) error {
	what := cmp.Or(r.to, spec.To, "record")
	return errors.New("must be the id of one " + what + ", a UUID of 36 characters")
}
