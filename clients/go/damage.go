package device

import (
	"bytes"
	"fmt"
	"hash/crc32"

	"roadbook/record"
	"roadbook/sync/wire"
)

// What a store has kept for a year may not be what was written: a bit flips, a
// row or a page of the file is lost. What was pulled can be fetched again, so
// each such row carries a sum, and the whole base a digest. What does not fit
// is not shown, and the next talk with the server compares and mends it. What
// was typed is nowhere else: a row of the outbox that cannot be read is an
// error of Open, for a person to see to.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumBytes = 1 + 8 // a line break and the sum in hex

// seal adds a sum to a text of JSON, behind a line break, which no text of ours
// has.
func seal(text []byte) []byte {
	return fmt.Appendf(text[:len(text):len(text)], "\n%08x", crc32.Checksum(text, castagnoli))
}

// unseal is the text that was sealed, and whether it still is. What an app of
// before wrote has no sum, and is believed.
func unseal(value []byte) (text []byte, whole bool) {
	at := len(value) - sumBytes
	if at <= 0 || value[at] != '\n' {
		return value, true
	}
	text = value[:at]
	return text, bytes.Equal(seal(text), value)
}

// count adds a record to the digest of what a shelf holds, or takes it off.
func (s *shelf) count(id record.ID, h *held, by int) {
	if h == nil {
		return
	}
	sum := wire.Sum(id, h.Seq, 0)
	s.tally.Count += by
	s.tally.Sum += uint64(by) * sum
}

// giveUpDamaged lets go of what is damaged of what was pulled, and has it
// fetched again.
func (d *Device) giveUpDamaged(b *batch) {
	if d.badPages {
		d.pages = nil
		b.clear(tablePages)
	}
	if d.fresh != nil && !d.fresh.isWhole(d.sight.FreshHeld) {
		d.damaged += max(1, len(d.fresh.bad))
		d.beginAnew(b)
	}
	if !d.base.isWhole(d.sight.Held) {
		d.damaged += max(1, len(d.base.bad))
		for _, key := range d.base.bad {
			b.delete(d.base.table(), key)
		}
		d.sight.Compare = d.sight.Cursor != "" && d.fresh == nil // else another base is on its way
	}
	if d.damaged > 0 {
		d.saveSight(b)
	}
}

// isWhole reports whether a shelf is what was kept. A store of before has no
// digest to compare with.
func (s *shelf) isWhole(kept *wire.Tally) bool {
	return len(s.bad) == 0 && (kept == nil || *kept == s.tally)
}
