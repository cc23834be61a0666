package sim

import (
	"cmp"
	"slices"

	"roadbook/record"
	"roadbook/version"
)

// The stage of a deal is the furthest of those that nobody has replaced
// knowingly. If one of them won it and another lost it, it is the furthest of
// where they came from. Of terms, which people decide, it is what the one with
// the latest stamp had before him, as long as they differ.

// taken is a step that somebody took, and where the log had the record then.
type taken struct {
	by    dot
	stamp version.Stamp
	to    string
	from  string
}

// stood is what a field held from a place in the log on.
type stood struct {
	seq   record.Seq
	value string
}

// steps follows the fields that are steps of a process.
func (r *replay) steps(row *logRow, author dot, seen version.Vector, kind *record.Kind, e loggedEdit) {
	for _, v := range e.Set {
		f, to := kind.Field(v.Field), e.Set.Text(v.Field)
		if f.Policy != record.Manual && f.Policy != record.Process || to == "" {
			continue
		}
		at := place{e.ID, v.Field}
		if row.second(at) {
			continue // somebody else has decided, and this was not taken
		}
		came := ""
		for _, was := range r.stands[at] {
			if int64(was.seq) <= seen.Seq() {
				came = was.value
			}
		}
		r.taken[at] = slices.DeleteFunc(r.taken[at], func(t taken) bool {
			if t.by == author { // an earlier edit of the same mutation
				came = t.from
			}
			return r.knew(author, seen, t.by)
		})
		r.taken[at] = append(r.taken[at], taken{author, row.stamp, to, came})
		r.stands[at] = append(r.stands[at], stood{author.seq, stands(f, r.taken[at])})
	}
}

// stands is what the writes that nobody has replaced come to.
func stands(f *record.Field, all []taken) string {
	if f.Policy == record.Process {
		return furthest(f, all)
	}
	last := slices.MaxFunc(all, func(a, b taken) int {
		return cmp.Or(a.stamp.Compare(b.stamp), cmp.Compare(a.by.replica, b.by.replica), cmp.Compare(a.by.n, b.by.n))
	})
	if slices.ContainsFunc(all, func(t taken) bool { return t.to != last.to }) {
		return last.from
	}
	return last.to
}

// furthest is where a process stands: by the order of its steps, and by hand.
func furthest(f *record.Field, all []taken) string {
	step := func(name string) int { return slices.Index(f.Choices, name) }
	most, from := "", ""
	var ends []string
	for _, t := range all {
		if step(t.to) > step(most) {
			most = t.to
		}
		if step(t.from) > step(from) {
			from = t.from
		}
		if t.to == "won" || t.to == "lost" {
			ends = append(ends, t.to)
		}
	}
	if slices.Contains(ends, "won") && slices.Contains(ends, "lost") {
		return from
	}
	return most
}

// checkStep compares where a process stands with the steps that were taken.
func (r *replay) checkStep(at place, raw string, differs func(what, want string)) {
	want := ""
	if all := r.stands[at]; len(all) > 0 && all[len(all)-1].value != "" {
		want = `"` + all[len(all)-1].value + `"`
	}
	if r.w.life == 0 && raw != want {
		differs("by the steps taken", want)
	}
}
