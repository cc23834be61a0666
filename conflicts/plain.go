package conflicts

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"roadbook/record"
	"roadbook/record/field"
)

// Extreme keeps the larger value of a field with policy max, the smaller of one
// with min. It merges by value whether or not its author had seen the other.
//
// Law: the value is the extreme of all that were written.
func Extreme(cur *record.Slot, f *record.Field, raw json.RawMessage, w *Write) (Verdict, error) {
	if record.IsNull(cur.Raw) {
		cur.Raw, cur.By = raw, w.By
		return Took, nil
	}
	if record.IsNull(raw) {
		return Kept, nil
	}
	order, err := field.Compare(f.Type, raw, cur.Raw)
	if err != nil {
		return Kept, fmt.Errorf("compare %s: %w", f.Name, err)
	}
	if f.Policy == record.Min {
		order = -order
	}
	switch {
	case order == 0:
		return Agreed, nil
	case order < 0:
		return Kept, nil
	}
	cur.Raw, cur.By = raw, w.By
	return Took, nil
}

// Once keeps the first value that the log accepted, also against its own
// author. Which is first is the log's to say, the same for everyone.
//
// Law: a value never changes.
func Once(cur *record.Slot, raw json.RawMessage, w *Write) Verdict {
	switch {
	case record.IsNull(cur.Raw):
		cur.Raw, cur.By = raw, w.By
		return Took
	case sameValue(cur.Raw, raw):
		return Agreed
	}
	return Kept
}

// MaxCount is the largest count either way: what JavaScript counts exactly.
const MaxCount = 1<<53 - 1

// Count adds a delta to a counter. Each dot counts once, because a dot is
// judged once; deltas commute, so order changes nothing.
//
// Law: the value is the sum of all deltas.
func Count(cur *record.Slot, delta int64, w *Write) error {
	var sum int64
	if !record.IsNull(cur.Raw) {
		n, err := strconv.ParseInt(string(cur.Raw), 10, 64)
		if err != nil {
			return fmt.Errorf("the counter holds %.20s: %w", cur.Raw, err)
		}
		sum = n
	}
	sum += delta
	if sum > MaxCount || sum < -MaxCount {
		return fmt.Errorf("the count would leave what can be counted exactly (±%d)", int64(MaxCount))
	}
	cur.Raw, cur.By = strconv.AppendInt(nil, sum, 10), w.By
	return nil
}

// Delta reads the amount of an inc: a whole number that can be counted
// exactly.
func Delta(raw json.RawMessage) (int64, error) {
	x, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > MaxCount {
		return 0, fmt.Errorf("an amount is a whole number between ±%d", int64(MaxCount))
	}
	return int64(x), nil
}
