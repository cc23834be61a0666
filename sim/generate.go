package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	device "roadbook/clients/go"
	"roadbook/record"
	"roadbook/sync/wire"
)

// generator thinks steps up. It looks at the world so that most of them apply,
// and writes down everything that it decides, so that a script needs no chance.
type generator struct {
	w     *World
	rng   *rand.Rand
	no    int // of the last step
	told  int // values given out in this step
	twins int
}

// Generate begins the script of a seed: its schema and its phones.
func generate(seed uint64) (Script, *generator) {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 7))} //nolint:gosec // it must be repeatable
	ways := []string{"revive", "cascade", "delete"}
	s := Script{Seed: seed, Deletes: fmt.Sprintf("account=%s contact=%s visit_plan=%s",
		ways[seed%2], ways[seed/2%3], ways[seed/3%3])}
	s.Backed = seed%6 == 2 && seed%5 != 1 // half of those on the worst days, and nothing is purged in them
	pots := g.begin("office", "types", "create", "b1", "name=pot", "discount=100", "owner=admin", ";",
		"create", "s1", "name=pad", "prefix=Q-", "owner=admin")
	s.Steps = append(s.Steps, pots)
	names := []string{"lin", "chen", "zhou", "gao", "lin2", "wang"}
	if g.chance(40) {
		names = append(names, "admin")
	}
	for _, name := range names {
		step := g.begin(name, "joins", strings.TrimSuffix(name, "2"))
		step.With = map[string]string{
			"size": g.size(), "want": g.month(),
			"skew": pick(g, "0s", "0s", "-8m", "1m", "3h", "26280h"),
		}
		if g.chance(30) {
			step.With["stage"] = "0"
		}
		s.Steps = append(s.Steps, step)
		if g.chance(80) {
			s.Steps = append(s.Steps, g.begin(name, "pulls"))
		}
	}
	return s, g
}

func (g *generator) begin(who, does string, args ...string) Step {
	g.no++
	g.told = 0
	return Step{No: g.no, Who: who, Does: does, Args: args}
}

func pick[T any](g *generator, of ...T) T { return of[g.rng.IntN(len(of))] }

