// Package wechat reaches people by subscribe messages of a WeChat mini-program.
// Each message takes a consent that its person has given by a tap.
package wechat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"roadbook/push"
	"roadbook/record"
)

// Name is the channel's.
const Name = "wechat"

// Endpoint is where WeChat is asked.
const Endpoint = "https://api.weixin.qq.com"

const (
	// MaxThing is what WeChat shows of a text, in characters.
	MaxThing = 20
	// MaxPayload is more than any of our messages has, in bytes.
	MaxPayload = 4096
	// renewBefore is how long before its end a token is no longer used.
	renewBefore = 5 * time.Minute
	// quotaAfter is when a quota is looked at again: it is the day's.
	quotaAfter = time.Hour
)

// What WeChat says, as far as it means something to us.
const (
	codeBusy    = -1
	codeQuota   = 45009
	codeOften   = 45011
	codeRefused = 43101 // the person allows no message
	codeNobody  = 40003 // there is no such person
)

// stale are what it says of a token that is no more.
var stale = map[int]bool{40001: true, 40014: true, 42001: true}

// Ledger knows who allows a message: a push.Consents.
type Ledger interface {
	Spend(ctx context.Context, address, template, category string) (tap record.ID, found bool, err error)
	Back(ctx context.Context, tap record.ID, template string) error
	Void(ctx context.Context, address, template string) error
}

// Config is whose messages these are.
type Config struct {
	AppID, Secret string
	Template      string
	Field         string // of the template, which takes the title: thing1
	Page          string // of the mini-program, which a tap opens
	Endpoint      string
	Ledger        Ledger
	Now           func() time.Time
}

// Channel is subscribe messages.
type Channel struct {
	Config
	client *http.Client

	mu    sync.Mutex
	token string
	until time.Time
}

var (
	_ push.Channel  = (*Channel)(nil)
	_ push.Resolver = (*Channel)(nil)
)

// New is subscribe messages of one mini-program.
func New(c Config) *Channel { return &Channel{Config: c, client: push.NewClient()} }

// Name implements push.Channel.
func (*Channel) Name() string { return Name }

// said is what WeChat answers.
type said struct {
	Code    int    `json:"errcode"`
	Message string `json:"errmsg"`
	Token   string `json:"access_token"`
	Expires int    `json:"expires_in"`
	OpenID  string `json:"openid"`
}

// Resolve implements push.Resolver: a mini-program says the code of wx.login, and
// only WeChat says whose it is.
func (c *Channel) Resolve(ctx context.Context, code string) (string, error) {
	q := url.Values{"appid": {c.AppID}, "secret": {c.Secret}, "js_code": {code}, "grant_type": {"authorization_code"}}
	s, a := c.ask(ctx, http.MethodGet, "/sns/jscode2session?"+q.Encode(), nil)
	switch {
	case a.Err != nil:
		return "", a.Err
	case s.OpenID == "":
		return "", fmt.Errorf("WeChat knows nobody by this code: %d %s", s.Code, s.Message)
	}
	return s.OpenID, nil
}

// Send implements push.Channel. Nothing can take such a message away again.
func (c *Channel) Send(ctx context.Context, m push.Message, to []push.Address) []push.Answer {
	answers := make([]push.Answer, len(to))
	for i, a := range to {
		if !m.Read {
			answers[i] = c.one(ctx, m, a.Token)
		}
	}
	return answers
}

// one spends a consent and gives it back if WeChat has surely not taken the
// message.
func (c *Channel) one(ctx context.Context, m push.Message, openid string) push.Answer {
	tap, found, err := c.Ledger.Spend(ctx, openid, c.Template, m.Category)
	if err != nil {
		return push.Answer{Err: err, Again: true}
	}
	if !found {
		return push.Answer{Err: errors.New("he has allowed no message, or the last are for approvals")}
	}
	code, a := c.send(ctx, m, openid)
	switch {
	case a.Err == nil, a.Silent:
	case code == codeRefused:
		err = c.Ledger.Void(ctx, openid, c.Template)
	default:
		err = c.Ledger.Back(ctx, tap, c.Template)
	}
	if err != nil && a.Err != nil {
		a.Err = fmt.Errorf("%w; and the ledger: %w", a.Err, err)
	}
	return a
}

// send sends, once more with a new token if the first is no more.
func (c *Channel) send(ctx context.Context, m push.Message, openid string) (code int, a push.Answer) {
	message := map[string]any{
		"touser": openid, "template_id": c.Template, "data": map[string]any{c.Field: map[string]string{"value": clipped(m.Title)}},
	}
	if c.Page != "" {
		message["page"] = c.Page
	}
	body, err := json.Marshal(message)
	if err != nil {
		return 0, push.Answer{Err: err}
	}
	for again := range 2 {
		token, a := c.access(ctx)
		if a.Err != nil {
			return 0, a
		}
		s, a := c.ask(ctx, http.MethodPost, "/cgi-bin/message/subscribe/send?access_token="+url.QueryEscape(token), body)
		if a.Err != nil {
			return 0, a
		}
		if stale[s.Code] && again == 0 {
			c.forget(token)
			continue
		}
		return s.Code, answerOf(s)
	}
	return 0, push.Answer{} // the second time has returned
}

// answerOf says what an answer means.
func answerOf(s said) push.Answer {
	if s.Code == 0 {
		return push.Answer{}
	}
	a := push.Answer{Err: fmt.Errorf("WeChat says %d: %s", s.Code, s.Message)}
	switch {
	case s.Code == codeBusy, stale[s.Code]:
		a.Again = true
	case s.Code == codeQuota, s.Code == codeOften:
		a.Again, a.After = true, quotaAfter
	case s.Code == codeNobody:
		a.Gone = true
	}
	return a
}

// access is a token that is good for a while.
func (c *Channel) access(ctx context.Context) (string, push.Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && c.Now().Before(c.until) {
		return c.token, push.Answer{}
	}
	q := url.Values{"grant_type": {"client_credential"}, "appid": {c.AppID}, "secret": {c.Secret}}
	s, a := c.ask(ctx, http.MethodGet, "/cgi-bin/token?"+q.Encode(), nil)
	if a.Err != nil {
		if a.Silent {
			a.Silent, a.Again = false, true // nothing was sent yet
		}
		return "", a
	}
	if s.Token == "" {
		return "", answerOf(said{Code: cmp.Or(s.Code, codeBusy), Message: s.Message})
	}
	c.token, c.until = s.Token, c.Now().Add(time.Duration(s.Expires)*time.Second-renewBefore)
	return c.token, push.Answer{}
}

// forget has another token fetched.
func (c *Channel) forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == token {
		c.token = ""
	}
}

func (c *Channel) ask(ctx context.Context, method, path string, body []byte) (s said, a push.Answer) {
	r, err := http.NewRequestWithContext(ctx, method, c.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return s, push.Answer{Err: errors.New("the address of WeChat is none")}
	}
	r.Header.Set("Content-Type", "application/json")
	raw, a := push.Ask(c.client, r)
	if a.Err != nil {
		return s, a
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, push.Answer{Err: errors.New("WeChat answers something else than JSON"), Silent: true}
	}
	return s, a
}

func clipped(text string) string {
	if r := []rune(text); len(r) > MaxThing {
		return string(r[:MaxThing-1]) + "…"
	}
	return text
}
