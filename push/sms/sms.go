// Package sms sends text messages by a provider that takes them over HTTP.
package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"roadbook/push"
	"roadbook/record"
)

// Name is the channel's.
const Name = "sms"

// MaxRunes is what fits one message of Chinese text; the signature takes the rest
// of its 70 characters.
const MaxRunes = 60

// Provider is whoever sends text messages.
type Provider interface {
	// Send sends a text to a number. The id is the same each time it is asked to
	// send the same.
	Send(ctx context.Context, id, number, text string) push.Answer
}

// Channel is text messages.
type Channel struct{ Provider }

var (
	_ push.Channel = Channel{}
	_ push.Finder  = Channel{}
)

// Name implements push.Channel.
func (Channel) Name() string { return Name }

// Find implements push.Finder: the number is that of the person.
func (Channel) Find(user *record.Record) string { return user.Text("mobile") }

// Send implements push.Channel. Nothing can take a text message away again.
func (c Channel) Send(ctx context.Context, m push.Message, to []push.Address) []push.Answer {
	answers := make([]push.Answer, len(to))
	for i, a := range to {
		if !m.Read {
			answers[i] = c.Provider.Send(ctx, m.ID.String(), a.Token, clipped(m.Title))
		}
	}
	return answers
}

func clipped(text string) string {
	if r := []rune(text); len(r) > MaxRunes {
		return string(r[:MaxRunes-1]) + "…"
	}
	return text
}

// HTTP is a provider that takes {"id","to","text","sign"} as JSON with a bearer
// token, and answers 2xx if it has taken it. It sends what has one id once.
type HTTP struct {
	url, token, sign string
	client           *http.Client
}

// NewHTTP is a provider at an address. The signature is what carriers ask of
// senders, as 【Roadbook】.
func NewHTTP(url, token, sign string) *HTTP {
	return &HTTP{url: url, token: token, sign: sign, client: push.NewClient()}
}

// Send implements Provider.
func (p *HTTP) Send(ctx context.Context, id, number, text string) push.Answer {
	raw, err := json.Marshal(map[string]string{"id": id, "to": number, "text": text, "sign": p.sign})
	if err != nil {
		return push.Answer{Err: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(raw))
	if err != nil {
		return push.Answer{Err: fmt.Errorf("asking the provider: %w", err)}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+p.token)
	_, a := push.Ask(p.client, r)
	return a
}
