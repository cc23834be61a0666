package field

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// MaxKeyRunes is how many characters of a text its key has: what fits a column
// of a list. A longer text goes on with a sign that sorts after all others, so
// that it is the key of no text of that length.
const MaxKeyRunes = 64

// cut stands for the rest of a text.
const cut = "\U0010FFFF"

// keyed are the types whose values have a key.
var keyed = map[string]func(json.RawMessage) (string, error){
	"text": textKey, "choice": textKey, "multi_choice": textKey, "tags": textKey, "reference": textKey, "user": textKey,
	"phone": textKey, "email": textKey, "url": textKey, "date": textKey,
	"number": numberKey, "decimal": decimalKey, "money": moneyKey, "bool": boolKey, "datetime": instantKey, "evidence": evidenceKey,
}

// HasKey reports whether values of a type can be looked up by.
func HasKey(typeName string) bool { return keyed[typeName] != nil }

// Key is a canonical value, or an element of a set, as text that sorts by its
// bytes as the values do: what lists are filtered and sorted by. Amounts go by
// their number whatever the currency; evidence goes by its time.
func Key(typeName string, raw json.RawMessage) (string, error) {
	key := keyed[typeName]
	if key == nil {
		return "", fmt.Errorf("field: values of type %s have no order", clip(typeName))
	}
	return key(raw)
}

// NumberKey is the key of a number for a field of a type that holds numbers.
func NumberKey(typeName, number string) (string, error) {
	if typeName == "money" {
		typeName = "decimal"
	}
	return Key(typeName, json.RawMessage(number))
}

func textKey(raw json.RawMessage) (string, error) {
	s, err := Text(raw)
	if err != nil || len(s) <= MaxKeyRunes || utf8.RuneCountInString(s) <= MaxKeyRunes {
		return s, err
	}
	runes := 0
	for i := range s {
		if runes == MaxKeyRunes {
			return s[:i] + cut, nil
		}
		runes++
	}
	return s, nil
}

// numberKey is the bits of the double, turned so that they sort.
func numberKey(raw json.RawMessage) (string, error) {
	x, err := parseNumber(raw)
	if err != nil {
		return "", err
	}
	bits := math.Float64bits(x)
	if x == 0 {
		bits = 0 // and not -0
	}
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return fmt.Sprintf("%016x", bits), nil
}

func decimalKey(raw json.RawMessage) (string, error) {
	q, err := parseQuantity(raw)
	if err != nil {
		return "", err
	}
	return q.key()
}

// key is all digits that there can be; of what is below zero each is turned
// round.
func (q quantity) key() (string, error) {
	if len(q.part) > MaxFractionDigits {
		return "", errDecimalFine
	}
	digits := strings.Repeat("0", MaxWholeDigits-len(q.whole)) + q.whole + q.part + strings.Repeat("0", MaxFractionDigits-len(q.part))
	if !q.neg {
		return "1" + digits, nil
	}
	turned := []byte(digits)
	for i, c := range turned {
		turned[i] = '9' - (c - '0')
	}
	return "0" + string(turned), nil
}

func moneyKey(raw json.RawMessage) (string, error) {
	q, _, err := readMoney(raw)
	if err != nil {
		return "", err
	}
	return q.key()
}

func boolKey(raw json.RawMessage) (string, error) {
	raw, err := boolean{}.Check(Spec{}, raw)
	return string(raw), err
}

func instantKey(raw json.RawMessage) (string, error) {
	if spelledInstant(raw) {
		seconds, rest := string(raw[1:20]), string(raw[20:len(raw)-1])
		if rest == "Z" {
			rest = ".000Z"
		}
		return seconds + rest, nil
	}
	t, err := parseInstant(raw)
	if err != nil {
		return "", err
	}
	return t.Format(milliLayout), nil
}

func evidenceKey(raw json.RawMessage) (string, error) {
	given, err := evidenceShape.read(raw)
	if err != nil {
		return "", err
	}
	return instantKey(given[evidenceTime])
}
