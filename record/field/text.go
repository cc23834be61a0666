package field

import (
	"encoding/json"
	"fmt"
)

// MaxTextBytes is how long a text may be, in bytes of UTF-8: twenty thousand
// Chinese characters, and three such texts still fit one record.
const MaxTextBytes = 64 << 10

var errTextLong = fmt.Errorf("must be at most %d KiB long; attach a longer text as a file", MaxTextBytes>>10)

// text is anything a person writes, empty text too. It is stored as typed:
// neither trimmed nor otherwise tidied, because it is merged line by line.
type text struct{}

// Check returns the text with the fewest escapes.
func (text) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	body, plain, err := unquote(raw)
	switch {
	case err != nil:
		return nil, err
	case len(body) > MaxTextBytes:
		return nil, errTextLong
	case plain:
		return trim(raw), nil
	}
	return quote(body), nil
}
