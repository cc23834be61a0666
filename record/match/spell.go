package match

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// spellings bring a value into the one form in which it is compared; "" tells
// nothing.
var spellings = map[string]func(r *Rules, value string) string{
	"text":    func(_ *Rules, v string) string { return strings.Join(words(v), "") },
	"company": (*Rules).company,
	"phone":   (*Rules).phone,
	"code":    func(_ *Rules, v string) string { return code(v) },
}

// Spell brings a value into the form in which it is compared. Doing it twice
// changes nothing.
func (r *Rules) Spell(how, value string) string {
	spell := spellings[how]
	if spell == nil {
		return ""
	}
	for range 4 { // what is left may compose anew once a space between has gone
		again := spell(r, value)
		if again == value {
			break
		}
		value = again
	}
	return value
}

// fold takes away what only looks different: full and half width, composed and
// not, case.
func fold(s string) string {
	for range 3 { // a small letter may fall apart anew
		folded := norm.NFKC.String(strings.ToLower(norm.NFKC.String(s)))
		if folded == s {
			break
		}
		s = folded
	}
	return s
}

// words cuts a text at everything that is neither a letter nor a digit.
func words(s string) []string {
	return strings.FieldsFunc(fold(s), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsNumber(c) && !unicode.IsMark(c) })
}

// form is a legal form in its spelling.
type form struct {
	words  []string
	joined string // if it is Chinese, and so not set apart
}

func (r *Rules) forms() []form {
	r.spelled.Do(func() {
		for _, text := range r.Forms {
			f := form{words: words(text)}
			if joined := strings.Join(f.words, ""); isHan(joined) {
				f.joined = joined
			}
			r.cut = append(r.cut, f)
		}
	})
	return r.cut
}

// company is a name without its legal form. A form in words that are set apart
// goes only as whole words, or Zinc would lose its inc; a Chinese one is not set
// apart from the name before it.
func (r *Rules) company(name string) string {
	parts := words(name)
	for shorter := true; shorter; {
		shorter = false
		for _, f := range r.forms() {
			if at := len(parts) - len(f.words); at > 0 && len(f.words) > 0 && slices.Equal(parts[at:], f.words) {
				parts, shorter = parts[:at], true
			}
		}
	}
	joined := strings.Join(parts, "")
	for shorter := true; shorter; {
		shorter = false
		for _, f := range r.forms() {
			if left, cut := strings.CutSuffix(joined, f.joined); cut && left != "" && f.joined != "" {
				joined, shorter = left, true
			}
		}
	}
	return joined
}

func isHan(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return !unicode.Is(unicode.Han, c) })
}

// The fewest signs of a number that tell: an extension or a service number is
// everybody's, and no register gives out a shorter code.
const (
	minPhone = 6
	minCode  = 8
)

// phone is a number as it is dialled within the country, without the trunk's
// zero; one from abroad begins with a plus.
func (r *Rules) phone(number string) string {
	number = fold(number)
	digits, abroad := onlyDigits(number), strings.HasPrefix(strings.TrimLeft(number, "( "), "+")
	for {
		rest, own := strings.CutPrefix(digits, r.Country)
		own = own && r.Country != ""
		switch {
		case strings.HasPrefix(digits, "00"):
			digits, abroad = digits[2:], true
		case abroad && own:
			digits, abroad = rest, false
		case abroad:
			return ifTells("+"+digits, digits, minPhone)
		case own && len(rest) == mobile && rest[0] == '1':
			digits = rest // the country without a sign that it is one
		case strings.HasPrefix(digits, "0"):
			digits = digits[1:]
		default:
			return ifTells(digits, digits, minPhone)
		}
	}
}

// mobile is how many digits a mobile number of the country has.
const mobile = 11

func onlyDigits(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, s)
}

// code is a number of a register: its letters and digits.
func code(s string) string {
	s = strings.Join(words(s), "")
	return ifTells(s, s, minCode)
}

// ifTells is a value, unless it is too short, or one sign over and over: what
// people type into a field that must be filled.
func ifTells(value, signs string, least int) string {
	if len(signs) < least || strings.Count(signs, signs[:1]) == len(signs) {
		return ""
	}
	return value
}
