package field

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// maxChoicesShown is how many bytes of choices an error lists.
const maxChoicesShown = 120

var errNotChoice = errors.New("must be one of the choices offered")

// choice is one of the values that the schema lists, spelled as there.
type choice struct{}

// Check returns the choice, which must be one of spec.Choices.
func (choice) Check(spec Spec, raw json.RawMessage) (json.RawMessage, error) {
	body, plain, err := unquote(raw)
	if err != nil || !slices.Contains(spec.Choices, string(body)) {
		return nil, choiceError(spec.Choices)
	}
	if plain {
		return trim(raw), nil
	}
	return quote(body), nil
}

// choiceError lists the choices if they are few.
func choiceError(choices []string) error {
	list := strings.Join(choices, ", ")
	if list == "" || len(list) > maxChoicesShown {
		return errNotChoice
	}
	return errors.New("must be one of: " + list)
}
