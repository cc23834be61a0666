package record

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/google/uuid"
)

// The scan below cuts JSON into raw pieces without decoding them, which is
// what most of a record's life needs: about 1 µs for a record of 20 fields,
// where a map takes 11 µs. It trusts the inside of values, which is how one
// bad value can be told from its neighbours; text from outside is checked
// (sync/wire) before its values are believed. It never panics and its time
// grows with the text, not with its square.

// What can be wrong with the text that is cut.
var (
	ErrNotObject = errors.New("a JSON object was expected")
	ErrNotList   = errors.New("a JSON list was expected")
	ErrTwice     = errors.New("a name stands twice in one object")
	ErrTooMany   = errors.New("there are more values than may be")
)

// MaxNames bounds the names of one object. A record of MaxRecordBytes cannot
// hold as many, so it refuses nothing that is stored, but a body full of
// names costs little.
const MaxNames = 1 << 16

// fewNames is up to where comparing a name with all before it is cheaper than
// a map of them.
const fewNames = 24

// ParseValues cuts the object b into fields and raw values. The values share
// b's memory; an empty object gives values that are not nil.
func ParseValues(b []byte) (Values, error) {
	return AppendValues(nil, b)
}

// AppendValues is ParseValues that reuses memory.
func AppendValues(vs Values, b []byte) (Values, error) {
	return (*Names)(nil).AppendValues(vs, b)
}

// Names remembers names, so that one which comes again costs no memory: a
// push repeats a dozen of them hundreds of times. Its size is fixed, so nobody
// can make it grow; of three names that fall together one is forgotten. It is
// not for two goroutines at once. After the string cache of encoding/json/v2.
type Names struct {
	slots *[256][2]string
	kind  *Kind // whose fields have their names from its schema, if any
}

// maxNameKept is the longest name worth remembering.
const maxNameKept = 48

func (n *Names) of(b []byte) string {
	if n == nil || len(b) == 0 || len(b) > maxNameKept {
		return string(b)
	}
	if n.kind != nil {
		if f := n.kind.byName[string(b)]; f != nil {
			return f.Name
		}
		return string(b)
	}
	if n.slots == nil {
		n.slots = new([256][2]string)
	}
	h := uint32(2166136261) // FNV-1a
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	two := n.slots[(h^h>>16)%uint32(len(n.slots))][:]
	switch string(b) {
	case two[0]:
		return two[0]
	case two[1]:
		return two[1]
	}
	two[0], two[1] = string(b), two[0]
	return two[0]
}

// AppendValues is AppendValues with names that are remembered.
func (n *Names) AppendValues(vs Values, b []byte) (Values, error) {
	i := space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return nil, ErrNotObject
	}
	if vs == nil {
		vs = Values{}
	}
	once := onceOnly{first: len(vs)}
	for i = space(b, i+1); i < len(b) && b[i] != '}'; {
		name, raw, next, err := n.member(b, i)
		if err != nil {
			return nil, err
		}
		if err = once.check(vs, name); err != nil {
			return nil, err
		}
		vs = append(vs, Value{Field: name, Raw: raw})
		if i, err = separator(b, next, '}'); err != nil {
			return nil, err
		}
	}
	if i >= len(b) || space(b, i+1) != len(b) {
		return nil, ErrNotObject
	}
	return vs, nil
}

// onceOnly finds a name that stands twice among the values from first on.
type onceOnly struct {
	first int
	names map[string]bool // once there are more than a few
}

func (o *onceOnly) check(vs Values, name string) error {
	vs = vs[o.first:]
	switch {
	case len(vs) >= MaxNames:
		return ErrTooMany
	case len(vs) < fewNames:
		for i := range vs {
			if vs[i].Field == name {
				return ErrTwice
			}
		}
		return nil
	case o.names == nil:
		o.names = make(map[string]bool, 2*fewNames)
		for i := range vs {
			o.names[vs[i].Field] = true
		}
	}
	if o.names[name] {
		return ErrTwice
	}
	o.names[name] = true
	return nil
}

// Salvage is what can still be read of an object that is broken somewhere:
// its members in order, without those that cannot be told apart. A name may
// stand twice.
func Salvage(b []byte) Values {
	var vs Values
	i := space(b, 0)
	if i >= len(b) || b[i] != '{' {
		return nil
	}
	for i++; i < len(b) && len(vs) < MaxNames; {
		i = space(b, i)
		name, raw, next, err := (*Names)(nil).member(b, i)
		if err != nil {
			i = pastComma(b, i)
			continue
		}
		i = space(b, next)
		if i >= len(b) || b[i] == ',' || b[i] == '}' {
			vs = append(vs, Value{Field: name, Raw: raw})
		}
		i = pastComma(b, i)
	}
	return vs
}