func (g *generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

// value is a text that nobody has typed before, and that says where it is from.
func (g *generator) value() string {
	g.told++
	v := "v" + strconv.Itoa(g.no)
	if g.told > 1 {
		v += string(rune('a' + g.told - 1))
	}
	return v
}

// size is the most bytes in a page.
func (g *generator) size() string { return pick(g, "1", "300", "1500", "1500", "4000", "900000") }

func (g *generator) month() string { return fmt.Sprintf("2026-%02d", 6+g.rng.IntN(5)) }

func (g *generator) day() string {
	return fmt.Sprintf("2026-%02d-%02d", 6+g.rng.IntN(7), 1+g.rng.IntN(28))
}

func (g *generator) instant() string {
	return fmt.Sprintf("2026-11-%02dT08:00:00Z", 1+g.rng.IntN(28))
}

func (g *generator) somebody() string { return pick(g, logins[1:]...) }

// next thinks up one step.
func (g *generator) next() Step {
	p := pick(g, g.w.phones...)
	if g.w.seed%3 == 2 && g.chance(10) { // the worst days of a server
		return g.worst(p)
	}
	if g.w.seed%5 == 1 && g.chance(8) { // much is purged, and phones compare
		return g.purging(p)
	}
	if g.w.seed%4 == 0 && g.chance(7) {
		return g.copies(p) // phones that are copied and restored all the time
	}
	if g.w.seed%4 == 1 && g.chance(25) { // networks that carry a page or two
		s := g.network(g.begin(p.name, "pulls"))
		s.With["pages"] = pick(g, "1", "2")
		return s
	}
	switch x := g.rng.IntN(1000); {
	case x < 340:
		return g.typing(p)
	case x < 500:
		return g.network(g.begin(p.name, "pushes"))
	case x < 740:
		s := g.network(g.begin(p.name, "pulls"))
		if g.chance(40) {
			s.With["pages"] = strconv.Itoa(1 + g.rng.IntN(3))
		}
		return s
	case x < 780:
		return g.begin("time", pick(g, "1s", "5s", "1m", "1h", "7h"))
	case x < 870:
		return g.office()
	case x < 900:
		return g.begin("office", "moves")
	case x < 925:
		return g.late(p)
	case x < 940:
		s := g.begin(p.name, "restarts")
		s.With = map[string]string{"size": g.size()}
		return s
	case x < 945:
		s := g.begin(p.name, "spoils", pick(g, "bit", "row", "page"))
		s.With = map[string]string{"at": strconv.Itoa(g.rng.IntN(10_000))}
		return s
	case x < 950:
		return g.begin(p.name, "clock", pick(g, "0s", "-8m", "1m", "24h", "-26280h", "26280h"))
	case x < 955:
		return g.pins(p)
	case x < 964:
		return g.wants(p)
	case x < 969:
		return g.begin("office", "sweeps")
	case x < 971:
		s := g.begin("office", "restarts")
		s.With = map[string]string{"via": pick(g, "1", "2")}
		return s
	case x < 977:
		return g.publishes()
	default:
		return g.copies(p)
	}
}

// publishes has some fields come into sight, and others go.
func (g *generator) publishes() Step {
	s := g.begin("office", "publishes")
	for _, f := range []string{"account.source", "account.remark", "contact.title", "account.tags", "account.points", "account.external_ids", "task.detail"} {
		if g.chance(30) {
			s.Args = append(s.Args, f)
		}
	}
	return s
}

// copies has a phone backed up, restored, or doubled.
func (g *generator) copies(p *phone) Step {
	switch {
	case p.clone == nil:
		return g.begin(p.name, "backup")
	case g.chance(60) && len(g.w.phones) < 10:
		g.twins++
		return g.begin(p.name, "twin", p.login+"-"+strconv.Itoa(g.twins))
	}
	return g.begin(p.name, "restore")
}

// worst is what should never happen to a server, and to phones beside it.
func (g *generator) worst(p *phone) Step {
	switch x := g.rng.IntN(100); {
	case x < 35 || len(g.w.saved) == 0:
		return g.begin("office", "saves")
	case x < 65:
		s := g.begin("office", "rewinds", strconv.Itoa(1+g.rng.IntN(len(g.w.saved))))
		if g.chance(30) {
			s.With = map[string]string{"silent": "1"}
		}
		return s
	case x < 70:
		return g.begin("time", "720h")
	case x < 76:
		return g.begin("office", "expires")
	case x < 80:
		return g.begin(p.name, pick(g, "wiped", "reinstalls"))
	}
	return g.copies(p)
}

// purging is what becomes of what is long gone, and of phones that were away.
func (g *generator) purging(p *phone) Step {
	switch x := g.rng.IntN(100); {
	case x < 50:
		s := g.begin("office", "purges", pick(g, "0s", "0s", "1m", "1h", "7h"))
		s.With = map[string]string{"via": pick(g, "1", "2")}
		return s
	case x < 60:
		return g.begin("time", pick(g, "1h", "720h"))
	}
	s := g.network(g.begin(p.name, "checks"))
	if g.chance(50) {
		s.With["loses"] = pick(g, "1", "2", "3", "7")
		delete(s.With, "dies") // before it knows
	}
	return s
}

// network lets chance do something to a step's requests.
func (g *generator) network(s Step) Step {
	s.With = map[string]string{}
	if g.chance(22) {
		s.With["lose"] = pick(g, "request", "answer", "answer", "half")
		if s.Does == "pulls" && g.chance(50) {
			s.With["at"] = strconv.Itoa(1 + g.rng.IntN(3))
		}
	}
	if g.chance(12) {
		s.With["keep"] = "1"
	}
	if g.chance(40) {
		s.With["via"] = "2"
	}
	if g.chance(5) {
		s.With["dies"] = strconv.Itoa(1 + g.rng.IntN(3))
	}
	return s
}

func (g *generator) wants(p *phone) Step {
	s := g.begin(p.name, "wants", g.month(), pick(g, "all", "all", "all",
		"account,contact,user,unit", "visit_plan,account", "task,opportunity,conflict,account", "user"))
	if pins := g.pins(p).Args; len(pins) > 0 && g.chance(50) {
		s.Args = append(s.Args, strings.Join(pins, ","))
	}
	return s
}

// pins are accounts that somebody has on his screen, or nobody's in particular.
func (g *generator) pins(p *phone) Step {
	s := g.begin(p.name, "pins")
	for _, v := range p.dev.List("account") {
		if name := g.scripted(v.ID, v.Kind); name != "" && g.chance(40) && len(s.Args) < wire.MaxPins-1 {
			s.Args = append(s.Args, name)
		}
	}
	if len(g.w.graves) > 0 && g.chance(20) {
		s.Args = append(s.Args, pick(g, g.w.graves...))
	}
	return s
}

func (g *generator) late(p *phone) Step {
	var all []int
	for no := range g.w.late {
		all = append(all, no)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return g.begin(p.name, "pushes")
	}
	return g.begin(p.name, "again", strconv.Itoa(pick(g, all...)))
}

// scripted is what a script calls a record.
func (g *generator) scripted(id record.ID, kind string) string {
	if name := g.w.names[id]; name != "" {
		return name
	}
	switch kind {
	case "conflict":
		return "x" + id.String()
	case "request":
		return "q" + id.String()
	case "merge_redirect":
		return "m" + id.String()
	case "duplicate":
		return "d" + id.String()
	}
	return ""
}

// typing has somebody change something on his screen.
func (g *generator) typing(p *phone) Step {
	s := g.begin(p.name, "types")
	if g.chance(2) {
		s.With = map[string]string{"dies": "1"}
	}
	if p.login == "admin" && g.chance(60) {
		s.Args = g.people()
		return s
	}
	if g.chance(10) {
		return g.promise(p)
	}
	if g.chance(8) {
		if words := g.decision(p); words != nil {
			s.Args = words
			return s
		}
	}
	views := g.screen(p)
	x := g.rng.IntN(100)
	if len(views) == 0 || x < 10 {
		s.Args = g.newAccount()
		return s
	}
	if g.w.alike && g.chance(20) {
		if s.Args = g.decided(p); s.Args != nil {
			return s
		}
	}
	if account := g.anyOf(views, "account"); account != nil && x < 28 {
		s.Args = g.child(account)
		return s
	}
	v := pick(g, views...)
	name := g.scripted(v.ID, v.Kind)
	switch {
	case x < 35:
		s.Args = []string{"delete", name}
	case x < 40 && len(g.w.graves) > 0:
		s.Args = []string{"restore", pick(g, g.w.graves...)}
	case x < 45:
		s.Args = append(g.changes(v, views), ";")
		s.Args = append(s.Args, g.changes(pick(g, views...), views)...)
	default:
		s.Args = g.changes(v, views)
	}
	return s
}

// screen is what somebody can change.
func (g *generator) screen(p *phone) (views []device.View) {
	for _, kind := range []string{"account", "contact", "visit_plan", "task", "opportunity", "conflict", "request"} {
		for _, v := range p.dev.List(kind) {
			if g.scripted(v.ID, v.Kind) != "" {
				views = append(views, v)
			}
		}
	}
	return views
}

func (g *generator) anyOf(views []device.View, kind string) *device.View {
	var all []*device.View
	for i := range views {
		if views[i].Kind == kind {
			all = append(all, &views[i])
		}
	}
	if len(all) == 0 {
		return nil
	}
	return pick(g, all...)
}
