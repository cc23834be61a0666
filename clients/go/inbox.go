package device

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"roadbook/conflicts"
	"roadbook/record"
)

// Conflict is a question in the inbox: two people, or more, have changed one
// field, and a person is to say what it shall be.
type Conflict struct {
	ID       record.ID
	Record   record.ID
	Kind     string // of the record
	Field    string // "deleted" if one has deleted the record and another changed it
	Policy   string
	Owner    record.ID
	Account  record.ID // the top of what the record belongs to
	Opened   time.Time
	Base     string          // what stood before, as text or as the JSON of it
	Now      json.RawMessage // what stands, with own edits on top
	Versions []Version
}

// Version is a value that stands against others, and whose it is.
type Version struct {
	ID     record.ID
	Value  json.RawMessage // nil if it is too long to be shown; it is in the field's history
	Author record.ID
	Name   string    // of its author, if he is known here
	Device record.ID // on which it was typed, if that is known
	At     time.Time
	Mine   bool
}

// Group is what waits for a decision about one customer.
type Group struct {
	Account   record.ID
	Name      string
	Conflicts []Conflict
}

// Inbox is what waits for a decision, by customer: with or without a network,
// and with own decisions on top. owner is whose it is, or NoID for all that the
// device holds.
func (d *Device) Inbox(owner record.ID) []Group {
	views := d.List("conflict")
	d.mu.RLock()
	defer d.mu.RUnlock()
	at := map[record.ID]*Group{}
	for _, v := range views {
		if v.Text("state") != "open" || !owner.IsZero() && v.Text("owner") != owner.String() {
			continue
		}
		c := d.conflict(v)
		if at[c.Account] == nil {
			account, _ := d.view(c.Account)
			at[c.Account] = &Group{Account: c.Account, Name: cmp.Or(account.Text("name"), account.Text("title"))}
		}
		at[c.Account].Conflicts = append(at[c.Account].Conflicts, c)
	}
	groups := make([]Group, 0, len(at))
	for _, g := range at {
		slices.SortFunc(g.Conflicts, func(a, b Conflict) int {
			return cmp.Or(a.Opened.Compare(b.Opened), slices.Compare(a.ID[:], b.ID[:]))
		})
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.Account[:], b.Account[:]))
	})
	return groups
}

// conflict reads a record of that kind.
func (d *Device) conflict(v View) Conflict {
	c := Conflict{
		ID: v.ID, Kind: v.Text("about_kind"), Field: v.Text("field"), Policy: v.Text("policy"),
		Base: v.Text("base"), Opened: instantOf(v.Text("created_at")),
	}
	c.Record, _ = record.ParseID(v.Text("record"))
	c.Owner, _ = record.ParseID(v.Text("owner"))
	c.Account = d.rootOf(c.Record)
	about, _ := d.view(c.Record)
	c.Now = about.Raw(c.Field)
	for _, row := range conflicts.Versions(v.Raw("values")) {
		version := Version{
			ID: row.ID, Value: row.Value, Author: row.Author, Device: row.Device, At: instantOf(row.At), Mine: row.Author == d.id.Actor.ID,
		}
		if author, there := d.view(version.Author); there {
			version.Name = author.Text("name")
		}
		c.Versions = append(c.Versions, version)
	}
	return c
}

// maxUp is how far up the top of a tree is looked for: the server takes no more.
const maxUp = 16

// rootOf is the top of what a record belongs to, as far as it is here.
func (d *Device) rootOf(id record.ID) record.ID {
	for range maxUp {
		v, there := d.view(id)
		above, err := record.ParseID(v.Text(d.schema.parents[v.Kind]))
		if !there || err != nil || above.IsZero() {
			return id
		}
		id = above
	}
	return id
}

func instantOf(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
