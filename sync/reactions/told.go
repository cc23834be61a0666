package reactions

import (
	"context"
	"time"

	"roadbook/api/words"
	"roadbook/record"
	"roadbook/record/notice"
)

// Worthwhile is how long anybody needs to be told of something: what is older has
// been seen on the way, or is not news.
const Worthwhile = 7 * 24 * time.Hour

// Tell makes mutations of what people are to be told of a change: each in his
// language, once, and nobody who has left.
func Tell(ctx context.Context, view View, c *Change, all []notice.Notice) (edits [][]record.Edit, err error) {
	told := map[record.ID]bool{}
	for _, n := range all {
		id := n.ID(c.ID)
		if n.To.IsZero() || told[id] {
			continue
		}
		told[id] = true
		lang, active, err := languageOf(ctx, view, n.To)
		if err != nil {
			return nil, err
		}
		if !active {
			continue
		}
		n.Title = words.Notice(n.Code, lang)
		n.By, n.At, n.Expires = c.Person, c.Typed, c.Arrived.Add(Worthwhile)
		edits = append(edits, []record.Edit{n.Edit(c.ID)})
	}
	return edits, nil
}

// languageOf is how somebody is spoken to, and whether he is there at all.
func languageOf(ctx context.Context, view View, person record.ID) (lang words.Language, active bool, err error) {
	rec, err := view.Record(ctx, person)
	if err != nil || rec == nil || rec.State != record.Live || rec.Text("status") == "left" {
		return "", false, err
	}
	if rec.Text("locale") == "en" {
		return words.English, true, nil
	}
	return words.Chinese, true, nil
}
