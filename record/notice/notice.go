// Package notice is what a person is told: a record of his own, which syncs, is
// read without a network, and is what every channel to him begins with.
package notice

import (
	"encoding/json"
	"time"

	"roadbook/record"
)

// Kind is that of the records.
const Kind = "notification"

// Category says what sort of thing a notification is. Vendors of phones let some
// sorts through that they hold back of others.
type Category string

// The categories.
const (
	Approval Category = "approval"
	Task     Category = "task"
	Reminder Category = "reminder"
	Mention  Category = "mention"
	Conflict Category = "conflict"
	System   Category = "system"
)

// MaxCollapse is the longest collapse id in bytes, which is what APNs takes.
const MaxCollapse = 64

// Notice is one thing that one person is told.
type Notice struct {
	To       record.ID
	Category Category
	Code     string // what has happened; the sentence follows from it
	Title    string // short, and without anything that a lock screen must not show
	About    string // the kind of its subject
	Subject  record.ID
	By       record.ID // who has caused it; nobody is the server
	At       time.Time // when that was done
	Expires  time.Time // when nobody needs to be told any more; no time is never
	Urgent   bool      // an approval that is worth waking somebody for
	Escalate bool      // if he does not read it, his manager is told
}

// ID follows from what has caused it: so nobody is told twice of the same thing,
// however often that comes back.
func (n Notice) ID(cause record.ID) record.ID {
	return cause.Derive("notification " + n.Code + " " + n.To.String() + " " + n.Subject.String())
}

// Collapse is shared by all that is about one subject: a device shows the last of
// them.
func (n Notice) Collapse() string { return string(n.Category) + "-" + n.Subject.String() }

// Edit makes its record, which the server does.
func (n Notice) Edit(cause record.ID) record.Edit {
	set := record.Values{
		text("category", string(n.Category)), text("code", n.Code), text("title", n.Title),
		text("about_kind", n.About), text("subject", n.Subject.String()), text("at", instant(n.At)),
		text("collapse", n.Collapse()), text("owner", n.To.String()),
	}
	if !n.By.IsZero() {
		set = append(set, text("by", n.By.String()))
	}
	if !n.Expires.IsZero() {
		set = append(set, text("expires_at", instant(n.Expires)))
	}
	for field, said := range map[string]bool{"urgent": n.Urgent, "escalate": n.Escalate} {
		if said {
			set = append(set, record.Value{Field: field, Raw: json.RawMessage("true")})
		}
	}
	return record.Edit{Op: record.OpCreate, Kind: Kind, ID: n.ID(cause), Set: set}
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func text(field, value string) record.Value {
	raw, _ := json.Marshal(value) // of a text, which can be written
	return record.Value{Field: field, Raw: raw}
}

// Waiting reports whether its person still has to be told of it.
func Waiting(r *record.Record, now time.Time) bool {
	if r == nil || r.Kind.Name != Kind || r.State != record.Live || r.Text("read_at") != "" {
		return false
	}
	return !past(r, now)
}

// Expired reports whether nobody has read it while it was news.
func Expired(r *record.Record, now time.Time) bool {
	return r != nil && r.Kind.Name == Kind && r.State == record.Live && r.Text("read_at") == "" && past(r, now)
}

func past(r *record.Record, now time.Time) bool {
	ends, err := time.Parse(time.RFC3339, r.Text("expires_at"))
	return err == nil && !now.Before(ends)
}
