package sync

import (
	"errors"
	"fmt"
	"slices"

	"roadbook/record"
)

// follows is what follows from the fields of a record and of those above it.
// Columns say it too, but the fields are the truth.
type follows struct {
	owner, parent, root record.ID
	month               record.Month
	names               []string // of the scopes, of a live one
}

// errPlace says that it cannot be worked out.
var errPlace = errors.New("no place")

// parentBy is the parent that the fields name.
func parentBy(r *record.Record) record.ID {
	if r.Kind.Parent == "" {
		return record.NoID
	}
	return r.Ref(r.Kind.Parent)
}

// ownedBy is a record with the owner that its fields name. Where they name
// nobody, it belongs to who made it, which only the column knows.
func ownedBy(r *record.Record) *record.Record {
	owner := r.Ref("owner")
	if r.Kind.Field("owner") == nil || owner.IsZero() || owner == r.Owner {
		return r
	}
	c := *r
	c.Owner = owner
	return &c
}

// followsFrom works it out. find knows every record above, and returns nil for
// one that is not there.
func followsFrom(
	r *record.Record, find func(record.ID) (*record.Record, error), names func(r, root *record.Record) ([]string, error),
) (follows, error) {
	r = ownedBy(r)
	f := follows{owner: r.Owner, parent: parentBy(r), month: monthOf(r)}
	root := r
	for depth := 0; ; depth++ {
		up := parentBy(root)
		if up.IsZero() {
			break
		}
		if depth > MaxDepth {
			return f, fmt.Errorf("%w: its parents have no end", errPlace)
		}
		above, err := find(up)
		if err != nil {
			return f, err
		}
		if above == nil {
			return f, fmt.Errorf("%w: %s, which it belongs to, is not there", errPlace, up)
		}
		root = above
	}
	f.root = root.ID
	if r.State == record.Deleted {
		return f, nil
	}
	var err error
	f.names, err = names(r, ownedBy(root))
	slices.Sort(f.names)
	f.names = slices.Compact(f.names)
	return f, err
}

// straight is a record as a commit can take it for what it was: as many
// entries as scopes, in their order.
func straight(r *record.Record) *record.Record {
	if len(r.Scopes) == len(r.Entered) && slices.IsSorted(r.Scopes) && len(slices.Compact(slices.Clone(r.Scopes))) == len(r.Scopes) {
		return r
	}
	c := r.Clone()
	c.Scopes = sortedScopes(slices.Clone(r.Scopes))
	c.Entered = make([]record.Seq, len(c.Scopes))
	return c
}
