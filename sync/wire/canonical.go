package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"unicode/utf8"

	"roadbook/record"
	"roadbook/version"
)

// Canonical appends the canonical form of one JSON value to dst: no white
// space, names sorted by the bytes of their canonical text, one escaping for
// text, numbers as they were written. Text is escaped as in RFC 8785; sorting
// by bytes and numbers verbatim differ from it, because hashes are compared
// here and nowhere else, and 1.0 is not what somebody typed who typed 1.
// Text that check refuses, or a name that stands twice, is an error.
func Canonical(dst, raw []byte) ([]byte, error) {
	if code := check(raw, MaxPushBytes); code != "" {
		return nil, invalid("wire.Canonical", code, "")
	}
	c := canon{dst: dst}
	c.value(raw, space(raw, 0))
	if c.twice {
		return nil, invalid("wire.Canonical", codeDuplicate, "")
	}
	return c.dst, nil
}

// Hash is the SHA-256 of what a mutation says, whatever it is called: id,
// stamp and edits, in canonical form. n, prev, after, schema and again are
// left out, because a relabelled mutation gets others. What an absent member
// means is not written either: no values, nothing seen. ReadPush has hashed
// what it read; this is for mutations that are made here. A value that is not
// JSON counts as the text that it is.
func Hash(m *record.Mutation) [32]byte {
	c := canon{wary: true}
	sum, _ := c.hash(m)
	return sum
}

// canon writes checked text in canonical form. It may be used again and again,
// so that its memory is allocated once per push.
type canon struct {
	dst     []byte
	spans   []span // of the members of all objects that are open
	scratch []byte
	twice   bool // a name stood twice in one object
	wary    bool // values have not been checked
}

// span is where a member stands in dst.
type span struct{ at, name, end int }

// hash sums up a mutation of checked values; false if a name stands twice.
func (c *canon) hash(m *record.Mutation) ([32]byte, bool) {
	c.dst, c.spans, c.twice = c.dst[:0], c.spans[:0], false
	c.raw(`{"edits":[`)
	for i := range m.Edits {
		if i > 0 {
			c.raw(",")
		}
		c.edit(&m.Edits[i])
	}
	c.raw(`],"id":`)
	c.id(m.ID)
	c.raw(`,"stamp":{"c":`)
	c.dst = strconv.AppendUint(c.dst, uint64(m.Stamp.C), 10)
	c.raw(`,"ms":`)
	c.dst = strconv.AppendInt(c.dst, m.Stamp.MS, 10)
	c.raw(`}}`)
	return sha256.Sum256(c.dst), !c.twice
}

func (c *canon) edit(e *record.Edit) {
	c.raw("{")
	c.values(`"add":`, e.Add)
	c.values(`"base":`, e.Base)
	c.raw(`"id":`)
	c.id(e.ID)
	c.raw(`,`)
	c.values(`"inc":`, e.Inc)
	c.raw(`"kind":`)
	c.string(e.Kind)
	c.raw(`,"op":`)
	c.string(string(e.Op))
	c.raw(`,`)
	c.values(`"remove":`, e.Remove)
	c.vector(`"seen":`, e.Seen)
	c.values(`"set":`, e.Set)
	c.dst[len(c.dst)-1] = '}' // in place of the last comma
}

// values writes a member that is an object of values, unless it is empty.
func (c *canon) values(name string, vs record.Values) {
	if len(vs) == 0 {
		return
	}
	c.raw(name)
	start, first := c.open()
	for _, v := range vs {
		at := len(c.dst)
		c.string(v.Field)
		named := len(c.dst)
		c.raw(":")
		if c.wary && check(v.Raw, record.MaxMutationBytes) != "" {
			c.string(string(v.Raw))
		} else {
			c.value(v.Raw, space(v.Raw, 0))
		}
		c.member(span{at, named, len(c.dst)})
	}
	c.close(start, first)
	c.raw(",")
}

// vector writes what an author had seen. An entry of zero says nothing.
func (c *canon) vector(name string, seen version.Vector) {
	undo := len(c.dst)
	c.raw(name)
	start, first := c.open()
	for r, n := range seen {
		if n == 0 {
			continue
		}
		at := len(c.dst)
		c.string(string(r))
		named := len(c.dst)
		c.raw(`:"`)
		c.dst = strconv.AppendUint(c.dst, n, 10)
		c.raw(`"`)
		c.member(span{at, named, len(c.dst)})
	}
	if len(c.spans) == first {
		c.dst = c.dst[:undo]
		return
	}
	c.close(start, first)
	c.raw(",")
}

