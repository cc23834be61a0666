package demo

import "time"

// dice draws numbers from a name: the same name, the same numbers, on every
// machine and in every version of Go. It is SplitMix64 (Steele, Lea, Flood
// 2014), started from an FNV-1a hash of the name.
type dice uint64

func newDice(seed uint64, kind string, numbers ...int) *dice {
	h := uint64(14695981039346656037)
	for i := range len(kind) {
		h = (h ^ uint64(kind[i])) * 1099511628211
	}
	d := dice(h ^ seed*0x9e3779b97f4a7c15)
	for _, n := range numbers {
		d = dice(d.next() ^ uint64(n))
	}
	return &d
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// n is a number from 0 to below limit.
func (d *dice) n(limit int) int { return int(d.next() % uint64(limit)) }

// between is a number from low to high, both possible.
func (d *dice) between(low, high int) int { return low + d.n(high-low+1) }

// chance is true so many times in a hundred.
func (d *dice) chance(percent int) bool { return d.n(100) < percent }

// upTo is a time in whole seconds from nothing to below limit.
func (d *dice) upTo(limit time.Duration) time.Duration {
	return time.Duration(d.n(int(max(limit, time.Second)/time.Second))) * time.Second
}

// pick is one of a list.
func pick[T any](d *dice, list []T) T { return list[d.n(len(list))] }
