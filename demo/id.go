package demo

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"roadbook/record"
)

// idMidnight stands for the midnight of the org in the time that an id tells,
// in milliseconds: 2025-01-01 in China. So ids sort in the order in which
// things were made, lie before those made later, and do not move with the day
// on which somebody seeds the demo.
const idMidnight = 1_735_660_800_000

// newID names the thing of a kind with these numbers, made at this distance
// from midnight: a UUID of version 7 whose random part is the hash of the name.
func newID(at time.Duration, kind string, numbers ...int) record.ID {
	var space [64]byte
	name := append(space[:0], kind...)
	for _, n := range numbers {
		name = append(name, '/')
		name = strconv.AppendInt(name, int64(n), 10)
	}
	sum := sha256.Sum256(name)
	return timed(at, sum)
}

// mutationID names the mutation that does something to a record at a time.
func mutationID(id record.ID, at time.Duration, op record.Op) record.ID {
	return timed(at, sha256.Sum256(append(id[:], op...)))
}

// timed lays out a UUID of version 7.
func timed(at time.Duration, sum [32]byte) record.ID {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(idMidnight+at.Milliseconds()))
	var id record.ID
	copy(id[:6], ms[2:])
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}
