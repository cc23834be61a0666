package people

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
)

// The kinds that the rule looks at, and the states that take rights away.
const (
	kindUser = "user"
	kindUnit = "unit"

	statusLeft   = "left"   // of a person; anything else is active
	statusClosed = "closed" // of a unit: its manager has nothing by it any more
)

// Rule gives people their rights. After a change of a person or of the tree of
// units it says who may act, and which scopes everybody is to hold:
//
//   - every active person what he owns, what is shared with him, and the
//     catalogue;
//   - the manager of a unit what the people in it and in all units below own;
//   - service, finance and admin what anybody owns;
//   - a person who has left nothing.
//
// It names everybody's whole set and leaves it to the engine to find what is
// new. To name only those whom one edit concerns would go wrong when another
// edit of the same mutation concerns them too: each alone may change nothing.
type Rule struct{}

var _ sync.Deriver = Rule{}

// Derive implements sync.Deriver.
func (Rule) Derive(ctx context.Context, view sync.View) (sync.Effects, error) {
	c, err := readCompany(ctx, view)
	if err != nil {
		return sync.Effects{}, err
	}
	effects := sync.Effects{Grants: c.grants()}
	for _, p := range c.people {
		effects.Actors = append(effects.Actors, actorOf(p))
	}
	return effects, nil
}

// Check implements sync.Rule.
func (Rule) Check(ctx context.Context, view sync.View, was, now *record.Record) (sync.Effects, error) {
	switch now.Kind.Name {
	case kindUser:
		return checkUser(ctx, view, was, now)
	case kindUnit:
		return checkUnit(ctx, view, was, now)
	}
	return sync.Effects{}, nil
}

func checkUser(ctx context.Context, view sync.View, was, now *record.Record) (sync.Effects, error) {
	if err := checkFilled(was, now); err != nil {
		return sync.Effects{}, err
	}
	if !changed(was, now, "login", "name", "roles", "unit", "status") {
		return sync.Effects{}, nil
	}
	effects := sync.Effects{Actors: []sync.Actor{actorOf(now)}}
	if !changed(was, now, "login", "roles", "unit", "status") {
		return effects, nil // a new name moves nobody
	}
	c, err := readCompany(ctx, view)
	if err != nil {
		return sync.Effects{}, err
	}
	if err := c.refuseUser(was, now); err != nil {
		return sync.Effects{}, err
	}
	effects.Grants = c.grants()
	if now.State != record.Live { // then the view is without him
		effects.Grants[now.ID] = []string{}
	}
	return effects, nil
}

// checkFilled refuses a person without a name or a login. One who is only
// brought back may lack what he lacked before.
func checkFilled(was, now *record.Record) error {
	back := was != nil && was.State != record.Live && !rewritten(was, now, "name", "login")
	if now.State != record.Live || back {
		return nil
	}
	var missing []errs.Field
	for _, f := range []string{"name", "login"} {
		if strings.TrimSpace(now.Text(f)) == "" {
			missing = append(missing, errs.Field{Field: f, Detail: "this must be filled in"})
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return errs.New("people.Check", errs.Invalid, "a person needs a name and a login").Coded("required").Of(missing...)
}

// refuseUser says why a person cannot become what he would be, nil if he can.
func (c *company) refuseUser(was, now *record.Record) error {
	switch {
	case was != nil && administers(was) && !slices.ContainsFunc(c.people, administers):
		return errs.New("people.Check", errs.Clash,
			"nobody would be left to administer the organisation; make somebody else an administrator first").Coded("last_admin")
	case deletes(was, now):
		return errs.New("people.Check", errs.Clash,
			"a person is not deleted: mark somebody who has gone as left, so that his customers stay reachable").Coded("user_delete")
	case now.State != record.Live:
		return nil // he was gone before
	case c.loginTaken(was, now):
		return errs.New("people.Check", errs.Clash, "somebody else signs in with this login; choose another one").
			Coded("login_taken").Of(errs.Field{Field: "login", Detail: "somebody else has this login"})
	case c.unitMissing(was, now):
		return errs.New("people.Check", errs.Missing, "the unit that this person would be in is not there").
			Coded("reference").Of(errs.Field{Field: "unit", Detail: "it is not there"})
	}
	return nil
}

// loginTaken reports whether a person would come to a login that somebody else
// has; who has left still has his. Logins that were one before stay as they are.
func (c *company) loginTaken(was, now *record.Record) bool {
	login := foldLogin(now.Text("login"))
	if login == "" || was != nil && was.State == record.Live && login == foldLogin(was.Text("login")) {
		return false
	}
	return slices.ContainsFunc(c.people, func(p *record.Record) bool {
		return p.ID != now.ID && foldLogin(p.Text("login")) == login
	})
}

// unitMissing reports whether a person would come into a unit that is not
// there: whoever made one of that id later would find him in it.
func (c *company) unitMissing(was, now *record.Record) bool {
	if now.Raw("unit") == nil || was != nil && !rewritten(was, now, "unit") {
		return false
	}
	return c.units[now.Ref("unit")] == nil
}

func checkUnit(ctx context.Context, view sync.View, was, now *record.Record) (sync.Effects, error) {
	if !changed(was, now, "parent", "manager", "status") {
		return sync.Effects{}, nil
	}
	c, err := readCompany(ctx, view)
	if err != nil {
		return sync.Effects{}, err
	}
	if deletes(was, now) && c.inhabited(now.ID) {
		return sync.Effects{}, errs.New("people.Check", errs.Clash,
			"this unit still has units below it or people in it; move them first").Coded("children")
	}
	if changed(was, now, "parent") && c.circular(now.ID) {
		return sync.Effects{}, errs.New("people.Check", errs.Invalid, "a unit cannot be above itself").
			Coded("cycle").
			Of(errs.Field{Field: "parent", Detail: "this unit lies below the one it would be put into"})
	}
	return sync.Effects{Grants: c.grants()}, nil
}

func actorOf(user *record.Record) sync.Actor {
	return sync.Actor{
		ID:     user.ID,
		Name:   user.Text("name"),
		Roles:  append([]string{}, user.Texts("roles")...), // never nil: it is stored
		Active: active(user),
	}
}

// deletes reports whether a record is there no more that was, or would have been.
func deletes(was, now *record.Record) bool {
	return now.State != record.Live && (was == nil || was.State == record.Live)
}

// changed reports whether one of the fields is not what it was. A record that
// is new, deleted or restored has changed in all of them.
func changed(was, now *record.Record, fields ...string) bool {
	return was == nil || was.State != now.State || rewritten(was, now, fields...)
}

// rewritten reports whether one of the fields has another value than before.
func rewritten(was, now *record.Record, fields ...string) bool {
	return slices.ContainsFunc(fields, func(f string) bool { return !bytes.Equal(was.Raw(f), now.Raw(f)) })
}
