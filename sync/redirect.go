package sync

import (
	"bytes"

	"roadbook/record"
)

// redirectKind is the kind of the records that say where another goes on.
const redirectKind = "merge_redirect"

// redirectID is the id of the record that says where another goes on. It
// follows from the dead one's alone: so it is found without an index, also when
// the tombstone has been purged, and after a restore it is the same.
func redirectID(dead record.ID) record.ID { return dead.Derive(redirectKind) }

// RedirectOf is the id of the redirect that leads on from a record, if one does.
func RedirectOf(dead record.ID) record.ID { return redirectID(dead) }

// GoesOnAs is the record to which a redirect leads, while it is in force.
func GoesOnAs(redirect *record.Record) (record.ID, bool) {
	if !leads(redirect) {
		return record.NoID, false
	}
	return redirect.Ref("survivor"), true
}

// lead leads from a dead record to the one that it goes on as.
func (s *settling) lead(dead, survivor *record.Record, reason string) error {
	set := record.Values{
		{Field: "survivor", Raw: quoteID(survivor.ID)},
		{Field: "dead", Raw: quoteID(dead.ID)},
		{Field: "reason", Raw: quote(reason)},
		{Field: "state", Raw: quote("merged")},
	}
	return s.noteOf(redirectKind, redirectID(dead.ID), dead.Owner, set)
}

// heir is what a record goes on as: itself, unless it was merged into another.
func (w *work) heir(id record.ID, find func(record.ID) (*record.Record, error)) (record.ID, error) {
	for { // it comes to an end: who goes on has the lesser id
		rec, err := find(id)
		if err != nil || rec != nil && (rec.State == record.Live || rec.Kind.Match == nil) {
			return id, err
		}
		redirect, err := find(redirectID(id))
		if err != nil || !leads(redirect) {
			return id, err
		}
		to := redirect.Ref("survivor")
		if bytes.Compare(to[:], id[:]) >= 0 {
			return id, nil
		}
		id = to
	}
}

// leads reports whether a redirect is one, and in force.
func leads(redirect *record.Record) bool {
	return redirect != nil && redirect.Kind.Name == redirectKind && redirect.State == record.Live && redirect.Text("state") == "merged"
}
