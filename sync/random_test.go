package sync_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/version"
)

// Histories of this test; ROADBOOK_SEEDS=from:to runs others, ROADBOOK_STEPS
// makes them longer.
const (
	firstSeed, lastSeed = 1, 40
	historySteps        = 120
)

// People and phones do whatever they like, the network loses, repeats and
// delays, and an administrator moves people about. After every complete pull a
// phone holds exactly what an oracle says, which knows the records and the
// grants and nothing of how changes travel; at the end every mutation has been
// judged once, nothing typed is lost, nothing on nobody's screen was
// overwritten in silence, and every index says what follows from the records.
func TestRandomHistories(t *testing.T) {
	t.Parallel()

	pool := pgtest.DB(t)
	from, to := seeds(t)
	for seed := from; seed <= to; seed++ {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()

			s := newStory(t, newEarth(t, pool, uint64(seed)), seed)
			for range steps(t) {
				s.step()
			}

			s.calmDown()
			s.checkEnd()
		})
	}
}

func seeds(t *testing.T) (from, to int) {
	t.Helper()
	text := os.Getenv("ROADBOOK_SEEDS")
	if text == "" {
		return firstSeed, lastSeed
	}
	_, err := fmt.Sscanf(text, "%d:%d", &from, &to)
	require.NoError(t, err, "ROADBOOK_SEEDS is from:to")
	return from, to
}

func steps(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ROADBOOK_STEPS")
	if text == "" {
		return historySteps
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "ROADBOOK_STEPS is a number")
	return n
}

// story is one history.
type story struct {
	*world

	t      *testing.T
	seed   int
	office []*sync.Engine // servers on the one database, of which each step meets any
	which  *rand.Rand
	rng    *rand.Rand
	phones []*player
	script []string
	late   []lateFrame
	told   int // values given out

	typedBy map[record.ID]*typing // every mutation that was typed
	wrote   map[string]record.ID  // a value, and the mutation that typed it
	pairs   map[string]bool       // record, address and point that somebody had on his screen together
}

// player is a person with a phone.
type player struct {
	*phone

	name     string
	login    string
	backup   *player                                       // its store at some earlier time
	gone     []record.ID                                   // what it deleted
	relabels []version.Replica                             // its former names
	units    map[record.ID]map[record.ID]map[string]string // by mutation and record: the groups that it changed, as shown then
}

// typing is what was true when somebody typed a mutation.
type typing struct {
	who     string
	edits   []record.Edit
	known   map[place]map[record.ID]bool // whose values he had had on the screen
	outcome *record.Outcome              // the first that came back
	excused bool                         // it died with its phone
}

// place is a field of a record.
type place struct {
	rec   record.ID
	field string
}

func (p place) String() string { return p.rec.String() + "." + p.field }

type lateFrame struct {
	p    *phone
	body []byte
	who  string
}

func newStory(t *testing.T, w *world, seed int) *story {
	t.Helper()
	s := &story{
		world: w, t: t, seed: seed, rng: rand.New(rand.NewPCG(uint64(seed), 7)),
		typedBy: map[record.ID]*typing{}, wrote: map[string]record.ID{}, pairs: map[string]bool{},
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d:\n%s", seed, strings.Join(s.script, "\n"))
		}
	})
	w.schema = storySchema(t, seed)
	w.person = func(_ record.OrgID, login string) record.ID {
		return record.MustID("0190aaaa-0000-7000-8000-000000000002").Derive(login)
	}
	s.office, s.which = []*sync.Engine{w.engine}, rand.New(rand.NewPCG(uint64(seed), 3))
	if seed%2 == 0 {
		s.office = append(s.office, w.server(w.pool))
	}
	for i, server := range s.office {
		server.Still(2)
		server.LookAtMost([]int{3, 20, 1000}[seed%3])
		if i == seed/2%2 {
			server.Remember(1) // as good as nothing
		}
	}
	w.org = w.newOrg("seed " + strconv.Itoa(seed))
	for i, login := range []string{"chen", "lin", "zhou", "gao", "lin"} {
		p := &player{phone: w.phone(login), login: login, name: login, units: map[record.ID]map[record.ID]map[string]string{}}
		if i == 4 {
			p.name = "lin's tablet"
		}
		p.stages = s.rng.IntN(4) > 0
		p.skew = pick(s.rng, []time.Duration{0, 0, -8 * time.Minute, time.Minute, 3 * time.Hour, 3 * 365 * 24 * time.Hour})
		s.phones = append(s.phones, p)
	}
	return s
}

