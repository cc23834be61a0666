package reminders

import (
	"context"
	"time"

	"roadbook/api/words"
	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/record/reminder"
	"roadbook/store/pg"
	"roadbook/sync/history"
	"roadbook/sync/reactions"
)

// Reaction follows reminders: it keeps when each is to be looked at next, tells a
// colleague of one that was handed to him, and takes back what was told of one
// that has rung on a device after all.
type Reaction struct{ Jobs *jobs.Queue }

var _ reactions.Reaction = (*Reaction)(nil)

// Name implements reactions.Reaction.
func (*Reaction) Name() string { return "reminders" }

// Kinds implements reactions.Reaction.
func (*Reaction) Kinds() []string { return []string{reminder.Kind} }

// React implements reactions.Reaction.
func (r *Reaction) React(ctx context.Context, view reactions.View, c *reactions.Change) (out reactions.Effects, err error) {
	var next []row
	var gone []record.ID
	seen := map[record.ID]bool{}
	for i := range c.Edits {
		e := &c.Edits[i]
		if e.Kind != reminder.Kind {
			continue
		}
		rec, err := view.Record(ctx, e.ID)
		if err != nil {
			return out, err
		}
		if !seen[e.ID] {
			seen[e.ID] = true
			if at, is := lookAt(rec); is {
				next = append(next, row{Reminder: e.ID, At: at})
			} else {
				gone = append(gone, e.ID)
			}
		}
		if !isOpen(rec) {
			continue
		}
		edits, err := tells(ctx, view, c, e, rec)
		if err != nil {
			return out, err
		}
		out.Edits = append(out.Edits, edits...)
	}
	if len(next)+len(gone) > 0 {
		out.Later = append(out.Later, func(ctx context.Context, tx pg.Tx) error {
			if err := drop(ctx, tx, c.Org, gone); err != nil {
				return err
			}
			fresh, err := put(ctx, tx, c.Org, next)
			if err != nil {
				return err
			}
			due := make([]jobs.Due, len(fresh))
			for i, at := range fresh {
				due[i] = jobs.Due{Args: Ring{Org: c.Org, At: at}, At: at}
			}
			return r.Jobs.Insert(ctx, tx, due...)
		})
	}
	return out, nil
}

func isOpen(rec *record.Record) bool {
	return rec != nil && rec.State == record.Live && rec.Kind.Name == reminder.Kind && rec.Text("done_at") == ""
}

// lookAt is when the server must look at a reminder: whether a device rings is
// found out then.
func lookAt(rec *record.Record) (at time.Time, is bool) {
	if !isOpen(rec) {
		return at, false
	}
	r, err := read(rec)
	if err != nil {
		return at, false // the rule has let nobody write it; it is from before
	}
	return r.First()
}

// read reads a reminder as the server believes it: nothing can have rung after it
// was written that it has, whatever a device's clock says.
func read(rec *record.Record) (*reminder.Reminder, error) {
	r, err := reminder.Read(rec)
	if err != nil {
		return nil, err
	}
	if slot := rec.Slot("fired_until"); slot != nil {
		if written := time.UnixMilli(slot.By.Stamp.MS); r.Fired.After(written) {
			r.Fired = written
		}
	}
	return r, nil
}

// tells are the notifications that follow from a change of a reminder: whoever got
// it from somebody else is told, and what has rung on a device is no news.
func tells(ctx context.Context, view reactions.View, c *reactions.Change, e *history.Logged, rec *record.Record) (out [][]record.Edit, err error) {
	given := e.Set.Get("owner") != nil && e.Set.Text("owner") == rec.Owner.String() && (e.New || e.Was.Get("owner") != nil)
	if given && rec.Owner != c.Person && !c.Person.IsZero() {
		user, err := view.Record(ctx, rec.Owner)
		if err != nil {
			return nil, err
		}
		if lang, active := languageOf(user); active {
			n := notice.Notice{
				To: rec.Owner, Category: notice.Reminder, Code: tellsAssigned, Title: words.Notice(tellsAssigned, lang), About: reminder.Kind, Subject: rec.ID,
				By: c.Person, At: c.Typed, Expires: c.Arrived.Add(worthwhile),
			}
			out = append(out, []record.Edit{n.Edit(c.ID)})
		}
	}
	rung, err := time.Parse(time.RFC3339, e.Set.Text("fired_until"))
	if err != nil || c.Person.IsZero() {
		return out, nil //nolint:nilerr // it says nothing of that
	}
	for _, code := range []string{tellsDue, tellsMissed} {
		id := notice.Notice{To: rec.Owner, Code: code, Subject: rec.ID}.ID(ringID(rec.ID, rung))
		told, err := view.Record(ctx, id)
		if err != nil {
			return out, err
		}
		if notice.Waiting(told, c.Arrived) {
			read := record.Value{Field: "read_at", Raw: record.AppendString(nil, c.Typed.UTC().Format(time.RFC3339))}
			out = append(out, []record.Edit{{Op: record.OpEdit, Kind: notice.Kind, ID: id, Set: record.Values{read}}})
		}
	}
	return out, nil
}

// languageOf is how somebody is spoken to, and whether he is there at all.
func languageOf(user *record.Record) (lang words.Language, active bool) {
	if user == nil || user.State != record.Live || user.Text("status") == "left" {
		return "", false
	}
	if user.Text("locale") == "en" {
		return words.English, true
	}
	return words.Chinese, true
}
