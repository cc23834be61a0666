// Package fcm reaches phones by Firebase Cloud Messaging, and is the only door to
// its SDK. What travels is a data message: an id, a category and a short title.
package fcm

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/errorutils"
	"firebase.google.com/go/v4/messaging"
	"google.golang.org/api/option"

	"roadbook/push"
)

// Name is the channel's.
const Name = "fcm"

const (
	// MaxPayload is what FCM and APNs take, in bytes.
	MaxPayload = 4096
	// maxAtOnce is how many tokens the SDK takes at once.
	maxAtOnce = 500
	// lifetime is how long a message waits for a phone that is off, if it does not
	// say.
	lifetime = 24 * time.Hour
	// connections are kept open to FCM: its SDK asks once for each token.
	connections = 64
)

// Config is whose messages these are.
type Config struct {
	Project     string
	Credentials string // a file with a service account
	Endpoint    string // in place of Google's, without credentials: for tests
	Now         func() time.Time
}

// Channel is FCM.
type Channel struct {
	client *messaging.Client
	now    func() time.Time
}

var _ push.Channel = (*Channel)(nil)

// New is FCM for one project.
func New(ctx context.Context, c Config) (*Channel, error) {
	var opts []option.ClientOption
	switch {
	case c.Endpoint != "":
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = connections
		opts = append(opts, option.WithEndpoint(c.Endpoint), option.WithHTTPClient(&http.Client{Transport: t}))
	case c.Credentials != "":
		opts = append(opts, option.WithAuthCredentialsFile(option.ServiceAccount, c.Credentials))
	}
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: c.Project}, opts...)
	if err != nil {
		return nil, fmt.Errorf("opening Firebase: %w", err)
	}
	client, err := app.Messaging(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening Firebase Cloud Messaging: %w", err)
	}
	return &Channel{client: client, now: c.Now}, nil
}

// Name implements push.Channel.
func (*Channel) Name() string { return Name }

// Send implements push.Channel.
func (c *Channel) Send(ctx context.Context, m push.Message, to []push.Address) []push.Answer {
	answers := make([]push.Answer, 0, len(to))
	for len(to) > 0 {
		some := to[:min(maxAtOnce, len(to))]
		to = to[len(some):]
		answers = append(answers, c.some(ctx, m, some)...)
	}
	return answers
}

func (c *Channel) some(ctx context.Context, m push.Message, to []push.Address) []push.Answer {
	tokens := make([]string, len(to))
	for i, a := range to {
		tokens[i] = a.Token
	}
	answers := make([]push.Answer, len(to))
	got, err := c.client.SendEachForMulticast(ctx, c.multicast(m, tokens))
	for i := range answers {
		switch {
		case err != nil:
			answers[i] = push.Answer{Err: err} // nothing was sent: it cannot be
		case !got.Responses[i].Success:
			answers[i] = answerOf(got.Responses[i].Error)
		}
	}
	return answers
}

// answerOf says what an error of FCM means. What is about our own doing (what we
// sent, whom we are) is not tried again: it would fail again.
func answerOf(err error) push.Answer {
	a := push.Answer{Err: err}
	response := errorutils.HTTPResponse(err) //nolint:bodyclose // the SDK has read and closed it
	switch {
	case messaging.IsUnregistered(err), messaging.IsSenderIDMismatch(err):
		a.Gone = true
	case messaging.IsQuotaExceeded(err), messaging.IsUnavailable(err), messaging.IsInternal(err):
		a.Again = response != nil
		a.Silent = response == nil
	case response == nil:
		a.Silent = true
	}
	if a.Again {
		if seconds, bad := strconv.Atoi(response.Header.Get("Retry-After")); bad == nil && seconds > 0 {
			a.After = time.Duration(seconds) * time.Second
		}
	}
	return a
}

// multicast is a message as FCM takes it. The app shows it on Android, from the
// data; on iOS the system does, and wakes nobody.
func (c *Channel) multicast(m push.Message, tokens []string) *messaging.MulticastMessage {
	if m.Read {
		return &messaging.MulticastMessage{
			Tokens:  tokens,
			Data:    map[string]string{"id": m.ID.String(), "read": "1"},
			Android: &messaging.AndroidConfig{Priority: "normal"},
			APNS: &messaging.APNSConfig{
				Headers: map[string]string{"apns-priority": "5", "apns-push-type": "background"},
				Payload: &messaging.APNSPayload{Aps: &messaging.Aps{ContentAvailable: true}},
			},
		}
	}
	now := c.now()
	expires := m.Expires
	if expires.IsZero() {
		expires = now.Add(lifetime)
	}
	ttl := max(expires.Sub(now), 0)
	return &messaging.MulticastMessage{
		Tokens: tokens,
		Data:   map[string]string{"id": m.ID.String(), "category": m.Category, "title": m.Title, "channel": m.Category},
		Android: &messaging.AndroidConfig{
			Priority: "high", CollapseKey: m.Collapse, TTL: &ttl,
		},
		APNS: &messaging.APNSConfig{
			Headers: map[string]string{
				"apns-priority": "10", "apns-push-type": "alert", "apns-collapse-id": m.Collapse,
				"apns-expiration": strconv.FormatInt(expires.Unix(), 10),
			},
			Payload: &messaging.APNSPayload{Aps: &messaging.Aps{
				Alert: &messaging.ApsAlert{Title: m.Title}, Category: m.Category, ThreadID: m.Category, Sound: "default",
			}},
		},
	}
}
