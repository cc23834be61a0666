package pages

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"

	"roadbook/access"
	"roadbook/record"
)

// Cursor is how far a device is. It travels as opaque text that only the
// server can make, bound to org, person and device.
type Cursor struct {
	epoch  string
	chain  [8]byte    // the log's hash at head, or at pos in a cursor of older make
	older  bool       // it is of older make
	passed [8]byte    // the log's hash at pos, for servers of v0.1.0; nothing if pos is head
	base   record.Seq // everything up to here has been applied
	pos    record.Seq // how far through the index the pages of this session have come
	mid    record.ID  // within the row after pos: records up to this one have been sent
	head   record.Seq // head of the last page's snapshot; grants are settled up to here
	fill   fill
}

// fill is a position in the one total order in which scopes are filled: batch,
// rank of the kind, since when the device is to hold it, the scope, the record.
// Only what never changes takes part.
type fill struct {
	after record.Seq // what is to be held since here is filled
	batch record.Seq // what is to be held since here is being filled
	rank  int16
	since record.Seq
	scope record.ScopeID
	key   record.ID
}

// Servers of v0.1.0 read version 3, with the hash at pos, and do not look behind
// mid. While one of them still serves, devices come to it with what they were
// given here, and it would have them start over for any other version. So that is
// what is written, with the hash at head behind all else: rows between pos and
// head may be others in a log that was restored. Where there is no room for both,
// which takes a page that ends inside a row in the middle of a fill, it is
// version 4, with the hash at head alone.
const (
	cursorVersion = 3
	proofVersion  = 4
	cursorMAC     = 12
	// MaxCursor is the longest cursor in characters: it fits a line of a log
	// and a mini-program's storage key.
	MaxCursor = 160
)

var (
	errForeign = errors.New("the cursor is not genuine, or another's")
	lastKey    = record.ID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
)

// quill is what it takes to seal a cursor: the hash under the key, which costs
// more to make than to use, and the text.
type quill struct {
	hash.Hash
	b []byte
}

func (m *Maker) quill() *quill {
	if q, ok := m.quills.Get().(*quill); ok {
		return q
	}
	return &quill{Hash: hmac.New(sha256.New, m.Key), b: make([]byte, 0, 256)}
}

// begin writes what a cursor is bound to.
func (q *quill) begin(who access.Caller) []byte {
	b := q.b[:0]
	b = append(b, "cursor\x00"...)
	b = binary.BigEndian.AppendUint32(b, uint32(who.Org))
	return append(append(b, who.Person[:]...), who.Device[:]...)
}

// seal appends the hash of all that was written.
func (q *quill) seal(b []byte) []byte {
	q.Reset()
	_, _ = q.Write(b) // a hash never fails
	q.b = q.Sum(b)[:len(b)+cursorMAC]
	return q.b
}

func (m *Maker) writeCursor(who access.Caller, c Cursor) string {
	q := m.quill()
	defer m.quills.Put(q)
	b := q.begin(who)
	bound := len(b)
	b = c.append(b, cursorVersion)
	if c.pos != c.head && !c.older {
		b = append(b, c.chain[:]...)
		if c.passed == ([8]byte{}) || base64.RawURLEncoding.EncodedLen(len(b)-bound+cursorMAC) > MaxCursor {
			b = c.append(b[:bound], proofVersion)
		}
	}
	var text [MaxCursor]byte
	return string(base64.RawURLEncoding.AppendEncode(text[:0], q.seal(b)[bound:]))
}

// append writes what both versions have.
func (c Cursor) append(b []byte, version byte) []byte {
	b = append(b, version, byte(len(c.epoch)))
	b = append(b, c.epoch...)
	if version == cursorVersion && c.pos != c.head && !c.older {
		b = append(b, c.passed[:]...)
	} else {
		b = append(b, c.chain[:]...)
	}
	for _, n := range []record.Seq{c.base, c.pos - c.base, c.head - c.base, c.fill.after, c.fill.batch, c.fill.since} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendUvarint(b, uint64(c.fill.rank))
	b = binary.AppendUvarint(b, uint64(c.fill.scope))
	return appendKey(appendKey(b, c.fill.key), c.mid)
}

