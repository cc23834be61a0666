package push_test

import (
	"context"
	"sync"

	"roadbook/push"
)

// mailman is a channel that answers as a test says.
type mailman struct {
	name   string
	answer func(push.Address) push.Answer
	before func() // something is sent

	mu   sync.Mutex
	sent []sent
}

type sent struct {
	token, receipt string
	push.Message
}

func (m *mailman) Name() string { return m.name }

func (m *mailman) Send(_ context.Context, msg push.Message, to []push.Address) []push.Answer {
	if m.before != nil {
		m.before()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	answers := make([]push.Answer, len(to))
	for i, a := range to {
		m.sent = append(m.sent, sent{a.Token, a.Receipt, msg})
		if m.answer != nil {
			answers[i] = m.answer(a)
		}
	}
	return answers
}
