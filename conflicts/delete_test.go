package conflicts_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
)

// What may happen to a record as a whole.
const (
	deletes  = "deletes"
	edits    = "edits"
	hangs    = "hangs a child under it" // which counts as an edit of it
	restores = "restores"
)

// life is a record that is deleted and comes back, with what the engine
// remembers of it.
type life struct {
	rec    record.Record
	buried bool // an edit was
}

func born(onDelete record.OnDelete) *life {
	return &life{rec: record.Record{Kind: shop(onDelete), Seq: base}}
}

// happens does what the engine does around the verdicts. It reports false for
// what is refused.
func (l *life) happens(what string, w *conflicts.Write) bool {
	switch what {
	case deletes:
		if conflicts.Delete(&l.rec, w) == conflicts.Deletes {
			l.rec.State, l.rec.Tomb = record.Deleted, w.By
		}
		return true
	case edits, hangs:
		if l.rec.State == record.Deleted {
			switch conflicts.Meet(&l.rec, w) {
			case conflicts.TooLate:
				return false
			case conflicts.Buried:
				l.buried = true
				return true
			case conflicts.Revives:
			}
		}
	}
	l.rec.State, l.rec.Tomb = record.Live, record.Writer{}
	l.rec.Saw(w.By)
	return true
}

// deed is what somebody did to the record.
type deed struct {
	*typed
	what string
}

func (d deed) String() string { return fmt.Sprintf("%d:%d %s, read %v", d.by, d.n, d.what, d.read) }

// live lets deeds happen in an order.
func live(t require.TestingT, onDelete record.OnDelete, arrived []deed) *life {
	l := born(onDelete)
	for i, d := range arrived {
		w := &conflicts.Write{By: record.Writer{Replica: d.by, N: d.n, Seq: base + 1 + record.Seq(i)}, Seen: byName(d.typed)}
		require.True(t, l.happens(d.what, w), "%v was refused, and had the record on his screen", d)
	}
	return l
}

// drawLife lets three phones do to the record what they can as they see it:
// who sees it deleted cannot edit it.
func drawLife(t *rapid.T, onDelete record.OnDelete) []deed {
	what := map[*typed]string{}
	deeds := func(ws []*typed) (ds []deed) {
		for _, w := range ws {
			ds = append(ds, deed{w, what[w]})
		}
		return ds
	}
	phones := []*phone{{name: 1, place: base}, {name: 2, place: base}, {name: 3, place: base}}
	var log []*typed
	for range rapid.IntRange(2, 10).Draw(t, "deeds") {
		p := rapid.SampledFrom(phones).Draw(t, "phone")
		if rapid.Bool().Draw(t, "pulls first") {
			p.pull(log)
		}
		own := slices.DeleteFunc(slices.Clone(log[p.place-base:]), func(w *typed) bool { return w.by != p.name })
		screen := slices.Concat(log[:p.place-base], own, p.outbox)
		can := []string{deletes, edits, hangs}
		if live(t, onDelete, deeds(screen)).rec.State == record.Deleted {
			can = []string{deletes, restores}
			if onDelete == record.DeleteWins {
				can = can[:1]
			}
		}
		what[p.write(0)] = rapid.SampledFrom(can).Draw(t, "what")
		if rapid.Bool().Draw(t, "pushes") {
			log = p.push(log)
		}
	}
	for _, p := range phones {
		log = p.push(log)
	}
	return deeds(log)
}

func otherOrder(t *rapid.T, ds []deed) []deed {
	what := map[*typed]string{}
	var ws []*typed
	for _, d := range ds {
		what[d.typed], ws = d.what, append(ws, d.typed)
	}
	var order []deed
	for _, w := range drawOrder(t, ws) {
		order = append(order, deed{w, what[w]})
	}
	return order
}