// appendKey writes an id in 17 bytes, or in one where it is the first or last.
func appendKey(b []byte, id record.ID) []byte {
	switch id {
	case record.NoID:
		return append(b, 0)
	case lastKey:
		return append(b, 2)
	}
	return append(append(b, 1), id[:]...)
}

// genuine reports whether a cursor, decoded, was made by us and for this device.
func (m *Maker) genuine(who access.Caller, body, mac []byte) bool {
	q := m.quill()
	defer m.quills.Put(q)
	b := append(q.begin(who), body...)
	return hmac.Equal(mac, q.seal(b)[len(b):])
}

// Cursor reads what a device has brought, if this server has given it to that
// device.
func (m *Maker) Cursor(who access.Caller, text string) (Cursor, error) {
	var c Cursor
	if len(text) > MaxCursor {
		return c, errForeign
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < cursorMAC+2 {
		return c, errForeign
	}
	body, mac := b[:len(b)-cursorMAC], b[len(b)-cursorMAC:]
	if !m.genuine(who, body, mac) || body[0] != cursorVersion && body[0] != proofVersion {
		return c, errForeign
	}
	r := cursorReader{b: body[1:]}
	c.epoch = string(r.take(int(r.take(1)[0])))
	copy(c.chain[:], r.take(len(c.chain)))
	c.base = record.Seq(r.uvarint())
	c.pos, c.head = c.base+record.Seq(r.uvarint()), c.base+record.Seq(r.uvarint())
	c.fill.after, c.fill.batch, c.fill.since = record.Seq(r.uvarint()), record.Seq(r.uvarint()), record.Seq(r.uvarint())
	c.fill.rank, c.fill.scope = int16(r.uvarint()), record.ScopeID(r.uvarint())
	c.fill.key, c.mid = r.key(), r.key()
	if body[0] == cursorVersion && c.pos != c.head {
		if c.older = len(r.b) < len(c.chain); !c.older {
			c.passed = c.chain
			copy(c.chain[:], r.take(len(c.chain)))
		}
	}
	if r.bad {
		return c, errForeign
	}
	return c, nil
}

// Proven is the place whose hash the cursor has: all that the device was told
// before is right if the log has that hash there.
func (c Cursor) Proven() record.Seq {
	if c.older {
		return c.pos
	}
	return c.head
}

// Epoch is the life of the log in which the cursor was given.
func (c Cursor) Epoch() string { return c.epoch }

// Base is up to where the device has applied everything.
func (c Cursor) Base() record.Seq { return c.base }

// Pos is how far through the index the pages have come.
func (c Cursor) Pos() record.Seq { return c.pos }

// Reached reports whether the fill has come past a record in a scope, where it
// is to be held since a place in the log.
func (c Cursor) Reached(since record.Seq, scope record.ScopeID, rank int16, id record.ID) bool {
	return c.fill.behind(place{rank, since, scope}, id)
}

// Filling reports whether scopes are still being filled for whoever has this
// cursor, so that the next page is a long one.
func (m *Maker) Filling(who access.Caller, text string) bool {
	c, err := m.Cursor(who, text)
	return err == nil && c.fill.after < c.fill.batch
}

// cursorReader reads what has been proved genuine, so damage is a bug of ours;
// it is told all the same.
type cursorReader struct {
	b   []byte
	bad bool
}

func (r *cursorReader) take(n int) []byte {
	if n > len(r.b) {
		r.bad = true
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *cursorReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *cursorReader) key() (id record.ID) {
	switch r.take(1)[0] {
	case 1:
		copy(id[:], r.take(16))
	case 2:
		id = lastKey
	}
	return id
}
