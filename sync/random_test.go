package sync_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/wire"
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
	backup   *player                         // its store at some earlier time
	gone     []record.ID                     // what it deleted
	relabels []version.Replica               // its former names
	units    map[record.ID]map[string]string // the groups that it changed, as they were shown
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
	w.engine.Still(2)
	w.org = w.newOrg("seed " + strconv.Itoa(seed))
	for i, login := range []string{"chen", "lin", "zhou", "gao", "lin"} {
		p := &player{phone: w.phone(login), login: login, name: login, units: map[record.ID]map[string]string{}}
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
// to story, and a field that reps may not see.
func storySchema(t *testing.T, seed int) *record.Schema {
	t.Helper()
	schema, err := record.ParseSchema(shipped.Stored())
	require.NoError(t, err)
	ways := []record.OnDelete{record.Revive, record.Cascade, record.DeleteWins}
	schema.Kind("account").OnDelete = ways[seed%2]
	schema.Kind("contact").OnDelete = ways[seed/2%3]
	schema.Kind("visit_plan").OnDelete = ways[seed/3%3]
	schema.Kind("account").Field("source").Readers = []string{"manager", "admin"}
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
	s.pass(time.Duration(pick(s.rng, []int{0, 1, 5, 60, 3600})) * time.Second)
	p := pick(s.rng, s.phones)
	switch x := s.rng.IntN(1000); {
	case x < 330:
		s.types(p)
	case x < 480:
		s.pushes(p)
	case x < 520:
		s.pushTogether()
	case x < 780:
		s.pulls(p)
	case x < 880:
		s.administers()
	case x < 920:
		s.moves()
	case x < 935:
		s.lateArrives()
	case x < 950:
		s.say("%s's phone crashes", p.name)
		p.crash()
	case x < 960:
		p.skew = pick(s.rng, []time.Duration{0, -8 * time.Minute, time.Minute, 24 * time.Hour})
		s.say("%s's clock is off by %s", p.name, p.skew)
	case x < 975:
		s.wants(p)
	case x < 985:
		s.sweeps()
	case x < 992:
		s.backsUp(p)
	default:
		s.restores(p)
	}
}

// ---- typing

// ids are the records on the phone's screen, in a fixed order.
func (p *player) ids() []record.ID {
	seen := map[record.ID]bool{}
	for id := range p.base {
		seen[id] = true
	}
	pending := func(m record.Mutation) {
		for _, e := range m.Edits {
			seen[e.ID] = seen[e.ID] || e.Op == record.OpCreate
			if e.Op == record.OpDelete {
				seen[e.ID] = false
			}
		}
	}
	for _, m := range p.settled {
		pending(m.Mutation)
	}
	for _, m := range p.outbox {
		pending(m)
	}
	var ids []record.ID
	for id, there := range seen {
		if kind := p.kind(id); there && kind != "user" && kind != "unit" {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, compareIDs)
	return ids
}

func compareIDs(a, b record.ID) int { return slices.Compare(a[:], b[:]) }

// shown is a field as it stands on the screen. Of a group an own change shows
// the other members as they were then.
func (p *player) shown(id record.ID, field string) string {
	pending := p.pending(id)
	for i := len(pending) - 1; i >= 0; i-- {
		if raw := pending[i].Set.Get(field); raw != nil {
			return string(raw)
		}
		if address(pending[i]) && slices.Contains(unit, field) {
			return p.units[id][field]
		}
	}
	return p.raw(id, field)
}

// unit is the group of the shipped schema.
var unit = []string{"address", "location"}

func address(e record.Edit) bool {
	return slices.ContainsFunc(unit, func(f string) bool { return e.Set.Get(f) != nil })
}

// types has somebody change something on his screen.
func (s *story) types(p *player) {
	ids := p.ids()
	x := s.rng.IntN(100)
	if len(ids) == 0 || x < 10 {
		set := values("name", s.value(), "remark", s.value())
		if s.chance(20) {
			set = append(set, values("owner", s.somebody())...)
		}
		if s.chance(30) {
			set = append(set, s.address()...)
		}
		s.puts(p, record.Edit{Op: record.OpCreate, Kind: "account", ID: s.id(), Set: set})
		return
	}
	if account, ok := s.anyAccount(p); ok && x < 28 {
		s.typesChild(p, account)
		return
	}
	id := pick(s.rng, ids)
	switch {
	case x < 35:
		p.gone = append(p.gone, id)
		s.puts(p, record.Edit{Op: record.OpDelete, Kind: p.kind(id), ID: id, Seen: p.seenAll(id)})
	case x < 38 && len(p.gone) > 0:
		id := pick(s.rng, p.gone)
		if p.has(id) {
			return
		}
		s.puts(p, record.Edit{Op: record.OpRestore, Kind: p.kind(id), ID: id})
	default:
		s.puts(p, s.changes(p, id)...)
	}
}

func (s *story) anyAccount(p *player) (record.ID, bool) {
	accounts := slices.DeleteFunc(p.ids(), func(id record.ID) bool { return p.kind(id) != "account" })
	if len(accounts) == 0 {
		return record.NoID, false
	}
	return pick(s.rng, accounts), true
}

// typesChild makes a record that hangs below an account, sometimes with a
// change of the account in the same mutation.
func (s *story) typesChild(p *player, account record.ID) {
	e := record.Edit{Op: record.OpCreate, ID: s.id(), Kind: pick(s.rng, []string{"contact", "contact", "visit_plan", "visit_plan", "task"})}
	switch e.Kind {
	case "contact":
		e.Set = values("account", account, "name", s.value())
	case "visit_plan":
		e.Set = values("account", account, "date", s.day())
	case "task":
		e.Set = values("account", account, "title", s.value())
	}
	edits := []record.Edit{e}
	if s.chance(30) {
		edits = append(edits, s.changes(p, account)...)
	}
	s.puts(p, edits...)
}

func (s *story) day() string {
	return fmt.Sprintf("2026-%02d-%02d", 6+s.rng.IntN(7), 1+s.rng.IntN(28))
}

func (s *story) somebody() record.ID {
	return s.person(s.org, pick(s.rng, []string{"chen", "lin", "zhou", "gao"}))
}

func (s *story) address() record.Values {
	var set record.Values
	if s.chance(70) {
		set = append(set, values("address", s.value())...)
	}
	if s.chance(70) || set == nil {
		s.told++
		set = append(set, values("location", json.RawMessage(fmt.Sprintf(`{"lat":30.%03d1,"lng":120.5,"crs":"wgs84"}`, s.told)))...)
	}
	return set
}

// changes are edits of some fields of one record.
func (s *story) changes(p *player, id record.ID) []record.Edit {
	var set record.Values
	e := p.change(id)
	maybe := func(percent int, field string, value any) {
		if s.chance(percent) {
			set = append(set, values(field, value)...)
		}
	}
	elements := func(percent int, field string, of ...any) {
		switch el := []any{pick(s.rng, of)}; {
		case s.chance(percent):
			e.Add = append(e.Add, values(field, el)...)
		case s.chance(percent):
			e.Remove = append(e.Remove, values(field, el)...)
		}
	}
	switch p.kind(id) {
	case "account":
		maybe(40, "name", s.value())
		maybe(30, "remark", s.value())
		maybe(30, "short_name", s.value())
		maybe(8, "owner", s.somebody())
		maybe(15, "last_contact_at", fmt.Sprintf("2026-11-%02dT08:00:00Z", 1+s.rng.IntN(28)))
		if s.chance(20) {
			set = append(set, s.address()...)
		}
		elements(20, "tags", "a", "b", "c")
		elements(8, "collaborators", s.somebody())
		if s.chance(25) {
			e.Inc = values("points", pick(s.rng, []int{1, 2, -1}))
		}
	case "contact":
		maybe(50, "name", s.value())
		maybe(40, "title", s.value())
		maybe(6, "owner", s.somebody())
		if account, ok := s.anyAccount(p); ok {
			maybe(15, "account", account)
		}
	case "visit_plan":
		maybe(50, "date", s.day())
		s.told++
		maybe(50, "order", s.told)
		maybe(10, "account", s.id()) // once: never taken
	case "task":
		maybe(60, "title", s.value())
		maybe(40, "detail", s.value())
		maybe(6, "owner", s.somebody())
	case "conflict":
		maybe(90, "chosen", s.value())
	}
	edits := p.edits(id, set)
	if len(e.Add)+len(e.Remove)+len(e.Inc) > 0 {
		edits = append(edits, e)
	}
	if len(edits) == 0 {
		e.Set = values(map[string]string{
			"account": "name", "contact": "name", "visit_plan": "order", "task": "title", "conflict": "chosen",
		}[p.kind(id)], nil)
		if p.kind(id) == "account" {
			e.Set[0].Raw = js(s.value())
		}
		edits = p.edits(id, e.Set)
	}
	return edits
}

// puts types a mutation and notes what its author had on the screen.
func (s *story) puts(p *player, edits ...record.Edit) {
	ty := &typing{who: p.name, edits: edits, known: map[place]map[record.ID]bool{}}
	for _, e := range edits {
		for _, v := range e.Set {
			at := place{e.ID, v.Field}
			if ty.known[at] == nil {
				ty.known[at] = s.knownTo(p.shown(e.ID, v.Field), at)
			}
		}
	}
	s.notePairs(p, edits)
	after := s.ties(p, edits)
	id := p.typed(edits...)
	p.outbox[len(p.outbox)-1].After = after
	s.typedBy[id] = ty
	s.noteValues(id, edits)
	s.say("%s types %s as n %d", p.name, s.words(edits), p.n)
}

// notePairs remembers which address and point somebody is about to have on his
// screen together.
func (s *story) notePairs(p *player, edits []record.Edit) {
	for _, e := range edits {
		if e.Kind != "account" || e.Op == record.OpDelete {
			continue
		}
		shown := map[string]string{}
		for _, f := range unit {
			if shown[f] = string(e.Set.Get(f)); shown[f] == "" {
				shown[f] = p.shown(e.ID, f)
			}
		}
		s.pairs[pairOf(e.ID, shown["address"], shown["location"])] = true
		if address(e) {
			p.units[e.ID] = shown
		}
	}
}

// ties are the mutations whose fate an edit shares, because it replaces what
// they typed; of a group always, of other fields as the app likes.
func (s *story) ties(p *player, edits []record.Edit) []json.RawMessage {
	var after []json.RawMessage
	for _, m := range p.outbox {
		for _, was := range m.Edits {
			for _, e := range edits {
				if was.ID == e.ID && (address(e) && address(was) || s.chance(10)) && len(after) < 5 {
					after = append(after, js(m.ID))
				}
			}
		}
	}
	return after
}

// noteValues remembers who typed what nobody had typed before.
func (s *story) noteValues(id record.ID, edits []record.Edit) {
	for _, e := range edits {
		for _, v := range e.Set {
			if strings.HasPrefix(string(v.Raw), `"v`) {
				s.wrote[string(v.Raw)] = id
			}
		}
	}
}

// knownTo are the writers of the value on a screen and of all that they knew.
func (s *story) knownTo(shown string, at place) map[record.ID]bool {
	known := map[record.ID]bool{}
	if by, ok := s.wrote[shown]; ok && s.typedBy[by] != nil {
		known[by] = true
		for id := range s.typedBy[by].known[at] {
			known[id] = true
		}
	}
	return known
}

func pairOf(id record.ID, address, location string) string {
	norm := func(raw string) string {
		if raw == "null" {
			return ""
		}
		return raw
	}
	return id.String() + norm(address) + norm(location)
}

func short(id record.ID) string { return id.String()[30:] }

func (s *story) words(edits []record.Edit) string {
	var out []string
	for _, e := range edits {
		text := fmt.Sprintf("%s %s %s", e.Op, e.Kind, short(e.ID))
		if e.Seen.Seq() > 0 {
			text += fmt.Sprintf(" (seen %d)", e.Seen.Seq())
		}
		for _, part := range []struct {
			sign   string
			values record.Values
		}{{"=", e.Set}, {"+", e.Add}, {"-", e.Remove}, {"by", e.Inc}} {
			for _, v := range part.values {
				text += " " + v.Field + part.sign + string(v.Raw)
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// ---- the network

func (s *story) pushes(p *player) {
	if len(p.outbox) == 0 {
		return
	}
	some := 1 + s.rng.IntN(p.ready())
	body := p.bytes(some)
	if s.chance(15) {
		s.late = append(s.late, lateFrame{p.phone, body, p.name})
	}
	if s.chance(10) {
		s.say("%s's push of %d is lost on the way", p.name, some)
		return
	}
	outcomes, err := p.send(body)
	s.answered(p, some, outcomes, err, s.chance(15))
}

func (s *story) pushTogether() {
	var all []sync.Together
	var who []*player
	for _, i := range s.rng.Perm(len(s.phones)) {
		if p := s.phones[i]; len(p.outbox) > 0 {
			some := 1 + s.rng.IntN(p.ready())
			all = append(all, sync.Together{Who: p.who, Frame: s.read(p.bytes(some))})
			who = append(who, p)
			if s.chance(20) { // the same once more in the same moment
				all = append(all, sync.Together{Who: p.who, Frame: s.read(p.bytes(1 + s.rng.IntN(some)))})
				who = append(who, p)
			}
		}
	}
	s.say("at once:")
	sizes := make([]int, len(all))
	for i := range all {
		sizes[i] = len(all[i].Frame.Mutations)
	}
	s.engine.PushTogether(context.Background(), s.org, all)
	for i, one := range all {
		var outcomes []record.Outcome
		if one.Answer != nil {
			outcomes = one.Answer.Outcomes
		}
		s.answered(who[i], sizes[i], outcomes, one.Err, s.chance(15))
	}
}

// answered has a phone take the answer to a push, unless it is lost.
func (s *story) answered(p *player, some int, outcomes []record.Outcome, err error, lost bool) {
	var problem *sync.Problem
	switch {
	case errors.As(err, &problem) && problem.More.FromN > 0:
		outcomes = problem.More.Outcomes
	default:
		require.NoError(s.t, err)
		require.Len(s.t, outcomes, some)
	}
	var words []string
	for _, o := range outcomes {
		s.noteOutcome(o)
		word := fmt.Sprintf("n %d %s at %d", o.N, o.Result, o.Seq)
		if o.Refusal != nil {
			word += " (" + o.Refusal.Code + ")"
		}
		for _, c := range o.Clashes {
			word += fmt.Sprintf(" %s: %s over %s", c.Field, c.Kept, c.Lost)
		}
		words = append(words, word)
	}
	suffix := ""
	if lost {
		suffix = ", answer lost"
	}
	s.say("%s pushes: %s%s", p.name, strings.Join(words, ", "), suffix)
	if lost {
		return
	}
	p.settle(outcomes)
	if problem != nil {
		s.relabels(p, problem.More)
	}
}

func (s *story) noteOutcome(o record.Outcome) {
	ty := s.typedBy[o.ID]
	require.NotNil(s.t, ty, "a verdict on what nobody typed")
	if ty.outcome == nil {
		ty.outcome = &o
		return
	}
	require.Equal(s.t, ty.outcome.Result, o.Result, "another verdict than the first time on %s", s.words(ty.edits))
}

func (s *story) lateArrives() {
	if len(s.late) == 0 {
		return
	}
	i := s.rng.IntN(len(s.late))
	l := s.late[i]
	s.late = slices.Delete(s.late, i, i+1)
	outcomes, err := s.engine.Push(context.Background(), l.p.who, s.read(l.body))
	var problem *sync.Problem
	if err != nil && !errors.As(err, &problem) {
		require.NoError(s.t, err)
	}
	s.say("a late duplicate of %s's push arrives", l.who)
	if outcomes != nil {
		for _, o := range outcomes.Outcomes {
			s.noteOutcome(o)
		}
	}
}

func (s *story) pulls(p *player) {
	p.max = pick(s.rng, []int{1, 300, 1500, 900_000})
	r := p.request()
	page := p.ask(r)
	var words []string
	for _, c := range page.Changes {
		word := short(c.ID) + "@" + c.Seq.String()
		switch {
		case c.Gone != "":
			word += " " + string(c.Gone)
		case c.Full:
			word += " full"
		}
		for _, v := range c.Set {
			if !c.Full {
				word += " " + v.Field
			}
		}
		words = append(words, word)
	}
	lost := s.chance(12)
	place, err := s.engine.PlaceOf(p.who, page.Cursor)
	require.NoError(s.t, err)
	s.say("%s pulls: drops %d, %s; complete %v, filling %v, base %d, pos %d, lost %v",
		p.name, len(page.DropScopes), strings.Join(words, ", "), page.Complete, page.Filling, place.Base(), place.Pos(), lost)
	if lost {
		return
	}
	for _, o := range page.Outcomes {
		s.noteOutcome(o)
	}
	p.take(page)
	if page.Complete {
		s.checkPhone(p, page)
	}
}

// ---- what else happens

// wants narrows or widens the period of a phone that is between pulls.
func (s *story) wants(p *player) {
	if p.ahead != "" || p.cursor == "" {
		return
	}
	p.from = fmt.Sprintf("2026-%02d", 5+s.rng.IntN(7))
	then := monthOf(p.from)
	s.say("%s wants what is from %s on", p.name, p.from)
	for id, h := range p.base { // the device drops what grows old by itself
		if m := monthOf(p.text(id, "date")); h.kind == "visit_plan" && m != 0 && m < then {
			delete(p.base, id)
		}
	}
}

func monthOf(text string) record.Month {
	t, err := time.Parse("2006-01", text[:min(7, len(text))])
	if err != nil {
		return 0
	}
	return record.Month((t.Year()-2000)*12 + int(t.Month()))
}

func (s *story) moves() {
	more, err := s.engine.RescopeChunk(context.Background(), s.org)
	require.NoError(s.t, err)
	if more {
		s.say("a chunk of a subtree moves")
	}
}

// sweeps deletes what dead rows of the index a server would sweep, some now,
// some later.
func (s *story) sweeps() {
	tag, err := s.pool.Exec(context.Background(), `DELETE FROM scope_index i WHERE i.org = $1 AND i.op = 0 AND EXISTS (
		SELECT FROM scope_index o WHERE o.org = i.org AND o.scope = i.scope AND o.rec = i.rec AND o.seq > i.seq)`, s.org)
	require.NoError(s.t, err)
	s.say("%d dead rows of the index are swept", tag.RowsAffected())
}

// administers has the server change records, people and units.
func (s *story) administers() {
	ctx := context.Background()
	edit := func(kind string, id record.ID, set record.Values) record.Edit {
		return record.Edit{Op: record.OpEdit, Kind: kind, ID: id, Set: set}
	}
	var e record.Edit
	switch x := s.rng.IntN(100); {
	case x < 20:
		var unit any
		if s.chance(50) {
			unit = s.person(s.org, "team")
		}
		e = edit("user", s.somebody(), values("unit", unit))
	case x < 28:
		e = edit("unit", s.person(s.org, "team"), values("manager", s.somebody()))
	case x < 38:
		e = edit("user", s.somebody(), values("status", pick(s.rng, []string{"active", "active", "left"})))
	default:
		var ok bool
		if e, ok = s.changesAny(); !ok {
			return
		}
	}
	m := record.Mutation{ID: s.id(), Stamp: version.StampAt(s.now()), Edits: []record.Edit{e}}
	s.typedBy[m.ID] = s.officeTyping(e)
	s.noteValues(m.ID, m.Edits)
	outcomes, err := s.engine.Commit(ctx, s.org, []sync.Proposal{{Mutation: m}})
	require.NoError(s.t, err)
	s.noteOutcome(outcomes[0])
	s.say("the office: %s: %s at %d", s.words(m.Edits), outcomes[0].Result, outcomes[0].Seq)
}

// officeTyping knows whatever is there.
func (s *story) officeTyping(e record.Edit) *typing {
	ty := &typing{who: "the office", edits: []record.Edit{e}, known: map[place]map[record.ID]bool{}}
	for _, r := range s.records() {
		for _, v := range e.Set {
			if at := (place{r.id, v.Field}); r.id == e.ID {
				ty.known[at] = s.knownTo(string(r.fields.Get(v.Field)), at)
			}
		}
	}
	return ty
}

// changesAny is an edit of any record at all, as it stands now.
func (s *story) changesAny() (record.Edit, bool) {
	all := s.records()
	all = slices.DeleteFunc(all, func(r row) bool {
		return r.kind.Name == "user" || r.kind.Name == "unit" || r.kind.Name == "conflict"
	})
	if len(all) == 0 {
		return record.Edit{}, false
	}
	r := pick(s.rng, all)
	e := record.Edit{Op: record.OpEdit, Kind: r.kind.Name, ID: r.id, Seen: version.Vector{version.Log: uint64(s.head())}}
	if r.deleted {
		e.Op = record.OpRestore
		return e, true
	}
	x := s.rng.IntN(100)
	switch {
	case x < 8:
		e.Op = record.OpDelete
	case r.kind.Name == "account" && x < 25:
		e.Set = values("source", pick(s.rng, []string{"referral", "campaign", "online"})) // reps do not see it
	case r.kind.Name == "account" && x < 60:
		e.Set = values("owner", s.somebody())
	case r.kind.Name == "account" && x < 70:
		e.Add = values("collaborators", []any{s.somebody()})
	case r.kind.Name == "contact" && x < 50:
		accounts := slices.DeleteFunc(all, func(r row) bool { return r.kind.Name != "account" || r.deleted })
		if len(accounts) == 0 {
			return e, false
		}
		e.Set = values("account", pick(s.rng, accounts).id)
	case r.kind.Name == "visit_plan":
		e.Set = values("date", s.day())
	case r.kind.Name == "task":
		e.Set = values("title", s.value())
	default:
		e.Set = values("name", s.value())
	}
	return e, true
}

// ---- backups and clones

// backsUp copies a phone's whole store.
func (s *story) backsUp(p *player) {
	c := *p.phone
	c.outbox, c.settled = slices.Clone(p.outbox), slices.Clone(p.settled)
	c.base, c.outs, c.names = map[record.ID]*held{}, map[record.ID]record.Outcome{}, maps.Clone(p.names)
	for id, h := range p.base {
		n := &held{kind: h.kind, seq: h.seq, set: map[string]string{}, in: map[string]bool{}}
		for k, v := range h.set {
			n.set[k] = v
		}
		for k := range h.in {
			n.in[k] = true
		}
		c.base[id] = n
	}
	c.crash()
	p.backup = &player{
		phone: &c, name: p.name, login: p.login,
		gone: slices.Clone(p.gone), relabels: slices.Clone(p.relabels), units: maps.Clone(p.units),
	}
	s.say("%s's phone is backed up at n %d", p.name, p.n)
}

// restores puts a phone's backup back, onto it or onto a second phone that
// goes on beside it.
func (s *story) restores(p *player) {
	if p.backup == nil {
		return
	}
	b := p.backup
	p.backup = nil
	if s.chance(40) && len(s.phones) < 8 {
		b.name = p.name + "'s twin"
		s.phones = append(s.phones, b)
		s.say("%s's backup goes onto a second phone", p.name)
		return
	}
	kept := map[record.ID]bool{}
	for _, m := range b.outbox {
		kept[m.ID] = true
	}
	for _, m := range p.outbox {
		if !kept[m.ID] {
			s.typedBy[m.ID].excused = true
		}
	}
	s.phones[slices.Index(s.phones, p)] = b
	s.say("%s's phone is restored from its backup, to n %d", p.name, b.n)
}

// relabels gives a phone that met its twin a new name: from the first number
// that differs on, mutations keep their id and get new numbers.
func (s *story) relabels(p *player, more wire.Problem) {
	p.relabels = append(p.relabels, p.replica)
	p.replica, p.n, p.names = more.Replica, 0, map[uint64]record.ID{}
	for i := range p.outbox {
		p.n++
		p.outbox[i].N, p.names[p.n] = p.n, p.outbox[i].ID
	}
	s.say("%s's phone is a copy and gets a new name from n %d on, with %d to send", p.name, more.FromN, len(p.outbox))
}

// ---- the oracle

// row is a record as SQL has it.
type row struct {
	id, owner, parent, root record.ID
	kind                    *record.Kind
	deleted                 bool
	month                   record.Month
	seq                     record.Seq
	scopes                  []record.ScopeID
	entered                 []record.Seq
	fields                  record.Values
}

func (r row) text(field string) string { return r.fields.Text(field) }

func (r row) ref(field string) record.ID {
	id, _ := record.ParseID(r.text(field))
	return id
}

func (r row) texts(field string) (out []string) {
	_ = json.Unmarshal(r.fields.Get(field), &out)
	return out
}

// records are all of the org.
func (s *story) records() []row {
	rows, err := s.pool.Query(context.Background(), `SELECT id, owner, coalesce(parent, '00000000-0000-0000-0000-000000000000'), root,
		kind, state, month, seq, scopes, entered, fields::text FROM records WHERE org = $1 ORDER BY id`, s.org)
	require.NoError(s.t, err)
	out, err := pgx.CollectRows(rows, func(c pgx.CollectableRow) (row, error) {
		var r row
		var kind, state int16
		var fields string
		err := c.Scan((*[16]byte)(&r.id), (*[16]byte)(&r.owner), (*[16]byte)(&r.parent), (*[16]byte)(&r.root),
			&kind, &state, &r.month, &r.seq, &r.scopes, &r.entered, &fields)
		if err == nil {
			r.kind, r.deleted = s.schema.KindNo(kind), state == int16(record.Deleted)
			r.fields, err = record.ParseValues([]byte(fields))
		}
		return r, err
	})
	require.NoError(s.t, err)
	return out
}

func (s *story) head() (seq record.Seq) {
	require.NoError(s.t, s.pool.QueryRow(context.Background(), `SELECT seq FROM heads WHERE org = $1`, s.org).Scan(&seq))
	return seq
}

// granted are the scopes that somebody holds now, and since when.
func (s *story) granted(who record.ID) (names map[record.ScopeID]string, since map[record.ScopeID]record.Seq) {
	names, since = map[record.ScopeID]string{}, map[record.ScopeID]record.Seq{}
	rows, err := s.pool.Query(context.Background(), `SELECT g.scope, s.name, g.since FROM grants g
		JOIN scopes s ON s.org = g.org AND s.id = g.scope WHERE g.org = $1 AND g.holder = $2 AND g.until IS NULL`, s.org, who)
	require.NoError(s.t, err)
	var scope record.ScopeID
	var name string
	var seq record.Seq
	_, err = pgx.ForEachRow(rows, []any{&scope, &name, &seq}, func() error {
		names[scope], since[scope] = name, seq
		return nil
	})
	require.NoError(s.t, err)
	return names, since
}

func (s *story) roles(login string) []string {
	if login == "chen" {
		return []string{"manager"}
	}
	return []string{"rep"}
}

// checkPhone compares what a phone holds after a complete pull with what it
// must: the live records of its scopes, as far as its fill has come.
func (s *story) checkPhone(p *player, page wire.PullAnswer) {
	names, since := s.granted(p.who.Person)
	place := p.place()
	want := map[record.ID]bool{}
	digests := map[string]*wire.Tally{}
	for _, name := range names {
		digests[name] = &wire.Tally{}
	}
	for _, r := range s.records() {
		wanted := r.month == 0 || r.month >= place.From()
		in, granted := map[string]bool{}, map[string]bool{}
		for _, scope := range r.scopes {
			if name := names[scope]; name != "" && wanted {
				granted[name] = true
				digests[name].Add(wire.Sum(r.id, r.seq, digestKey(name)))
				if place.Reached(since[scope], scope, r.kind.Rank, r.id) {
					in[name] = true
				}
			}
		}
		h := p.base[r.id]
		switch {
		case len(in) > 0:
			s.checkHeld(p, r, in)
		case h != nil: // while everything is filled, perhaps anew, it may come early
			require.True(s.t, place.First() && len(granted) > 0, "%s holds %s, which its grants do not allow: %v", p.name, r.id, h)
			require.Subset(s.t, granted, h.in)
			s.checkHeld(p, r, h.in)
		}
		want[r.id] = h != nil
	}
	for id := range p.base {
		require.True(s.t, want[id], "%s holds %s, which is not there", p.name, id)
	}
	if page.Filling {
		return
	}
	require.Len(s.t, page.Digests, len(digests))
	for name, tally := range digests {
		require.Equal(s.t, tally.Digest(), page.Digests[name], "digest of %s on %s", name, p.name)
	}
}

func (s *story) checkHeld(p *player, r row, in map[string]bool) {
	h := p.base[r.id]
	require.NotNil(s.t, h, "%s misses %s %s, which is in %v", p.name, r.kind.Name, r.id, in)
	require.Equal(s.t, in, h.in, "the scopes through which %s holds %s", p.name, r.id)
	require.Equal(s.t, r.seq, h.seq, "the seq of %s on %s", r.id, p.name)
	roles := s.roles(p.login)
	want := map[string]string{}
	for _, v := range r.fields {
		if f := r.kind.Field(v.Field); f == nil || f.ReadableBy(roles) {
			want[v.Field] = string(v.Raw)
		}
	}
	require.Equal(s.t, want, h.set, "what %s holds of %s", p.name, r.id)
	require.True(s.t, s.pairs[pairOf(r.id, want["address"], want["location"])] || r.kind.Name != "account",
		"nobody has had this address and this point on a screen together: %s %s", want["address"], want["location"])
}

// digestKey is the key of a scope's digest: FNV-1a of its name.
func digestKey(scope string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(scope) {
		h = (h ^ uint64(scope[i])) * 1099511628211
	}
	return h
}

// ---- the end

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
