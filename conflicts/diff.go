package conflicts

// maxCells bounds what comparing two lists may cost: a million cells are a
// thousand lines against a thousand, in a few milliseconds. Of what is larger,
// and differs from beginning to end, all counts as changed.
const maxCells = 1 << 20

// changes are the parts of one list that have become others in the second,
// by a longest common subsequence (Wagner and Fischer, "The string-to-string
// correction problem", 1974) of what is left when what begins and what ends both
// is set aside.
func changes(from, to []string) []change {
	head := 0
	for head < len(from) && head < len(to) && from[head] == to[head] {
		head++
	}
	tail := 0
	for tail < len(from)-head && tail < len(to)-head && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	a, b := from[head:len(from)-tail], to[head:len(to)-tail]
	switch {
	case len(a) == 0 && len(b) == 0:
		return nil
	case len(a)*len(b) > maxCells:
		return []change{{head, head + len(a), b}}
	}
	var out []change
	i, j := 0, 0
	add := func(toI, toJ int) {
		switch {
		case j < toJ:
			out = append(out, change{head + i, head + toI, b[j:toJ]})
		default: // one by one: of what two take away, one may take more
			for ; i < toI; i++ {
				out = append(out, change{head + i, head + i + 1, nil})
			}
		}
	}
	for _, m := range matches(a, b) {
		add(m[0], m[1])
		i, j = m[0]+1, m[1]+1
	}
	add(len(a), len(b))
	return out
}

// matches are the places of a longest common subsequence in both lists, the
// earliest one.
func matches(a, b []string) (out [][2]int) {
	wide := len(b) + 1
	longest := make([]int32, (len(a)+1)*wide) // from i and j on
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				longest[i*wide+j] = longest[(i+1)*wide+j+1] + 1
			} else {
				longest[i*wide+j] = max(longest[(i+1)*wide+j], longest[i*wide+j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case longest[(i+1)*wide+j] >= longest[i*wide+j+1]:
			i++
		default:
			j++
		}
	}
	return out
}
