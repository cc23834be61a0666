package online

import (
	"cmp"
	"context"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/query"
	"roadbook/record"
	"roadbook/sync"
)

// Board is who has how much to do, as far as its reader sees that.
type Board struct {
	People  []OnBoard `json:"people"` // by name
	Open    int       `json:"open"`
	Doing   int       `json:"doing"`
	Overdue int       `json:"overdue"`
	More    bool      `json:"more,omitempty"` // there are more than are counted
}

// OnBoard is what one person has to do.
type OnBoard struct {
	ID      record.ID `json:"id"`
	Name    string    `json:"name,omitempty"`
	Open    int       `json:"open"`
	Doing   int       `json:"doing"`
	Overdue int       `json:"overdue"` // of both
}

// Board counts the tasks that are not over, by person.
func (s *Service) Board(ctx context.Context, who access.Caller, at time.Time) (out Board, err error) {
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		out = Board{People: []OnBoard{}}
		kind := v.Schema.Kind("task")
		if kind == nil {
			return nil
		}
		columns, more, err := query.Board(ctx, v.Tx, v.Actor, kind, "status", "due_at", []string{"open", "doing"}, at)
		if err != nil {
			return err
		}
		out.More = more
		for _, c := range columns {
			out.add(c)
		}
		return out.name(ctx, v)
	})
	return out, err
}

func (b *Board) add(c query.Column) {
	i := slices.IndexFunc(b.People, func(p OnBoard) bool { return p.ID == c.Owner })
	if i < 0 {
		i = len(b.People)
		b.People = append(b.People, OnBoard{ID: c.Owner})
	}
	p := &b.People[i]
	if c.State == "doing" {
		p.Doing, b.Doing = p.Doing+c.Count, b.Doing+c.Count
	} else {
		p.Open, b.Open = p.Open+c.Count, b.Open+c.Count
	}
	p.Overdue, b.Overdue = p.Overdue+c.Overdue, b.Overdue+c.Overdue
}

// name says who they are, which everybody may know.
func (b *Board) name(ctx context.Context, v sync.Sight) error {
	ids := make([]record.ID, len(b.People))
	for i, p := range b.People {
		ids[i] = p.ID
	}
	rows, err := v.Tx.Records(ctx, ids)
	if err != nil {
		return err
	}
	for i := range rows {
		user, err := rows[i].Record(v.Schema)
		if err != nil {
			return err
		}
		at := slices.Index(ids, user.ID)
		b.People[at].Name = user.Text("name")
	}
	slices.SortFunc(b.People, func(x, y OnBoard) int { return cmp.Or(cmp.Compare(x.Name, y.Name), slices.Compare(x.ID[:], y.ID[:])) })
	return nil
}
