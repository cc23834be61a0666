package push

import (
	"context"
	"slices"

	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/sync/history"
	"roadbook/sync/reactions"
)

// News makes notifications of what happens on the line itself: somebody must
// decide, was given a task, got an answer, or has his customer under another name.
type News struct{}

var _ reactions.Reaction = News{}

// Name implements reactions.Reaction.
func (News) Name() string { return "news" }

// Kinds implements reactions.Reaction.
func (News) Kinds() []string { return []string{"conflict", "task", "request", "merge_redirect"} }

// React implements reactions.Reaction.
func (News) React(ctx context.Context, view reactions.View, c *reactions.Change) (out reactions.Effects, err error) {
	var all []notice.Notice
	for i := range c.Edits {
		e := &c.Edits[i]
		rec, err := view.Record(ctx, e.ID)
		if err != nil || rec == nil || rec.State != record.Live || rec.Kind.Name != e.Kind {
			if err != nil {
				return out, err
			}
			continue
		}
		news, err := newsOf(ctx, view, e, rec)
		if err != nil {
			return out, err
		}
		all = append(all, slices.DeleteFunc(news, func(n notice.Notice) bool { return n.To == c.Person })...) // whoever did it knows
	}
	out.Edits, err = reactions.Tell(ctx, view, c, all)
	return out, err
}

// newsOf is who must know of an edit.
func newsOf(ctx context.Context, view reactions.View, e *history.Logged, rec *record.Record) ([]notice.Notice, error) {
	about := notice.Notice{To: rec.Owner, About: e.Kind, Subject: rec.ID}
	switch {
	case e.Kind == "conflict" && e.New && rec.Text("state") == "open":
		about.Category, about.Code = notice.Conflict, "conflict_opened"
	case e.Kind == "task" && e.Op != record.OpDelete && e.Set.Get("owner") != nil && e.Set.Text("owner") == rec.Owner.String() &&
		(e.New || e.Was.Get("owner") != nil && string(e.Was.Get("owner")) != string(e.Set.Get("owner"))) && isOpenTask(rec):
		about.Category, about.Code = notice.Task, "task_assigned"
	case e.Kind == "request" && !e.New && e.Was.Get("state") != nil && answered(rec.Text("state")):
		about.Category, about.Code = notice.System, "request_answered"
	case e.Kind == "merge_redirect" && e.New:
		survivor, err := view.Record(ctx, rec.Ref("survivor"))
		if err != nil || survivor == nil {
			return nil, err
		}
		about.Category, about.Code = notice.System, "customers_merged"
		about.About, about.Subject = survivor.Kind.Name, survivor.ID
		other := about
		other.To = survivor.Owner
		return []notice.Notice{about, other}, nil
	default:
		return nil, nil
	}
	return []notice.Notice{about}, nil
}

func isOpenTask(rec *record.Record) bool {
	state := rec.Text("status")
	return state != "done" && state != "cancelled"
}

func answered(state string) bool {
	return state == "accepted" || state == "declined" || state == "answered"
}
