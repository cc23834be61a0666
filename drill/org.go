package drill

import (
	"context"
	"fmt"
	"time"

	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/sync"
	"roadbook/version"
)

// The two people of a drill.
const (
	repLogin   = "rep"
	adminLogin = "admin"
)

// Org is an org that nobody else knows, in a copy of the database that nobody
// else serves.
type Org struct {
	ID       record.OrgID
	Name     string
	Password string
}

// Founder is how it is made: by the code that makes every org.
type Founder struct {
	People *people.Service
	Engine *sync.Engine
	Now    func() time.Time
	NewID  func() record.ID
}

// Found makes it.
func (f Founder) Found(ctx context.Context, name, password string) (Org, error) {
	o := Org{Name: name, Password: password}
	var err error
	if o.ID, err = f.People.CreateOrg(ctx, name); err != nil {
		return o, err
	}
	if err := f.Engine.Publish(ctx, o.ID, shipped.Schema()); err != nil {
		return o, err
	}
	for _, p := range []struct{ login, role string }{{adminLogin, "admin"}, {repLogin, "rep"}} {
		id := f.NewID()
		m := record.Mutation{ID: f.NewID(), Stamp: version.StampAt(f.Now()), Edits: []record.Edit{{
			Op: record.OpCreate, Kind: "user", ID: id, Set: record.Values{
				{Field: "login", Raw: []byte(`"` + p.login + `"`)},
				{Field: "name", Raw: []byte(`"` + p.login + `"`)},
				{Field: "roles", Raw: []byte(`["` + p.role + `"]`)},
				{Field: "status", Raw: []byte(`"active"`)},
				{Field: "owner", Raw: []byte(`"` + id.String() + `"`)},
			},
		}}}
		out, err := f.Engine.Commit(ctx, o.ID, []sync.Proposal{{Mutation: m}})
		if err != nil {
			return o, err
		}
		if r := out[0].Refusal; r != nil {
			return o, fmt.Errorf("the drill's %s was refused: %s", p.login, r.Detail)
		}
		if err := f.People.SetPassword(ctx, o.ID, id, p.login, password); err != nil {
			return o, err
		}
	}
	return o, nil
}
