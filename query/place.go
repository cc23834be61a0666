package query

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"roadbook/errs"
	"roadbook/record"
)

// place is a record's place in a list: its key, or that it has none, and its
// id. It need not be there any more for the list to go on after it.
type place struct {
	set  bool // there is a page before
	null bool // without a value; such come last
	key  string
	id   record.ID
}

// macBytes is as much of a sum as nobody guesses by asking.
const macBytes = 8

// MaxAfter is the longest name of a place: a key, an id and a sum in base 64.
const MaxAfter = 400

// writePlace names the place, signed for this very list.
func (l *list) writePlace(p place) string {
	b := make([]byte, 0, 96)
	flag := byte(0)
	if p.null {
		flag = 1
	}
	b = append(b, flag)
	b = append(b, p.id[:]...)
	b = append(b, p.key...)
	return base64.RawURLEncoding.EncodeToString(append(l.mac(b), b...))
}

func (l *list) readPlace() (place, error) {
	if l.After == "" {
		return place{}, nil
	}
	foreign := errs.New("query.Run", errs.Invalid, "this page does not belong to this list; begin it anew").Coded("page")
	if len(l.After) > MaxAfter {
		return place{}, foreign
	}
	b, err := base64.RawURLEncoding.DecodeString(l.After)
	if err != nil || len(b) < macBytes+1+16 || !hmac.Equal(b[:macBytes], l.mac(b[macBytes:])) {
		return place{}, foreign
	}
	b = b[macBytes:]
	return place{
		set: true, null: b[0] == 1, id: record.ID(b[1:17]), key: string(b[17:]),
	}, nil
}

// mac binds a place to the org, the kind, the filter and the order.
func (l *list) mac(b []byte) []byte {
	m := hmac.New(sha256.New, l.Key)
	for _, part := range []string{"list", l.Kind.Name, l.Filter, l.Sort, string(b)} {
		_ = binary.Write(m, binary.BigEndian, uint32(len(part)))
		m.Write([]byte(part))
	}
	_ = binary.Write(m, binary.BigEndian, int32(l.tx.Org))
	return m.Sum(nil)[:macBytes]
}
