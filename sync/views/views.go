// Package views knows what a device is shown, and since when: which kinds,
// from which month on, and which fields its person may not see. It is pure;
// the engine keeps the rows and asks.
package views

import (
	"maps"
	"slices"

	"roadbook/record"
)

// View is what a device is shown from one place in the log on, until the next.
type View struct {
	Seq   record.Seq
	From  record.Month // the first month; what has none is always shown
	Kinds []int16      // those that the device wants; nil is all
	Sight Sight
}

// Sight is what somebody may see: the kinds that are for him, and of each the
// fields that are not, sorted.
type Sight map[int16][]string

// Shows reports whether records of a kind and month are for the device.
func (v View) Shows(kind int16, m record.Month) bool {
	_, reads := v.Sight[kind]
	return reads && (v.Kinds == nil || slices.Contains(v.Kinds, kind)) && (m == 0 || m >= v.From)
}

// SameWant reports whether the device has asked for the same.
func (v View) SameWant(o View) bool {
	return v.From == o.From && (v.Kinds == nil) == (o.Kinds == nil) && slices.Equal(v.Kinds, o.Kinds)
}

// SameSight reports whether the person could see the same.
func (v View) SameSight(o View) bool {
	return maps.EqualFunc(v.Sight, o.Sight, slices.Equal[[]string])
}

// List is all views of a device that are kept, oldest first. There is always
// one. A list that has lost its oldest says of some things that they are shown
// for a shorter time than is true, which costs a device a refill and no more.
type List []View

// Now is the view in force.
func (l List) Now() View { return l[len(l)-1] }

// At is the view that was in force at a place in the log, if it is kept.
func (l List) At(seq record.Seq) (View, bool) {
	for _, v := range slices.Backward(l) {
		if v.Seq <= seq {
			return v, true
		}
	}
	return View{}, false
}

// run is where the last views begin that all show a kind and month.
func (l List) run(kind int16, m record.Month) int {
	i := len(l)
	for i > 0 && l[i-1].Shows(kind, m) {
		i--
	}
	return i
}

// Since is where the device began to be shown a kind and month, without
// interruption until now.
func (l List) Since(kind int16, m record.Month) (seq record.Seq, shown bool) {
	i := l.run(kind, m)
	if i == len(l) {
		return 0, false
	}
	return l[i].Seq, true
}

// Starts are all that Since answers for what is shown of a kind, in order: one
// place, or several if its records have months.
func (l List) Starts(kind int16, dated bool) []record.Seq {
	var starts []record.Seq
	for _, v := range l {
		if !dated || v.From < l.Now().From {
			continue
		}
		if seq, shown := l.Since(kind, v.From); shown {
			starts = append(starts, seq)
		}
	}
	if seq, shown := l.Since(kind, 0); shown {
		starts = append(starts, seq)
	}
	slices.Sort(starts)
	return slices.Compact(starts)
}

// Growth is a place from which on fields are seen that were hidden before.
type Growth struct {
	Seq    record.Seq
	Fields []string
}

// Growths are those of a kind since it is shown, oldest first, of fields that
// are still seen.
func (l List) Growths(kind int16) []Growth {
	var out []Growth
	hidden := l.Now().Sight[kind]
	for i := l.run(kind, 0) + 1; i < len(l); i++ {
		var fields []string
		for _, f := range l[i-1].Sight[kind] {
			if !slices.Contains(l[i].Sight[kind], f) && !slices.Contains(hidden, f) {
				fields = append(fields, f)
			}
		}
		if fields != nil {
			out = append(out, Growth{l[i].Seq, fields})
		}
	}
	return out
}

// Taken is what may be seen no longer: some fields of a kind, or all of it.
type Taken struct {
	Kind   int16
	Fields []string // nil: the whole kind
}

// TakenSince is what a device that was told of everything up to a place in the
// log may still hold of what its person may not see now. all is everything
// there is, for when nobody knows any more what was seen then.
func (l List) TakenSince(seq record.Seq, all Sight) []Taken {
	i := slices.IndexFunc(l, func(v View) bool { return v.Seq > seq })
	if i < 0 {
		return nil
	}
	before := l[max(i-1, 0):]
	if i == 0 {
		before = append(List{{Sight: all}}, l...)
	}
	seen := Sight{} // by kind: what was hidden in all of these
	for _, v := range before {
		for kind, hidden := range v.Sight {
			if was, known := seen[kind]; known {
				hidden = slices.DeleteFunc(slices.Clone(hidden), func(f string) bool { return !slices.Contains(was, f) })
			}
			seen[kind] = hidden
		}
	}
	var out []Taken
	for _, kind := range slices.Sorted(maps.Keys(seen)) {
		hidden, reads := l.Now().Sight[kind]
		if !reads {
			out = append(out, Taken{Kind: kind})
			continue
		}
		gone := slices.DeleteFunc(slices.Clone(hidden), func(f string) bool { return slices.Contains(seen[kind], f) })
		if len(gone) > 0 {
			out = append(out, Taken{Kind: kind, Fields: gone})
		}
	}
	return out
}
