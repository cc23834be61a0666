package approvals

import (
	"sync"

	"roadbook/record"
)

// maxPlans is how many flows are kept ready. They are small, and read anew in a
// millisecond.
const maxPlans = 256

// plans are flows that are ready to be worked with.
type plans struct {
	mu    sync.Mutex
	known map[planKey]*plan
}

// planKey is what a flow says, about a kind of one schema.
type planKey struct {
	body string
	kind *record.Kind
}

func newPlans() *plans { return &plans{known: map[planKey]*plan{}} }

// of finds a flow or reads it. find finds kinds by name.
func (p *plans) of(body string, kind *record.Kind, find func(string) *record.Kind) (*plan, error) {
	key := planKey{body, kind}
	p.mu.Lock()
	known := p.known[key]
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	fresh, err := readFlow(body, speak(find, kind))
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxPlans {
		clear(p.known)
	}
	p.known[key] = fresh
	return fresh, nil
}
