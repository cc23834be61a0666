package people

import (
	"bytes"
	"context"

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

var _ sync.Rule = Rule{}

// Check implements sync.Rule. It refuses a unit that would be above itself.
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
	if !changed(was, now, "name", "roles", "unit", "status") {
		return sync.Effects{}, nil
	}
	effects := sync.Effects{Actors: []sync.Actor{actorOf(now)}}
	if !changed(was, now, "roles", "unit", "status") {
		return effects, nil // a new name moves nobody
	}
	c, err := readCompany(ctx, view)
	if err != nil {
		return sync.Effects{}, err
	}
	effects.Grants = c.grants()
	if now.State != record.Live { // then the view is without him
		effects.Grants[now.ID] = []string{}
	}
	return effects, nil
}

func checkUnit(ctx context.Context, view sync.View, was, now *record.Record) (sync.Effects, error) {
	if !changed(was, now, "parent", "manager", "status") {
		return sync.Effects{}, nil
	}
	c, err := readCompany(ctx, view)
	if err != nil {
		return sync.Effects{}, err
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

// changed reports whether one of the fields is not what it was. A record that
// is new, deleted or restored has changed in all of them.
func changed(was, now *record.Record, fields ...string) bool {
	if was == nil || was.State != now.State {
		return true
	}
	for _, f := range fields {
		if !bytes.Equal(was.Raw(f), now.Raw(f)) {
			return true
		}
	}
	return false
}
