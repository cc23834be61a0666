package conflicts_test

import (
	"encoding/json"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

// versioned reports whether a field keeps the writes that nobody has replaced.
func versioned(field string) bool { return field == "step" || field == "terms" }

// writesOf are the steps that set a field and that somebody had read, by their
// places or by name.
func (s *server) writesOf(field string, read func(record.Writer) bool) (out []step) {
	for _, past := range s.steps {
		if sets(past.typed, field) && read(past.write.By) {
			out = append(out, past)
		}
	}
	return out
}

// frontier are those that nobody among them has replaced knowingly.
func frontier(all []step) (out []step) {
	for _, w := range all {
		if !slices.ContainsFunc(all, func(o step) bool { return !o.write.By.Same(w.write.By) && o.write.Covers(w.write.By) }) {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b step) int { return conflicts.Compare(a.write.By, b.write.By) })
	return out
}

func hasRead(w *conflicts.Write) func(record.Writer) bool {
	return func(o record.Writer) bool { return o.Seq <= w.Seen.Log || w.Seen.Dots[o.Replica] >= o.N }
}

// stood is what stood in a field by what the author of a write had read: worked
// out anew from nothing but who had read what.
func (s *server) stood(w *conflicts.Write, field string) json.RawMessage {
	return standsAmong(frontier(s.writesOf(field, hasRead(w))), field)
}

// screen is the same with what he has typed since on top.
func (s *server) screen(w *conflicts.Write, field string) json.RawMessage {
	for _, past := range slices.Backward(s.steps) {
		if past.write.By.Replica == w.By.Replica && !hasRead(w)(past.write.By) && sets(past.typed, field) {
			return past.typed.edit.Set.Get(field)
		}
	}
	return s.stood(w, field)
}

// standsAmong is what stands where these stand against each other.
func standsAmong(front []step, field string) json.RawMessage {
	switch {
	case len(front) == 0:
		return nil
	case field == "step":
		return joinedState(front)
	}
	last := front[len(front)-1]
	for _, w := range front {
		if string(w.typed.edit.Set.Get(field)) != string(last.typed.edit.Set.Get(field)) {
			return valueOrNone(last.from)
		}
	}
	return valueOrNone(last.typed.edit.Set.Get(field))
}

func valueOrNone(raw json.RawMessage) json.RawMessage {
	if record.IsNull(raw) {
		return nil
	}
	return raw
}

// joinedState is the join by the words of the table of anyStep.
func joinedState(front []step) json.RawMessage {
	join := func(all []string) string {
		has := func(s string) bool { return slices.Contains(all, s) }
		switch {
		case has("won") && has("lost"):
			return "?"
		case has("won") || has("lost") || has("redo"):
		case has("approved") && has("changed"):
			return "redo"
		}
		return slices.MaxFunc(all, func(a, b string) int { return slices.Index(steps, a) - slices.Index(steps, b) })
	}
	var said, from []string
	for _, w := range front {
		said = append(said, text(w.typed.edit.Set.Get("step")))
		if w.from != nil && text(w.from) != "" {
			from = append(from, text(w.from))
		}
	}
	stands := join(said)
	if stands == "?" {
		if len(from) == 0 {
			return nil
		}
		if stands = join(from); stands == "?" {
			return front[len(front)-1].from
		}
	}
	return quoted(stands)
}

func text(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// asModel: what stands is what the model works out from who had read what.
func asModel(field string) law {
	return law{"what stands follows from what nobody has replaced knowingly", func(t *rapid.T, history []*typed) {
		s := &server{}
		for _, now := range settle(t, history, byPlace) {
			s.steps = append(s.steps, now)
			all := func(record.Writer) bool { return true }
			require.Equal(t, string(standsAmong(frontier(s.writesOf(field, all)), field)), string(now.rec.Raw(field)), "after %v", now.typed)
		}
	}}
}

// replacedForGood: what somebody had read and replaced is not among the versions.
func replacedForGood(field string) law {
	return law{"what its author had read is never a version again", func(t *rapid.T, history []*typed) {
		steps := settle(t, history, byPlace)
		for i, now := range steps {
			slot := now.rec.Slot(field)
			if slot == nil {
				continue // nobody has said anything yet
			}
			for _, v := range slot.Versions {
				for _, s := range steps[:i+1] {
					if sets(s.typed, field) && !s.write.By.Same(v.By) {
						require.False(t, s.write.Covers(v.By), "%v had read %v", s.typed, v.By)
					}
				}
			}
		}
	}}
}
