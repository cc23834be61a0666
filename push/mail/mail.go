// Package mail tells people by e-mail, and is the only door to what speaks SMTP.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	smtp "github.com/wneessen/go-mail"

	"roadbook/push"
	"roadbook/record"
)

// Name is the channel's.
const Name = "mail"

// MaxPayload is more than any of our letters has, in bytes.
const MaxPayload = 4096

// The ports of letters that are handed in, without and with TLS from the start.
const (
	portPlain = 587
	portTLS   = 465
)

// Channel is e-mail.
type Channel struct {
	from    string
	host    string
	options []smtp.Option
}

var (
	_ push.Channel = (*Channel)(nil)
	_ push.Finder  = (*Channel)(nil)
)

// Config is by whom letters go.
type Config struct {
	Server string        // smtp://user:password@host:587 or smtps://…:465
	From   string        // the address that they are from
	Within time.Duration // what the server may take for a step
}

// Within is what a server gets usually: less than a channel has in all.
const Within = 5 * time.Second

// New is e-mail. A password is only said to whoever speaks TLS.
func New(conf Config) (*Channel, error) {
	u, err := url.Parse(conf.Server)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("a mail server is smtp://user:password@host:587") // without what was said: it holds a password
	}
	port := portPlain
	if u.Scheme == "smtps" {
		port = portTLS
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, errors.New("the port of the mail server is no number")
		}
	}
	c := &Channel{from: conf.From, host: u.Hostname()}
	c.options = []smtp.Option{
		smtp.WithPort(port), smtp.WithTimeout(conf.Within), smtp.WithTLSPolicy(smtp.TLSOpportunistic),
		smtp.WithTLSConfig(&tls.Config{ServerName: c.host, MinVersion: tls.VersionTLS12}),
	}
	if u.Scheme == "smtps" {
		c.options = append(c.options, smtp.WithSSL())
	}
	if password, has := u.User.Password(); has {
		c.options = append(c.options, smtp.WithTLSPolicy(smtp.TLSMandatory), smtp.WithSMTPAuth(smtp.SMTPAuthAutoDiscover),
			smtp.WithUsername(u.User.Username()), smtp.WithPassword(password))
	}
	return c, nil
}

// Name implements push.Channel.
func (*Channel) Name() string { return Name }

// Find implements push.Finder.
func (*Channel) Find(user *record.Record) string { return user.Text("email") }

// Send implements push.Channel. Nothing can take a letter away again.
func (c *Channel) Send(ctx context.Context, m push.Message, to []push.Address) []push.Answer {
	answers := make([]push.Answer, len(to))
	for i, a := range to {
		if !m.Read {
			answers[i] = c.one(ctx, m, a.Token)
		}
	}
	return answers
}

func (c *Channel) one(ctx context.Context, m push.Message, to string) push.Answer {
	letter := smtp.NewMsg()
	if err := errors.Join(letter.From(c.from), letter.To(to)); err != nil {
		return push.Answer{Err: fmt.Errorf("the addresses of a letter: %w", err)}
	}
	letter.Subject(m.Title)
	letter.SetMessageIDWithValue(m.ID.String() + "@" + c.host) // the same if it is sent again
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(smtp.TypeTextPlain, m.Title+"\n")
	client, err := smtp.NewClient(c.host, c.options...)
	if err != nil {
		return push.Answer{Err: err}
	}
	return answerOf(client.DialAndSendWithContext(ctx, letter))
}

// answerOf says what came of a letter. A server says 4xx to what it may take later
// and 5xx to what it never will.
func answerOf(err error) push.Answer {
	var said *smtp.SendError
	var dial *net.OpError
	a := push.Answer{Err: err}
	switch {
	case err == nil:
	case errors.As(err, &said) && said.ErrorCode() != 0:
		a.Again = said.IsTemp()
	case errors.As(err, &dial) && dial.Op == "dial":
		a.Again = true
	default:
		a.Silent = true
	}
	return a
}
