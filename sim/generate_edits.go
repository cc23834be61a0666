package sim

import (
	"strconv"

	device "roadbook/clients/go"
)

func (g *generator) newAccount() []string {
	words := []string{"create", "a" + strconv.Itoa(g.no), "name=" + g.value(), "remark=" + g.value()}
	if g.w.alike {
		return append(words, g.alike()...)
	}
	if g.chance(20) {
		words = append(words, "owner="+g.somebody())
	}
	if g.chance(30) {
		words = append(words, g.address()...)
	}
	if g.chance(20) {
		words = append(words, "points=2", "tags=a,b")
	}
	return words
}

// child is a record that hangs below an account, sometimes with a change of
// the account in the same mutation.
func (g *generator) child(account *device.View) []string {
	no, above := strconv.Itoa(g.no), g.scripted(account.ID, "account")
	words := pick(g,
		[]string{"create", "c" + no, "account=" + above, "name=" + g.value()},
		[]string{"create", "p" + no, "account=" + above, "date=" + g.day()},
		[]string{"create", "t" + no, "account=" + above, "title=" + g.value()},
		[]string{"create", "o" + no, "account=" + above, "name=" + g.value()})
	if g.chance(30) {
		words = append(append(words, ";"), g.changes(*account, nil)...)
	}
	return words
}

func (g *generator) address() (words []string) {
	if g.chance(70) {
		words = append(words, "address="+g.value())
	}
	if g.chance(70) || words == nil {
		words = append(words, "location="+strconv.Itoa(100+g.no))
	}
	return words
}

// changes are changes of some fields of one record.
func (g *generator) changes(v device.View, views []device.View) []string {
	words := []string{"edit", g.scripted(v.ID, v.Kind)}
	maybe := func(percent int, word string) {
		if g.chance(percent) {
			words = append(words, word)
		}
	}
	switch v.Kind {
	case "account":
		if g.w.alike { // what may make two of them one
			maybe(25, "phones"+pick(g, "+", "+", "-")+pick(g, somePhones...))
			maybe(15, "name="+pick(g, someNames...))
		}
		maybe(40, "name="+g.value())
		maybe(30, "remark"+pick(g, "="+g.value(), "&"+g.value(), "&"+g.value(), "=-"))
		maybe(30, "short_name="+g.value())
		maybe(8, "owner="+g.somebody())
		maybe(15, "last_contact_at="+g.instant())
		maybe(15, "external_ids."+pick(g, "erp", "old")+"="+g.value())
		if g.chance(20) {
			words = append(words, g.address()...)
		}
		maybe(20, "tags"+pick(g, "+", "+", "-")+pick(g, "a", "b", "c"))
		maybe(10, "collaborators"+pick(g, "+", "+", "-")+g.somebody())
		maybe(20, "points*"+pick(g, "1", "2", "-1", "-2"))
		maybe(12, "limit="+g.value())
		maybe(12, "calls*"+pick(g, "1", "3", "-2"))
	case "contact":
		maybe(50, "name="+g.value())
		maybe(40, "title="+g.value())
		maybe(6, "owner="+g.somebody())
		if account := g.anyOf(views, "account"); account != nil {
			maybe(15, "account="+g.scripted(account.ID, "account"))
		}
	case "visit_plan":
		maybe(50, "date="+g.day())
		maybe(50, "order="+strconv.Itoa(g.no))
		maybe(20, "reason="+pick(g, "cycle", "task", "complaint"))
	case "task":
		maybe(60, "title="+g.value())
		maybe(40, "detail="+g.value())
		maybe(20, "done_at="+g.instant())
		maybe(6, "owner="+g.somebody())
	case "opportunity":
		maybe(60, "name="+g.value())
		maybe(40, "stage="+pick(g, "lead", "qualified", "proposal", "negotiation", "won", "lost"))
		maybe(20, "competitors"+pick(g, "+", "-")+pick(g, "a", "b", "c"))
		maybe(8, "owner="+g.somebody())
	case "request":
		return append(words, "state="+pick(g, "declined", "withdrawn"))
	case "conflict":
		maybe(70, "chosen="+g.value())
		maybe(40, "state="+pick(g, "open", "resolved"))
		maybe(10, "owner="+g.somebody())
	}
	if len(words) == 2 {
		words = append(words, map[string]string{
			"account": "name=" + g.value(), "contact": "name=" + g.value(), "visit_plan": "order=" + strconv.Itoa(g.no),
			"task": "title=" + g.value(), "opportunity": "name=" + g.value(), "conflict": "chosen=" + g.value(),
		}[v.Kind])
	}
	return words
}

// office has the server change records, people and units.
func (g *generator) office() Step {
	s := g.begin("office", "types")
	if g.chance(40) {
		s.With = map[string]string{"via": "2"}
	}
	if s.Args = g.officeChange(); g.chance(45) {
		s.Args = g.people()
	}
	return s
}

// people is a change of somebody's place, of a unit, of rights.
func (g *generator) people() []string {
	switch x := g.rng.IntN(45); {
	case x < 20:
		return []string{"edit", g.somebody(), "unit=" + pick(g, "team", "team", "north", "company", "-")}
	case x < 26:
		return []string{"edit", pick(g, units...), "manager=" + g.somebody()}
	case x < 32:
		return []string{"edit", pick(g, "team", "north"), "parent=" + pick(g, "company", "north", "team", "-")}
	case x < 42:
		return []string{"edit", g.somebody(), "status=" + pick(g, "active", "active", "left")}
	}
	return []string{"edit", g.somebody(), "roles" + pick(g, "+", "-") + "manager"}
}

// officeChange is an edit of any record at all.
func (g *generator) officeChange() []string {
	if len(g.w.births) == 0 {
		return []string{"edit", g.somebody(), "email=-"}
	}
	name := pick(g, g.w.births...)
	words := []string{"edit", name}
	x := g.rng.IntN(100)
	switch {
	case x < 8:
		return []string{"delete", name}
	case x < 16:
		return []string{"restore", name}
	case name[0] == 'a' && x < 30:
		return append(words, "source="+pick(g, "referral", "campaign", "online")) // reps do not see it
	case name[0] == 'a' && x < 36:
		return append(words, "limit="+g.value())
	case name[0] == 'a' && x < 65:
		return append(words, "owner="+g.somebody())
	case name[0] == 'a' && x < 75:
		return append(words, "collaborators+"+g.somebody())
	case name[0] == 'c' && x < 60:
		return append(words, "account="+pick(g, g.w.births...))
	case name[0] == 'p':
		return append(words, "date="+g.day())
	case name[0] == 't':
		return append(words, "title="+g.value())
	}
	return append(words, "name="+g.value())
}
