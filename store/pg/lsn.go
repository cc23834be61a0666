package pg

import (
	"fmt"
	"strconv"
	"strings"
)

// LSN is a place in PostgreSQL's own log, the WAL.
type LSN uint64

// String is how PostgreSQL writes it: "0/16B3748".
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint64(l)>>32, uint64(l)&(1<<32-1)) }

// ParseLSN reads what String writes.
func ParseLSN(text string) (LSN, error) {
	high, low, ok := strings.Cut(text, "/")
	h, err := strconv.ParseUint(high, 16, 32)
	l, also := strconv.ParseUint(low, 16, 32)
	if !ok || err != nil || also != nil {
		return 0, fmt.Errorf("%q is no place in the WAL", text)
	}
	return LSN(h<<32 | l), nil
}

// MarshalText implements encoding.TextMarshaler.
func (l LSN) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *LSN) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLSN(string(text))
	return err
}

// The WAL is in pages that begin with a header, and the first of a segment has
// a longer one.
const (
	walPage     = 8192
	shortHeader = 24
	longHeader  = 40
)

// floor is where the last record before l ends at the latest: PostgreSQL says
// of a log that ends with a page that the next record begins behind the next
// page's header, which nobody has received before there is such a record.
func (l LSN) floor() LSN {
	if in := l % walPage; in == shortHeader || in == longHeader {
		return l - in
	}
	return l
}
