// Package webhook tells a program of somebody's own of notifications, by a signed
// POST. It is asked for every person: whoever listens there knows where to find him.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"roadbook/push"
	"roadbook/record"
)

// Name is the channel's.
const Name = "webhook"

// The headers of a request. The signature is over the time, a point and the body.
const (
	HeaderTime      = "X-Roadbook-Time" // seconds since 1970
	HeaderSignature = "X-Roadbook-Signature"
)

// Window is how old a request may be, or how far ahead of the clock of whoever
// gets it: one that is taken down on the way cannot be played to him later.
const Window = 5 * time.Minute

// MaxPayload is the longest body in bytes.
const MaxPayload = 4096

// Body is what is sent.
type Body struct {
	ID        record.ID  `json:"id"` // of the notification; the same comes twice if nobody has answered
	Person    record.ID  `json:"person"`
	Category  string     `json:"category,omitempty"`
	Title     string     `json:"title,omitempty"`
	Collapse  string     `json:"collapse,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Read      bool       `json:"read,omitempty"` // it was read elsewhere
}

// Config is where to send.
type Config struct {
	URL    string
	Secret string
	Now    func() time.Time
}

// Channel is a webhook.
type Channel struct {
	Config
	client *http.Client
}

var (
	_ push.Channel = (*Channel)(nil)
	_ push.Finder  = (*Channel)(nil)
)

// New is a webhook at an address.
func New(c Config) *Channel { return &Channel{Config: c, client: push.NewClient()} }

// Name implements push.Channel.
func (*Channel) Name() string { return Name }

// Find implements push.Finder.
func (*Channel) Find(user *record.Record) string { return user.ID.String() }

// Send implements push.Channel.
func (c *Channel) Send(ctx context.Context, m push.Message, to []push.Address) []push.Answer {
	answers := make([]push.Answer, len(to))
	for i, a := range to {
		answers[i] = c.one(ctx, m, a)
	}
	return answers
}

func (c *Channel) one(ctx context.Context, m push.Message, to push.Address) push.Answer {
	body := Body{ID: m.ID, Person: to.Device, Category: m.Category, Title: m.Title, Collapse: m.Collapse, Read: m.Read}
	if !m.Expires.IsZero() {
		body.ExpiresAt = &m.Expires
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return push.Answer{Err: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(raw))
	if err != nil {
		return push.Answer{Err: err}
	}
	at := c.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(HeaderTime, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(HeaderSignature, Sign(c.Secret, at, raw))
	_, a := push.Ask(c.client, r)
	a.Gone = false // an address of ours may come back
	return a
}

// Sign is the signature of a body at a time.
func Sign(secret string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Verify reports whether a request is one of ours, and not an old one: it is for
// whoever gets it.
func Verify(secret string, h http.Header, body []byte, now time.Time) bool {
	seconds, err := strconv.ParseInt(h.Get(HeaderTime), 10, 64)
	if err != nil {
		return false
	}
	at := time.Unix(seconds, 0)
	if age := now.Sub(at); age > Window || age < -Window {
		return false
	}
	return hmac.Equal([]byte(h.Get(HeaderSignature)), []byte(Sign(secret, at, body)))
}