// value writes the value that starts at b[i] and returns the index after it.
func (c *canon) value(b []byte, i int) int {
	switch b[i] {
	case '{':
		return c.object(b, i)
	case '[':
		return c.list(b, i)
	case '"':
		return c.text(b, i)
	}
	start := i
	for i < len(b) && b[i] > ' ' && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	c.dst = append(c.dst, b[start:i]...)
	return i
}

func (c *canon) object(b []byte, i int) int {
	start, first := c.open()
	for i = space(b, i+1); b[i] != '}'; {
		at := len(c.dst)
		i = space(b, c.text(b, i))
		named := len(c.dst)
		c.raw(":")
		i = space(b, c.value(b, space(b, i+1)))
		c.member(span{at, named, len(c.dst)})
		if b[i] == ',' {
			i = space(b, i+1)
		}
	}
	c.close(start, first)
	return i + 1
}

func (c *canon) list(b []byte, i int) int {
	c.raw("[")
	for i = space(b, i+1); b[i] != ']'; {
		if i = space(b, c.value(b, i)); b[i] == ',' {
			c.raw(",")
			i = space(b, i+1)
		}
	}
	c.raw("]")
	return i + 1
}

// open begins an object, member notes one of its members, close sorts them.
func (c *canon) open() (start, first int) {
	c.raw("{")
	return len(c.dst), len(c.spans)
}

func (c *canon) member(s span) {
	c.spans = append(c.spans, s)
	c.raw(",")
}

func (c *canon) close(start, first int) {
	spans := c.spans[first:]
	c.spans = c.spans[:first]
	if len(spans) == 0 {
		c.raw("}")
		return
	}
	sorted := slices.IsSortedFunc(spans, c.compare)
	if !sorted {
		slices.SortFunc(spans, c.compare)
	}
	for i := 1; i < len(spans); i++ {
		c.twice = c.twice || c.compare(spans[i-1], spans[i]) == 0
	}
	if !sorted {
		c.scratch = c.scratch[:0]
		for _, s := range spans {
			c.scratch = append(append(c.scratch, c.dst[s.at:s.end]...), ',')
		}
		copy(c.dst[start:], c.scratch)
	}
	c.dst[len(c.dst)-1] = '}' // in place of the last comma
}

func (c *canon) compare(a, b span) int {
	return bytes.Compare(c.dst[a.at:a.name], c.dst[b.at:b.name])
}

// text writes the text that starts at b[i] and returns the index after it.
// What needs no escape is copied piece by piece.
func (c *canon) text(b []byte, i int) int {
	from := i
	for i++; ; i++ {
		switch b[i] {
		case '"':
			c.dst = append(c.dst, b[from:i+1]...)
			return i + 1
		case '\\':
			c.dst = append(c.dst, b[from:i]...)
			i = c.escape(b, i)
			from = i + 1
		}
	}
}

// escape writes the character whose escape starts at i and returns the index
// of its last byte.
func (c *canon) escape(b []byte, i int) int {
	switch b[i+1] {
	case '/':
		c.raw("/")
		return i + 1
	case 'u':
	default:
		c.dst = append(c.dst, b[i:i+2]...)
		return i + 1
	}
	unit := codeUnit(b, i)
	if unit >= 0xd800 && unit <= 0xdbff {
		low := codeUnit(b, i+6)
		c.dst = utf8.AppendRune(c.dst, (unit-0xd800)<<10+(low-0xdc00)+0x10000)
		return i + 11
	}
	c.rune(unit)
	return i + 5
}

// string writes text that is not escaped.
func (c *canon) string(s string) {
	c.raw(`"`)
	from := 0
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == '"' || s[i] == '\\' {
			c.raw(s[from:i])
			c.rune(rune(s[i]))
			from = i + 1
		}
	}
	c.raw(s[from:])
	c.raw(`"`)
}

// rune writes one character with the shortest escape if it needs one.
func (c *canon) rune(r rune) {
	switch r {
	case '"', '\\':
		c.dst = append(c.dst, '\\', byte(r))
	case '\b':
		c.raw(`\b`)
	case '\f':
		c.raw(`\f`)
	case '\n':
		c.raw(`\n`)
	case '\r':
		c.raw(`\r`)
	case '\t':
		c.raw(`\t`)
	default:
		if r < 0x20 {
			c.raw(`\u00`)
			c.dst = hex.AppendEncode(c.dst, []byte{byte(r)})
			return
		}
		c.dst = utf8.AppendRune(c.dst, r)
	}
}

func (c *canon) id(id record.ID) {
	c.raw(`"`)
	c.dst = record.AppendID(c.dst, id)
	c.raw(`"`)
}

func (c *canon) raw(s string) { c.dst = append(c.dst, s...) }
