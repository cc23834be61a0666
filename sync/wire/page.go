package wire

import (
	"encoding/json"
	"fmt"
	"strconv"

	"roadbook/record"
)

// PageWriter assembles a page from raw text: a page is mostly field values
// that lie ready in the store, and encoding/json would look at every byte of
// them three times. What it writes is what encoding/json writes for the same
// PullAnswer. The zero writer is ready, and may be used again after Reset.
// It is not for two goroutines at once.
type PageWriter struct {
	changes []byte
	count   int
}

// Reset forgets the changes and keeps the memory.
func (p *PageWriter) Reset() { p.changes, p.count = p.changes[:0], 0 }

// Size is how many bytes the changes take so far. A page is full when this
// passes its limit, so it goes over by one record at most.
func (p *PageWriter) Size() int { return len(p.changes) }

// Len is how many changes there are so far.
func (p *PageWriter) Len() int { return p.count }

// Change adds a change. A nil Set is absent, as for a change of In alone; an
// empty one is written, as for a change of hidden fields only.
func (p *PageWriter) Change(c Change) {
	p.begin(&c)
	if c.Set != nil {
		p.changes = c.Set.AppendJSON(append(p.changes, `,"set":`...))
	}
	p.end(&c)
}

// ChangeText adds a change whose Set is the text of an object as it is stored,
// in place of c.Set. The text must be JSON; it is not looked at.
func (p *PageWriter) ChangeText(c Change, set []byte) {
	p.begin(&c)
	p.changes = append(append(p.changes, `,"set":`...), set...)
	p.end(&c)
}

func (p *PageWriter) begin(c *Change) {
	b := p.changes
	if p.count++; p.count > 1 {
		b = append(b, ',')
	}
	b = record.AppendString(append(b, `{"kind":`...), c.Kind)
	b = append(b, `,"id":"`...)
	b = append(record.AppendID(b, c.ID), `","seq":"`...)
	b = append(strconv.AppendInt(b, int64(c.Seq), 10), '"')
	if c.Full {
		b = append(b, `,"full":true`...)
	}
	if len(c.In) > 0 {
		b = append(b, `,"in":[`...)
		for i, scope := range c.In {
			if i > 0 {
				b = append(b, ',')
			}
			b = record.AppendString(b, scope)
		}
		b = append(b, ']')
	}
	p.changes = b
}

func (p *PageWriter) end(c *Change) {
	if c.Gone != "" {
		p.changes = record.AppendString(append(p.changes, `,"gone":`...), string(c.Gone))
	}
	p.changes = append(p.changes, '}')
}

// Finish is the page: answer, with the changes written so far in place of
// answer.Changes. It is a copy, so the writer can be used again.
func (p *PageWriter) Finish(answer *PullAnswer) ([]byte, error) {
	head, err := json.Marshal(pageHead{answer.DropScopes, answer.Withdraw, answer.Want})
	if err != nil {
		return nil, fmt.Errorf("write the head of a page: %w", err)
	}
	tail, err := json.Marshal(pageTail{PullAnswer: answer})
	if err != nil {
		return nil, fmt.Errorf("write the tail of a page: %w", err)
	}
	page := make([]byte, 0, len(head)+len(p.changes)+len(tail)+len(`,"changes":[],`))
	page = append(page, head[:len(head)-1]...)
	if len(head) > len("{}") {
		page = append(page, ',')
	}
	page = append(page, `"changes":[`...)
	page = append(page, p.changes...)
	page = append(page, `],`...)
	return append(page, tail[1:]...), nil
}

// pageHead is what stands before the changes, because it is applied before.
type pageHead struct {
	DropScopes []string   `json:"drop_scopes,omitempty"`
	Withdraw   []Withdraw `json:"withdraw,omitempty"`
	Want       *Want      `json:"want,omitempty"`
}

// pageTail is what stands behind them: all of the answer but what these
// members hide.
type pageTail struct {
	*PullAnswer
	DropScopes *struct{} `json:"drop_scopes,omitempty"`
	Withdraw   *struct{} `json:"withdraw,omitempty"`
	Want       *struct{} `json:"want,omitempty"`
	Changes    *struct{} `json:"changes,omitempty"`
}
