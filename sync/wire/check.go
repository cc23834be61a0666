package wire

import "unicode/utf8"

// maxExact bounds whole numbers that travel as JSON numbers: JavaScript counts
// exactly below 2^53.
const maxExact = 1 << 53

// check reports in what way text from outside is not the JSON that we take, or
// "" if it is. It is stricter than encoding/json: text must be UTF-8, with no
// half characters and no NUL (PostgreSQL stores neither), and nesting has an
// end. What has passed may be cut and copied without another look, so every
// other function here that takes checked text trusts it. Names that stand
// twice are found by those who cut.
func check(b []byte, maxBytes int) (code string) {
	if len(b) > maxBytes {
		return codeSize
	}
	if !utf8.Valid(b) {
		return codeUTF8
	}
	k := checker{b: b}
	end := k.value(space(b, 0), MaxDepth)
	if end >= 0 && space(b, end) != len(b) {
		return codeMalformed
	}
	return k.code
}

// checker walks JSON text. Its methods take the index where something starts
// and return the index after it, or -1 with a code.
type checker struct {
	b    []byte
	code string
}

func (k *checker) fail(code string) int {
	k.code = code
	return -1
}

// value checks one value with at most depth levels of nesting.
func (k *checker) value(i, depth int) int {
	if i >= len(k.b) {
		return k.fail(codeMalformed)
	}
	switch c := k.b[i]; c {
	case '"':
		return k.text(i)
	case '{', '[':
		if depth == 0 {
			return k.fail(codeDeep)
		}
		if c == '{' {
			return k.object(i, depth-1)
		}
		return k.list(i, depth-1)
	case 't':
		return k.word(i, "true")
	case 'f':
		return k.word(i, "false")
	case 'n':
		return k.word(i, "null")
	}
	return k.number(i)
}

func (k *checker) object(i, depth int) int {
	if i = space(k.b, i+1); k.at(i, '}') {
		return i + 1
	}
	for {
		if !k.at(i, '"') {
			return k.fail(codeMalformed)
		}
		if i = k.text(i); i < 0 {
			return -1
		}
		if i = space(k.b, i); !k.at(i, ':') {
			return k.fail(codeMalformed)
		}
		if i = k.value(space(k.b, i+1), depth); i < 0 {
			return -1
		}
		if i = space(k.b, i); k.at(i, '}') {
			return i + 1
		}
		if !k.at(i, ',') {
			return k.fail(codeMalformed)
		}
		i = space(k.b, i+1)
	}
}

func (k *checker) list(i, depth int) int {
	if i = space(k.b, i+1); k.at(i, ']') {
		return i + 1
	}
	for {
		if i = k.value(i, depth); i < 0 {
			return -1
		}
		if i = space(k.b, i); k.at(i, ']') {
			return i + 1
		}
		if !k.at(i, ',') {
			return k.fail(codeMalformed)
		}
		i = space(k.b, i+1)
	}
}

func (k *checker) text(i int) int {
	for i++; i < len(k.b); i++ {
		c := k.b[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		switch c {
		case '"':
			return i + 1
		case '\\':
			if i = k.escape(i); i < 0 {
				return -1
			}
		case 0:
			return k.fail(codeNUL)
		default:
			return k.fail(codeMalformed)
		}
	}
	return k.fail(codeMalformed)
}

// escape checks the escape whose backslash is at i and returns the index of
// its last byte.
func (k *checker) escape(i int) int {
	if i+1 >= len(k.b) {
		return k.fail(codeMalformed)
	}
	switch k.b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	}
	unit := codeUnit(k.b, i)
	switch {
	case unit < 0:
		return k.fail(codeMalformed)
	case unit == 0:
		return k.fail(codeNUL)
	case unit < 0xd800 || unit > 0xdfff:
		return i + 5
	}
	if low := codeUnit(k.b, i+6); unit > 0xdbff || low < 0xdc00 || low > 0xdfff {
		return k.fail(codeSurrogate)
	}
	return i + 11
}

// codeUnit is the number in the escape \uXXXX at i, or -1.
func codeUnit(b []byte, i int) rune {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return -1
	}
	var unit rune
	for _, c := range b[i+2 : i+6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		unit = unit<<4 | rune(c)
	}
	return unit
}

func (k *checker) number(i int) int {
	if k.at(i, '-') {
		i++
	}
	if k.at(i, '0') {
		i++
	} else if i = k.digits(i); i < 0 {
		return -1
	}
	if k.at(i, '.') {
		if i = k.digits(i + 1); i < 0 {
			return -1
		}
	}
	if k.at(i, 'e') || k.at(i, 'E') {
		if i++; k.at(i, '+') || k.at(i, '-') {
			i++
		}
		return k.digits(i)
	}
	return i
}

// digits checks that there is at least one.
func (k *checker) digits(i int) int {
	start := i
	for i < len(k.b) && k.b[i] >= '0' && k.b[i] <= '9' {
		i++
	}
	if i == start {
		return k.fail(codeMalformed)
	}
	return i
}

func (k *checker) word(i int, word string) int {
	if len(k.b)-i < len(word) || string(k.b[i:i+len(word)]) != word {
		return k.fail(codeMalformed)
	}
	return i + len(word)
}

func (k *checker) at(i int, c byte) bool { return i < len(k.b) && k.b[i] == c }

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}