// storySchema is the shipped one with rules for deletes that differ from story
// to story, and fields that reps may not see.
func storySchema(t *testing.T, seed int) *record.Schema {
	t.Helper()
	schema, err := record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	ways := []record.OnDelete{record.Revive, record.Cascade, record.DeleteWins}
	schema.Kind("account").OnDelete = ways[seed%2]
	schema.Kind("contact").OnDelete = ways[seed/2%3]
	schema.Kind("visit_plan").OnDelete = ways[seed/3%3]
	schema.Kind("account").Field("source").Readers = []string{"manager", "admin"}
	schema.Kind("account").Field("industry").Readers = []string{"manager", "service"}
	require.NoError(t, schema.Check())
	return schema
}

func pick[T any](rng *rand.Rand, of []T) T { return of[rng.IntN(len(of))] }

func (s *story) chance(percent int) bool { return s.rng.IntN(100) < percent }

func (s *story) say(format string, args ...any) {
	s.script = append(s.script, fmt.Sprintf("%3d  ", len(s.script)+1)+fmt.Sprintf(format, args...))
}

// value is a text that nobody has typed before.
func (s *story) value() string {
	s.told++
	return "v" + strconv.Itoa(s.told)
}

func (s *story) step() {
	s.engine = pick(s.which, s.office)
	s.pass(time.Duration(pick(s.rng, []int{0, 1, 5, 60, 3600})) * time.Second)
	p := pick(s.rng, s.phones)
	switch x := s.rng.IntN(1000); {
	case x < 330:
		s.types(p)
	case x < 480:
		s.pushes(p)
	case x < 520:
		s.pushTogether()
	case x < 740:
		s.pulls(p)
	case x < 840:
		s.administers()
	case x < 880:
		s.moves()
	case x < 900:
		s.lateArrives()
	case x < 915:
		s.say("%s's phone crashes", p.name)
		p.crash()
	case x < 925:
		p.skew = pick(s.rng, []time.Duration{0, -8 * time.Minute, time.Minute, 24 * time.Hour})
		s.say("%s's clock is off by %s", p.name, p.skew)
	case x < 955:
		s.wants(p)
	case x < 965:
		s.sweeps()
	case x < 980:
		s.backsUp(p)
	default:
		s.restores(p)
	}
}

// calmDown lets everything arrive.
func (s *story) calmDown() {
	s.say("everything arrives")
	for busy := true; busy; {
		more, err := s.engine.RescopeChunk(context.Background(), s.org)
		require.NoError(s.t, err)
		busy = more
	}
	for range 3 {
		for _, p := range s.phones {
			for len(p.outbox) > 0 {
				some := p.ready()
				outcomes, err := p.send(p.bytes(some))
				s.answered(p, some, outcomes, err, false)
			}
			for filling := true; filling; {
				p.max = 2000
				page := p.pullPage()
				for _, o := range page.Outcomes {
					s.noteOutcome(o)
				}
				if page.Complete {
					s.checkPhone(p, page)
				}
				filling = page.Filling || !page.Complete
			}
		}
		for busy := true; busy; {
			more, err := s.engine.RescopeChunk(context.Background(), s.org)
			require.NoError(s.t, err)
			busy = more
		}
	}
}
