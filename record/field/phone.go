package field

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a telephone number.
const (
	MaxPhoneRunes  = 32 // as written, with everything people put between digits
	MinPhoneDigits = 3  // 110
	MaxPhoneDigits = 20 // 15 by E.164, and an extension
)

var errNotPhone = fmt.Errorf(
	"must be one telephone number of %d to %d digits, such as +86 138 0013 8000 or 010-65551234 ext 12",
	MinPhoneDigits, MaxPhoneDigits)

// phone is one telephone number, as it would be dialled: punctuation is gone, a
// leading + and an extension are kept. No country code is added or taken away.
type phone struct{}

// extensions are the ways to write one, all of which become the first.
var extensions = strings.NewReplacer("ext.", "ext", "转", "ext", "轉", "ext")

// Check returns "+8613800138000" for "（+86）138 0013-8000" and
// "01065551234ext12" for "010-65551234 转 12".
func (phone) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	s, err := Text(raw)
	if err != nil {
		return nil, errNotPhone
	}
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > MaxPhoneRunes {
		return nil, errNotPhone
	}
	s = extensions.Replace(strings.ToLower(strings.Map(dialled, s)))
	if !dialable(s) {
		return nil, errNotPhone
	}
	return quote(s), nil
}

// dialled drops what only makes a number easier to read and narrows the wide
// characters of a Chinese keyboard. Format characters go too: numbers copied
// from an address book come wrapped in invisible marks of direction.
func dialled(r rune) rune {
	if r >= '！' && r <= '～' {
		r -= '！' - '!'
	}
	if r == '(' || r == ')' || unicode.In(r, unicode.Zs, unicode.Pd, unicode.Cf) {
		return -1
	}
	return r
}

// dialable reports whether s is a number, perhaps with a + before it and an
// extension behind it.
func dialable(s string) bool {
	s = strings.TrimPrefix(s, "+")
	number, extension, extended := strings.Cut(s, "ext")
	if extended && extension == "" {
		return false
	}
	long := len(number) + len(extension)
	return digits(number) && digits(extension) && len(number) >= MinPhoneDigits && long <= MaxPhoneDigits
}