// pastComma returns the index after the next comma that is inside no text, no
// object and no list.
func pastComma(b []byte, i int) int {
	for i < len(b) && b[i] != ',' {
		next := skip(b, i)
		if next < 0 {
			return len(b)
		}
		i = max(next, i+1)
	}
	return i + 1
}

// ParseList cuts the array b into raw values that share b's memory.
func ParseList(b []byte) ([]json.RawMessage, error) {
	return AppendList(nil, b, len(b))
}

// AppendList is ParseList that reuses memory and stops with ErrTooMany when
// there are more than most values.
func AppendList(list []json.RawMessage, b []byte, most int) ([]json.RawMessage, error) {
	i := space(b, 0)
	if i >= len(b) || b[i] != '[' {
		return nil, ErrNotList
	}
	most += len(list)
	for i = space(b, i+1); i < len(b) && b[i] != ']'; {
		end := skip(b, i)
		if end <= i {
			return nil, ErrNotList
		}
		if len(list) == most {
			return nil, ErrTooMany
		}
		list = append(list, json.RawMessage(b[i:end:end]))
		var err error
		if i, err = separator(b, end, ']'); err != nil {
			return nil, err
		}
	}
	if i >= len(b) || space(b, i+1) != len(b) {
		return nil, ErrNotList
	}
	return list, nil
}

// Text decodes a raw JSON string, and remembers it as if it were a name.
func (n *Names) Text(raw []byte) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || skip(raw, 0) != len(raw) {
		return "", false
	}
	s, err := n.unquote(raw)
	return s, err == nil
}

// RawID reads a JSON string that holds an id, without escapes. NoID is none.
func RawID(raw []byte) (ID, bool) {
	if len(raw) != 38 || raw[0] != '"' || raw[37] != '"' {
		return NoID, false
	}
	u, err := uuid.ParseBytes(raw[1:37])
	if err != nil || ID(u) == NoID {
		return NoID, false
	}
	return ID(u), true
}

// AppendID appends an id in its canonical form, which needs no escapes.
func AppendID(b []byte, id ID) []byte {
	if id.IsZero() {
		return b
	}
	for i, part := range [...][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}

// member reads one name and its value, starting at the name's quote.
func (n *Names) member(b []byte, i int) (name string, raw json.RawMessage, next int, err error) {
	end := -1
	if i < len(b) && b[i] == '"' {
		end = skipText(b, i)
	}
	if end < 0 {
		return "", nil, 0, ErrNotObject
	}
	if name, err = n.unquote(b[i:end]); err != nil {
		return "", nil, 0, err
	}
	i = space(b, end)
	if i >= len(b) || b[i] != ':' {
		return "", nil, 0, ErrNotObject
	}
	i = space(b, i+1)
	next = skip(b, i)
	if next <= i {
		return "", nil, 0, ErrNotObject
	}
	return name, json.RawMessage(b[i:next:next]), next, nil
}

// separator steps over a comma to the next value, or stands on the closing
// bracket.
func separator(b []byte, i int, closing byte) (int, error) {
	i = space(b, i)
	if i >= len(b) {
		return 0, errors.New("the text is cut short")
	}
	if b[i] == closing {
		return i, nil
	}
	if b[i] != ',' {
		return 0, errors.New("a comma was expected")
	}
	i = space(b, i+1)
	if i >= len(b) || b[i] == closing {
		return 0, errors.New("a value was expected after the comma")
	}
	return i, nil
}

func unquote(quoted []byte) (string, error) { return (*Names)(nil).unquote(quoted) }

func (n *Names) unquote(quoted []byte) (string, error) {
	text := quoted[1 : len(quoted)-1]
	simple, ascii := true, true
	for _, c := range text {
		simple = simple && c >= 0x20 && c != '\\'
		ascii = ascii && c < 0x80
	}
	if simple && (ascii || utf8.Valid(text)) {
		return n.of(text), nil
	}
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skip returns the index after the value that starts at i, or -1 if it is cut
// short. Where no value starts it returns i.
func skip(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return skipText(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] != ':' && b[i] > ' ' {
		i++
	}
	return i
}

// skipText finds the closing quote.
func skipText(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

func skipNested(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = skipText(b, i) - 1; i < 0 {
				return -1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