// An edit wins over a delete that had not seen it, a child counts as an edit,
// and so does bringing the record back. In whatever order all that arrives,
// the record is gone exactly if somebody deleted it who had seen all the rest;
// and nobody who had it on his screen is refused.
func TestDelete_laws(t *testing.T) {
	t.Parallel()

	for _, onDelete := range []record.OnDelete{record.Revive, record.Cascade} {
		t.Run(string(onDelete), func(t *testing.T) {
			t.Parallel()

			rapid.Check(t, func(t *rapid.T) {
				deeds := drawLife(t, onDelete)
				otherwise := otherOrder(t, deeds)
				sawAll := func(d deed) bool {
					return d.what == deletes && !slices.ContainsFunc(deeds, func(o deed) bool {
						return o.what != deletes && o.n > d.read[o.by] && (o.by != d.by || o.n > d.n)
					})
				}

				got := live(t, onDelete, deeds)

				require.Equal(t, slices.ContainsFunc(deeds, sawAll), got.rec.State == record.Deleted, "%v", deeds)
				require.Equal(t, got.rec.State, live(t, onDelete, otherwise).rec.State, "%v\n%v", deeds, otherwise)
				require.Equal(t, got.rec.State == record.Live, got.rec.Tomb.IsZero())
			})
		})
	}
}

// Where deletes win, one is enough, and an edit that meets it is buried. To
// bring such a record back is for the log to order: it is not among the deeds.
func TestDelete_winsWhereTheKindSaysSo(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		deeds := drawLife(t, record.DeleteWins)
		deleted := slices.ContainsFunc(deeds, func(d deed) bool { return d.what == deletes })

		got := live(t, record.DeleteWins, deeds)

		require.Equal(t, deleted, got.rec.State == record.Deleted, "%v", deeds)
		require.Equal(t, got.rec.State, live(t, record.DeleteWins, otherOrder(t, deeds)).rec.State)
		require.True(t, !got.buried || deleted)
	})
}

// Every order of up to four deeds of people who know nothing of each other, on
// a record that is there and on one that was deleted, which whoever restores
// it has seen.
func TestDelete_everyOrderOfFourStrangers(t *testing.T) {
	t.Parallel()

	for _, onDelete := range []record.OnDelete{record.Revive, record.Cascade, record.DeleteWins} {
		t.Run(string(onDelete), func(t *testing.T) {
			t.Parallel()

			whats := []string{deletes, edits, hangs, restores}
			if onDelete == record.DeleteWins {
				whats = whats[:3]
			}
			for _, gone := range []bool{false, true} {
				for _, some := range upTo(4, whats) {
					want := ends(onDelete, gone, some)
					for order := range permutations(len(some)) {
						got := strangers(onDelete, gone, some, order)

						require.Equal(t, want, got, "deleted before: %v, then %v in order %v", gone, some, order)
					}
				}
			}
		})
	}
}

// ends is the state that some deeds of strangers come to.
func ends(onDelete record.OnDelete, gone bool, some []string) record.State {
	deleted := gone || slices.Contains(some, deletes)
	kept := slices.ContainsFunc(some, func(what string) bool { return what != deletes })
	if deleted && (onDelete == record.DeleteWins || !kept) {
		return record.Deleted
	}
	return record.Live
}

func strangers(onDelete record.OnDelete, gone bool, some []string, order []int) record.State {
	l := born(onDelete)
	first := record.Writer{Replica: 99, N: 1, Seq: base + 1}
	if gone {
		l.rec.State, l.rec.Tomb = record.Deleted, first
	}
	for i, k := range order {
		by := record.Writer{Replica: record.ReplicaID(k + 1), N: 1, Seq: first.Seq + 1 + record.Seq(i)}
		w := &conflicts.Write{By: by, Seen: conflicts.Seen{Log: base}}
		if some[k] == restores {
			w.Seen.Log = first.Seq
		}
		l.happens(some[k], w)
	}
	return l.rec.State
}

