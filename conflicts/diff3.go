package conflicts

import "slices"

// mergeTokens merges two lists that come from the same one. Where both have
// changed the same of it, both says what becomes of that.
func mergeTokens(base, a, b []string, both func(base, a, b []string) []string) (out []string) {
	left, right := changes(base, a), changes(base, b)
	at := 0
	for len(left) > 0 || len(right) > 0 {
		var next change
		switch {
		case len(right) == 0 || len(left) > 0 && left[0].before(right[0]):
			next, left = left[0], left[1:]
		case len(left) == 0 || right[0].before(left[0]):
			next, right = right[0], right[1:]
		default:
			var g stretch
			g, left, right = overlap(left, right)
			out = append(out, base[at:g.from]...)
			at = g.to
			mine, theirs := g.side(base, g.left), g.side(base, g.right)
			switch {
			case slices.Equal(mine, theirs):
				out = append(out, mine...)
			case g.from == g.to: // both have put something in
				out = append(append(out, mine...), theirs...)
			default:
				out = append(out, both(base[g.from:g.to], mine, theirs)...)
			}
			continue
		}
		out = append(append(out, base[at:next.from]...), next.to...)
		at = next.till
	}
	return append(out, base[at:]...)
}

// change is a part of a list that has become another; where it is empty,
// something was put in.
type change struct {
	from, till int
	to         []string
}

// before reports whether all of c stands before all of o. Two that put something
// in at the same place do not, nor does one that overlaps.
func (c change) before(o change) bool {
	return c.till <= o.from && (c.from < c.till || o.from < o.till || c.till < o.from)
}

// stretch is where the changes of both sides overlap.
type stretch struct {
	from, to    int
	left, right []change
}

// overlap takes the changes of both sides that overlap, one with the next.
func overlap(left, right []change) (g stretch, _, _ []change) {
	g = stretch{from: min(left[0].from, right[0].from), to: max(left[0].till, right[0].till), left: left[:1], right: right[:1]}
	l, r := 1, 1
	for more := true; more; {
		more = false
		if l < len(left) && left[l].from < g.to {
			l, more = l+1, true
			g.to = max(g.to, left[l-1].till)
		}
		if r < len(right) && right[r].from < g.to {
			r, more = r+1, true
			g.to = max(g.to, right[r-1].till)
		}
	}
	g.left, g.right = left[:l], right[:r]
	return g, left[l:], right[r:]
}

// side is what one side has made of the stretch.
func (g stretch) side(base []string, all []change) (out []string) {
	at := g.from
	for _, c := range all {
		out = append(append(out, base[at:c.from]...), c.to...)
		at = c.till
	}
	return append(out, base[at:g.to]...)
}
