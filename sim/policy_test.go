package sim_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/modules/people"
	"roadbook/sim"
)

// Histories of one field: few hands, and nothing but it.
const (
	fieldSeeds = 20
	fieldSteps = 40
)

// crowded is a history in which three phones do nothing but write into one
// record, push and pull, in any order.
func crowded(seed uint64, edit func(rng *rand.Rand, p string, no int) string) string {
	rng := rand.New(rand.NewPCG(seed, 7))
	lines := []string{fmt.Sprintf("seed %d", seed), "strict"}
	say := func(words string) { lines = append(lines, fmt.Sprintf("%d %s", len(lines)-1, words)) }
	phones := []string{"lin", "chen", "lin2"}
	for _, p := range phones {
		say(p + " joins " + strings.TrimSuffix(p, "2") + " | size=900000")
		say(p + " pulls")
	}
	say("lin types create a1 name=v1 ; create o1 account=a1 name=v1b ; create t1 account=a1 title=v1c")
	say("lin pushes")
	for _, p := range phones {
		say(p + " pulls")
	}
	for no := range fieldSteps {
		p := phones[rng.IntN(len(phones))]
		switch x := rng.IntN(10); {
		case x < 5:
			say(p + " types " + edit(rng, p, no))
		case x < 8:
			say(p + " pushes")
		default:
			say(p + " pulls")
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// playCrowded plays such histories.
func playCrowded(t *testing.T, edit func(rng *rand.Rand, p string, no int) string) {
	t.Helper()
	r := newRunner(t, people.Rule{})
	for seed := range uint64(fieldSeeds) {
		s, err := sim.Parse(crowded(seed+1, edit))
		require.NoError(t, err)
		if f := r.Play(t.Context(), s); f != nil {
			require.Fail(t, f.Error())
		}
	}
}

func TestCrowded_stage(t *testing.T) {
	t.Parallel()

	stages := []string{"lead", "qualified", "proposal", "negotiation", "won", "lost", "won", "lost"}
	playCrowded(t, func(rng *rand.Rand, _ string, _ int) string { return "edit o1 stage=" + stages[rng.IntN(len(stages))] })
}

func TestCrowded_checklist(t *testing.T) {
	t.Parallel()

	playCrowded(t, func(rng *rand.Rand, p string, no int) string {
		row := fmt.Sprint("r", rng.IntN(6))
		return "edit t1 checklist" + []string{
			fmt.Sprintf("+r%d:%s:v%d", no, p, 100+no), fmt.Sprintf("+%s:%s:v%d", row, p, 100+no), fmt.Sprintf("*%s:%s:v%d", row, p, 100+no), "-" + row,
		}[rng.IntN(4)]
	})
}

func TestCrowded_terms(t *testing.T) {
	t.Parallel()

	playCrowded(t, func(rng *rand.Rand, _ string, no int) string {
		return "edit a1 terms=" + []string{"cash", "credit", fmt.Sprint("v", 100+no)}[rng.IntN(3)]
	})
}