// upTo lists all choices of one to n words, in which order is for the
// permutations.
func upTo(n int, words []string) [][]string {
	var all [][]string
	level := [][]string{nil}
	for range n {
		var next [][]string
		for _, begun := range level {
			for i, word := range words {
				if len(begun) == 0 || slices.Index(words, begun[len(begun)-1]) <= i {
					next = append(next, append(slices.Clone(begun), word))
				}
			}
		}
		all, level = append(all, next...), next
	}
	return all
}

// permutations yields every order of 0 to n-1.
func permutations(n int) func(func([]int) bool) {
	return func(yield func([]int) bool) {
		var extend func(order []int) bool
		extend = func(order []int) bool {
			if len(order) == n {
				return yield(order)
			}
			for k := range n {
				if !slices.Contains(order, k) && !extend(append(order, k)) {
					return false
				}
			}
			return true
		}
		extend(nil)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name     string
		onDelete record.OnDelete
		state    record.State
		seen     conflicts.Seen
		want     conflicts.DeleteVerdict
	}{
		{"it deletes what it had seen", record.Revive, record.Live, conflicts.Seen{Log: 4}, conflicts.Deletes},
		{
			"seen by name is seen",
			record.Revive, record.Live,
			conflicts.Seen{Dots: vector{anna: 1, ben: 2}},
			conflicts.Deletes,
		},
		{
			"it yields to an edit that it had not seen",
			record.Revive, record.Live,
			conflicts.Seen{Dots: vector{anna: 1, ben: 1}},
			conflicts.Yields,
		},
		{"and to any of them", record.Revive, record.Live, conflicts.Seen{Dots: vector{ben: 2}}, conflicts.Yields},
		{"also where it takes children along", record.Cascade, record.Live, conflicts.Seen{Log: 0}, conflicts.Yields},
		{"unless the kind lets it win", record.DeleteWins, record.Live, conflicts.Seen{}, conflicts.Deletes},
		{"a second delete repeats the first", record.Revive, record.Deleted, conflicts.Seen{}, conflicts.Repeats},
		{"whatever the kind", record.DeleteWins, record.Deleted, conflicts.Seen{}, conflicts.Repeats},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			vector := []record.Writer{at(anna, 1, 1), at(ben, 2, 1)}
			rec := &record.Record{Kind: shop(tt.onDelete), State: tt.state, Vector: vector}

			got := conflicts.Delete(rec, &conflicts.Write{By: at(cara, 1, 1), Seen: tt.seen})

			require.Equal(t, tt.want, got)
		})
	}
}

func TestMeet(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name     string
		onDelete record.OnDelete
		by       record.Writer
		seen     conflicts.Seen
		want     conflicts.EditVerdict
	}{
		{"a stranger's edit revives", record.Revive, at(ben, 1, 1), conflicts.Seen{}, conflicts.Revives},
		{"also where deletes take children along", record.Cascade, at(ben, 1, 1), conflicts.Seen{}, conflicts.Revives},
		{
			"who had seen the delete is too late",
			record.Revive, at(ben, 1, 1),
			conflicts.Seen{Dots: vector{anna: 2}},
			conflicts.TooLate,
		},
		{"who had deleted it himself is too late", record.Revive, at(anna, 3, 1), conflicts.Seen{}, conflicts.TooLate},
		{"what he did before he deleted it is not", record.Revive, at(anna, 1, 1), conflicts.Seen{}, conflicts.Revives},
		{
			"where deletes win, a stranger's edit is buried",
			record.DeleteWins, at(ben, 1, 1),
			conflicts.Seen{},
			conflicts.Buried,
		},
		{"and who had seen it is told so", record.DeleteWins, at(ben, 1, 1), conflicts.Seen{Log: 3}, conflicts.TooLate},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			rec := &record.Record{Kind: shop(tt.onDelete), State: record.Deleted, Tomb: at(anna, 2, 1)}

			require.Equal(t, tt.want, conflicts.Meet(rec, &conflicts.Write{By: tt.by, Seen: tt.seen}))
		})
	}
}
