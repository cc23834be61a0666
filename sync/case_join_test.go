package sync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// pairOfSteps are two steps that two phones take from one, each without
// knowledge of the other.
type pairOfSteps struct {
	from, one, other string
	rec              record.ID
}

// pairsOf are all pairs of steps of a process that can be taken from one state.
func pairsOf(f *record.Field) (all []pairOfSteps) {
	for i, one := range f.Choices {
		for _, other := range f.Choices[i+1:] {
			for _, from := range f.Choices {
				if from != one && from != other && f.MayMove(from, one) && f.MayMove(from, other) {
					all = append(all, pairOfSteps{from: from, one: one, other: other})
					break
				}
			}
		}
	}
	return all
}

// Every row of the join table of what is shipped, on a server, in both orders of
// arrival: what stands is what the table says, whoever came second is told, and
// somebody is asked if the table says so.
func TestState_everyRow(t *testing.T) {
	t.Parallel()

	for kind, field := range map[string]string{"opportunity": "stage", "task": "status", "visit_plan": "status", "visit": "status"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			lin, chen, shop := twoOn(w)
			f := w.schema.Kind(kind).Field(field)
			for _, order := range [][]*phone{{lin, chen}, {chen, lin}} {
				pairs := pairsOf(f)
				require.NotEmpty(t, pairs)
				for i := range pairs {
					pairs[i].rec = lin.create(kind, values("account", shop, field, pairs[i].from))
				}
				lin.sync()
				chen.pull()
				second := map[record.ID]record.ID{}
				for _, p := range pairs {
					a, b := lin.edit(p.rec, values(field, p.one)), chen.edit(p.rec, values(field, p.other))
					second[p.rec] = map[*phone]record.ID{lin: a, chen: b}[order[1]]
				}
				order[0].push()
				order[1].push()
				lin.pull()
				for _, p := range pairs {
					want := f.Join(p.one, p.other)
					stands, out := want.State, order[1].outs[second[p.rec]]
					if want.Ask {
						stands = p.from
					}
					require.Equal(t, stands, lin.text(p.rec, field), "%s and %s from %s", p.one, p.other, p.from)
					require.Len(t, out.Clashes, 1, "%s and %s: %+v", p.one, p.other, out)
					require.Equal(t, want.Ask || want.Note, out.Clashes[0].Conflict != nil, "%s and %s", p.one, p.other)
				}
			}
		})
	}
}
