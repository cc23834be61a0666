package online

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"roadbook/access"
	"roadbook/conflicts"
	"roadbook/query"
	"roadbook/record"
	"roadbook/sync"
)

// InboxQuery is what the inbox is asked for.
type InboxQuery struct {
	Owner record.ID // NoID for all that the reader sees
	State string    // open, resolved, expired; empty means open
	Limit int
	After string
}

// Inbox is a page of conflicts by customer. A customer whose conflicts lie on
// two pages is on both.
type Inbox struct {
	Groups []Group `json:"groups"`
	After  string  `json:"after,omitempty"`
}

// Group is what is asked about one customer.
type Group struct {
	Account   record.ID `json:"account"`
	Name      string    `json:"name,omitempty"`
	Conflicts []Asked   `json:"conflicts"`
}

// Asked is a conflict with all that somebody needs who is to decide it.
type Asked struct {
	ID        record.ID       `json:"id"`
	Seq       record.Seq      `json:"seq"`
	State     string          `json:"state"`
	Record    About           `json:"record"`
	Field     string          `json:"field"`
	Policy    string          `json:"policy"`
	Owner     record.ID       `json:"owner"`
	Opened    string          `json:"opened"`
	Expires   string          `json:"expires,omitempty"` // when the server closes it, and what stands goes on standing
	Base      string          `json:"base,omitempty"`    // what stood before, as text or as the JSON of it
	Now       json.RawMessage `json:"now,omitempty"`     // what stands
	Versions  []Version       `json:"versions,omitempty"`
	Chosen    string          `json:"chosen,omitempty"`
	Resolver  record.ID       `json:"resolver,omitzero"`
	DecidedAt string          `json:"decided_at,omitempty"`
}

// About is the record that a conflict is about.
type About struct {
	Kind string     `json:"kind"`
	ID   record.ID  `json:"id"`
	Seq  record.Seq `json:"seq,omitempty"` // to be said as seen by whoever decides
	Name string     `json:"name,omitempty"`
}

// Version is one of the values that a conflict is between.
type Version struct {
	ID     record.ID       `json:"id"`
	Value  json.RawMessage `json:"value,omitempty"` // absent if it is too long; it is in the field's history
	Author record.ID       `json:"author,omitzero"`
	Name   string          `json:"name,omitempty"` // of the author
	Device record.ID       `json:"device,omitzero"`
	At     string          `json:"at,omitempty"`
	Mine   bool            `json:"mine,omitempty"`
}

// Inbox reads what waits for a decision.
func (s *Service) Inbox(ctx context.Context, who access.Caller, q InboxQuery) (out Inbox, err error) {
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		filter := "state == " + strconv.Quote(cmp.Or(q.State, "open"))
		if !q.Owner.IsZero() {
			filter += " && owner == " + strconv.Quote(q.Owner.String())
		}
		page, err := s.list(ctx, v, Query{Kind: "conflict", Filter: filter, Sort: "id", Limit: cmp.Or(q.Limit, query.DefaultLimit), After: q.After})
		if err != nil {
			return err
		}
		r := &inboxReader{v: v, at: map[record.ID]int{}}
		if err := r.load(ctx, page.Records); err != nil {
			return err
		}
		for i := range page.Records {
			r.add(&page.Records[i])
		}
		slices.SortFunc(r.groups, func(a, b Group) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.Account[:], b.Account[:]))
		})
		out = Inbox{Groups: append([]Group{}, r.groups...), After: page.After}
		return nil
	})
	return out, err
}

// inboxReader is a page in the making.
type inboxReader struct {
	v      sync.Sight
	about  map[record.ID]*record.Record
	names  map[record.ID]string
	groups []Group
	at     map[record.ID]int // in groups, by customer
}

// load reads what the conflicts are about, the customers above that, and who
// has written.
func (r *inboxReader) load(ctx context.Context, all []Record) error {
	r.about, r.names = map[record.ID]*record.Record{}, map[record.ID]string{}
	var ids, people []record.ID
	for i := range all {
		if id, err := record.ParseID(all[i].Values.Text("record")); err == nil {
			ids = append(ids, id)
		}
		for _, v := range conflicts.Versions(all[i].Values.Get("values")) {
			people = append(people, v.Author)
		}
	}
	if err := r.records(ctx, ids); err != nil {
		return err
	}
	ids = ids[:0]
	for _, rec := range r.about {
		ids = append(ids, rec.Root)
	}
	if err := r.records(ctx, ids); err != nil {
		return err
	}
	found, err := r.v.Tx.People(ctx, record.SortedIDs(people))
	for _, p := range found {
		r.names[p.ID] = p.Name
	}
	return err
}

// records reads some records as far as the reader sees them.
func (r *inboxReader) records(ctx context.Context, ids []record.ID) error {
	rows, err := r.v.Tx.Records(ctx, record.SortedIDs(ids))
	if err != nil {
		return err
	}
	for i := range rows {
		rec, err := rows[i].Record(r.v.Schema)
		if err != nil {
			return err
		}
		if rec.State == record.Live && r.v.Actor.Sees(rec.Kind, rec.Scopes) {
			r.about[rec.ID] = rec
		}
	}
	return nil
}

func (r *inboxReader) add(c *Record) {
	asked, root := r.asked(c)
	i, known := r.at[root]
	if !known {
		i = len(r.groups)
		r.at[root] = i
		r.groups = append(r.groups, Group{Account: root, Name: r.nameOf(r.about[root])})
	}
	r.groups[i].Conflicts = append(r.groups[i].Conflicts, asked)
}

// asked is a conflict as its reader may see it, and the customer whom it is
// about. Of a field that is not for him he hears that something is asked.
func (r *inboxReader) asked(c *Record) (a Asked, root record.ID) {
	text := c.Values.Text
	a = Asked{
		ID: c.ID, Seq: c.Seq, State: text("state"), Field: text("field"), Policy: text("policy"), Opened: text("created_at"),
		Record: About{Kind: text("about_kind")}, DecidedAt: text("decided_at"),
	}
	a.Record.ID, _ = record.ParseID(text("record"))
	a.Owner, _ = record.ParseID(text("owner"))
	a.Resolver, _ = record.ParseID(text("resolver"))
	if opened, err := time.Parse(time.RFC3339, a.Opened); err == nil && a.State == "open" {
		a.Expires = opened.Add(sync.DecideWithin).UTC().Format(time.RFC3339)
	}
	root = a.Record.ID
	rec := r.about[a.Record.ID]
	kind := r.v.Schema.Kind(a.Record.Kind)
	if rec != nil {
		a.Record.Seq, a.Record.Name, root = rec.Seq, r.nameOf(rec), rec.Root
	}
	if kind == nil || r.v.Actor.Hides(kind, a.Field) {
		return a, root
	}
	a.Base, a.Chosen = text("base"), text("chosen")
	if rec != nil {
		a.Now = rec.Raw(a.Field)
	}
	for _, v := range conflicts.Versions(c.Values.Get("values")) {
		a.Versions = append(a.Versions, Version{
			ID: v.ID, Value: v.Value, Author: v.Author, Name: r.names[v.Author], Device: v.Device, At: v.At, Mine: v.Author == r.v.Actor.Person,
		})
	}
	return a, root
}

// nameOf is what people call a record, as far as the reader may see it.
func (r *inboxReader) nameOf(rec *record.Record) string {
	if rec == nil {
		return ""
	}
	for _, field := range []string{"name", "title"} {
		if text := rec.Text(field); text != "" && !r.v.Actor.Hides(rec.Kind, field) {
			return text
		}
	}
	return ""
}
