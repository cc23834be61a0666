package pages

import (
	"encoding/base64"
	"math"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync/wire"
)

// Write writes a cursor that was read.
func (m *Maker) Write(who access.Caller, c Cursor) string { return m.writeCursor(who, c) }

// Sign makes a genuine cursor of any bytes.
func (m *Maker) Sign(who access.Caller, body []byte) string {
	q := m.quill()
	bound := len(q.begin(who))
	return base64.RawURLEncoding.EncodeToString(q.seal(append(q.begin(who), body...))[bound:])
}

// SomeCursors are the bytes of cursors as devices have them, without their
// signatures: at the beginning, in the middle of a fill and far along a log.
func SomeCursors() (all [][]byte) {
	m := New(Config{})
	for _, c := range []Cursor{
		{epoch: "e1", fill: fill{after: 812, key: lastKey}, base: 812, pos: 812, head: 812},
		{epoch: "e1", base: 1, pos: 5, mid: record.ID{9}, head: 7},
		{epoch: "e1", base: 1, pos: 5, passed: [8]byte{5}, chain: [8]byte{7}, head: 7},
		{epoch: "e1", base: 1, pos: 5, chain: [8]byte{5}, older: true, head: 7},
		{
			epoch: "0123456789ab", base: 1 << 41, pos: 1 << 41, head: 1 << 41, mid: record.ID{1},
			fill: fill{after: 1 << 41, batch: 1 << 41, since: 1 << 41, rank: 110, scope: 1 << 30, key: record.ID{7}},
		},
	} {
		b, _ := base64.RawURLEncoding.DecodeString(m.writeCursor(access.Caller{}, c))
		all = append(all, b[:len(b)-cursorMAC])
	}
	return all
}

// LongestCursor is a cursor in which everything is as long as it gets.
func (m *Maker) LongestCursor(who access.Caller, epoch string, seq record.Seq) string {
	const away = 1 << 28 // rows that came since the device last had everything
	key := record.MustID("ffffffff-ffff-7fff-bfff-fffffffffff0")
	return m.writeCursor(who, Cursor{
		epoch: epoch, chain: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, passed: [8]byte{1}, base: seq, pos: seq + away, mid: key, head: seq + away,
		fill: fill{after: seq, batch: seq, rank: math.MaxInt16, since: seq, scope: math.MaxInt32, key: key},
	})
}

// Incomplete is the cursor of a page that ends before the head.
func (m *Maker) Incomplete(who access.Caller, passed, chain byte) string {
	return m.writeCursor(who, Cursor{epoch: "e1", base: 3, pos: 5, head: 7, passed: [8]byte{passed}, chain: [8]byte{chain}})
}

// At is a complete cursor of an epoch, with the first byte of the hash there.
func At(epoch string, seq record.Seq, chain byte) Cursor {
	return Cursor{epoch: epoch, base: seq, pos: seq, head: seq, chain: [8]byte{chain}}
}

// Proof is the place whose hash a cursor has, and that hash's first byte.
func (c Cursor) Proof() (record.Seq, byte) { return c.Proven(), c.chain[0] }

// The limits of what is made ahead.
const (
	AheadAtOnce = aheadAtOnce
	AheadFor    = aheadFor
)

// Ahead holds pages that have not been asked for.
type Ahead struct{ a ahead }

// Put promises a page, if there is room.
func (a *Ahead) Put(who access.Caller, r wire.PullRequest) bool {
	return a.a.put(&early{who: who, req: r})
}

// Take reports whether the page is there that somebody asks for.
func (a *Ahead) Take(who access.Caller, r wire.PullRequest) bool { return a.a.take(who, &r) != nil }
