package mail_test

import (
	"bufio"
	"context"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/push"
	"roadbook/push/mail"
	"roadbook/record"
)

var notice = record.MustID("0190aaaa-0000-7000-8000-000000000002")

// office is a mail server that says what a test has it say, as RFC 5321 has it.
type office struct {
	net.Listener
	says    map[string]string // by the first word of what it is told
	letters chan string
}

func newOffice(t *testing.T, says map[string]string) *office {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o := &office{Listener: l, says: says, letters: make(chan string, 4)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go o.serve(c)
		}
	}()
	return o
}

func (o *office) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := textproto.NewReader(bufio.NewReader(c))
	say := func(text string) { _, _ = c.Write([]byte(text + "\r\n")) }
	say("220 office ESMTP")
	for {
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		word := strings.ToUpper(strings.Fields(line + " .")[0])
		answer, told := o.says[word]
		switch {
		case answer == "hang":
			_, _ = in.ReadLine()
			return
		case told:
			say(answer)
		case word == "EHLO":
			say("250-office\r\n250 8BITMIME")
		case word == "DATA":
			say("354 go on")
			lines, _ := in.ReadDotLines()
			if answer, told := o.says["LETTER"]; told {
				say(answer)
				continue
			}
			o.letters <- strings.Join(lines, "\n")
			say("250 taken")
		case word == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (o *office) send(t *testing.T, m push.Message) push.Answer {
	t.Helper()
	c, err := mail.New(mail.Config{Server: "smtp://" + o.Addr().String(), From: "roadbook@example.com", Within: 300 * time.Millisecond})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	return c.Send(ctx, m, []push.Address{{Token: "lin@example.com"}})[0]
}

// A letter has the title and nothing else of what it is about; the same that is
// sent again has the same name.
func TestChannel(t *testing.T) {
	t.Parallel()

	o := newOffice(t, nil)
	require.NoError(t, o.send(t, push.Message{ID: notice, Title: "You have a new task"}).Err)
	require.NoError(t, o.send(t, push.Message{ID: notice, Read: true}).Err)

	letter := <-o.letters
	require.Empty(t, o.letters)
	require.Contains(t, letter, "Subject: You have a new task")
	require.Contains(t, letter, "To: <lin@example.com>")
	require.Contains(t, letter, "Message-ID: <"+notice.String()+"@127.0.0.1>")
	require.Contains(t, letter, "Auto-Submitted: auto-generated")
	require.LessOrEqual(t, len(letter), mail.MaxPayload)
	require.NoError(t, o.send(t, push.Message{ID: notice, Title: strings.Repeat("长", push.MaxTitle)}).Err)
	require.LessOrEqual(t, len(<-o.letters), mail.MaxPayload)
}

// What a server says at each step, and what that means.
func TestChannel_answers(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name string
		says map[string]string
		want push.Answer
	}{
		{"no such box", map[string]string{"RCPT": "550 5.1.1 nobody here"}, push.Answer{}},
		{"the box is full", map[string]string{"RCPT": "452 4.2.2 full"}, push.Answer{Again: true}},
		{"come again later", map[string]string{"MAIL": "451 4.7.1 greylisted"}, push.Answer{Again: true}},
		{"not from you", map[string]string{"MAIL": "553 5.1.8 no"}, push.Answer{}},
		{"the letter is refused", map[string]string{"LETTER": "554 5.7.1 spam"}, push.Answer{}},
		{"the letter is refused for now", map[string]string{"LETTER": "421 4.3.2 stopping"}, push.Answer{Again: true}},
		{"it hangs", map[string]string{"DATA": "hang"}, push.Answer{Silent: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			a := newOffice(t, tt.says).send(t, push.Message{ID: notice, Title: "x"})

			require.Error(t, a.Err)
			require.Equal(t, push.Answer{Err: a.Err, Again: tt.want.Again, Silent: tt.want.Silent}, a)
		})
	}
	o := newOffice(t, nil)
	require.NoError(t, o.Close())
	require.True(t, o.send(t, push.Message{ID: notice, Title: "x"}).Again, "nobody is there")
}

// What is no server is refused, and not repeated: it holds a password.
func TestNew(t *testing.T) {
	t.Parallel()

	for _, bad := range []string{"", "http://lin:hunter2@host", "smtp://", "smtp://lin:hunter2@host:x"} {
		_, err := mail.New(mail.Config{Server: bad, From: "x@example.com", Within: mail.Within})
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err := mail.New(mail.Config{Server: "smtps://lin:hunter2@host", From: "x@example.com", Within: mail.Within})
	require.NoError(t, err)
}
