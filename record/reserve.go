package record

import (
	"fmt"
	"strconv"
)

// MaxShare is the most that one reserve may hold: further than that JavaScript
// does not count.
const MaxShare = 1<<53 - 1

// MaxRange is the most numbers of one range: which of them are used is a set,
// and a set has no more elements.
const MaxRange = 500

// checkShare says what is wrong with a counter of which devices reserve some.
func (k *Kind) checkShare(f *Field) (wrong []string) {
	most := int64(MaxShare)
	if f.Ranges {
		most = MaxRange
	}
	switch {
	case f.Share == 0 && !f.Ranges:
	case f.Policy != Counter || f.Floor == nil:
		wrong = append(wrong, fmt.Sprintf("%s.%s: only of a counter with a floor can something be reserved", k.Name, f.Name))
	case f.Share < 1 || f.Share > most:
		wrong = append(wrong, fmt.Sprintf("%s.%s: a reserve holds from 1 to %d", k.Name, f.Name, most))
	}
	return wrong
}

// ReserveID is the id of a device's reserve of a counter: its first, its second,
// and so on. So that it has one at a time, and two copies of one device cannot
// have one each, the id follows from what it is.
func ReserveID(counter ID, field string, device ID, serial int64) ID {
	return counter.Derive("reserve " + field + " " + device.String() + " " + strconv.FormatInt(serial, 10))
}
