package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// How slow a network may be. What trickles costs a connection and the memory of
// what has come; what goes on at the pace of the worst network that we serve is
// let through, however long it takes; what comes to nothing is cut.
const (
	leastPace = 4 << 10 // bytes a second: half of a 2G phone's 64 kbit/s

	bodySilence = time.Minute      // until a body begins, and between two pieces of it
	bodyTimeout = 10 * time.Minute // for all of it: a whole push that hardly compresses, at 64 kbit/s

	answerSilence = 2 * time.Minute  // to take an answer, and besides a second for each leastPace bytes of it
	answerTimeout = 10 * time.Minute // at the most
)

// pacedBody is a body that must keep coming.
type pacedBody struct {
	c     *gin.Context
	from  io.Reader
	start time.Time
	got   int64
	set   time.Time // the deadline as the connection has it
}

// pace reads the request's body as long as it keeps coming.
func pace(c *gin.Context) io.Reader {
	return &pacedBody{c: c, from: c.Request.Body, start: after(c, 0)}
}

// Read moves the deadline on with what has come. It does so a second at a time,
// for a body may come in many small pieces.
func (b *pacedBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.got += int64(n)
	if err != nil || n == 0 {
		return n, err
	}
	earned := b.start.Add(bodySilence + time.Duration(b.got)*time.Second/leastPace)
	deadline := earliest(earned, after(b.c, bodySilence), b.start.Add(bodyTimeout))
	if deadline.Sub(b.set) < time.Second {
		return n, nil
	}
	b.set = deadline
	return n, setReadDeadline(b.c, deadline)
}

func earliest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.Before(first) {
			first = t
		}
	}
	return first
}

// after is a moment so far from now. It comes from a context, so that it is on
// the clock of the network and not on the one that tests wind by hand.
func after(c *gin.Context, d time.Duration) time.Time {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), d)
	defer cancel()
	deadline, _ := ctx.Deadline()
	return deadline
}

func setReadDeadline(c *gin.Context, at time.Time) error {
	return supported(http.NewResponseController(c.Writer).SetReadDeadline(at))
}

// setWriteDeadline gives an answer of n bytes the time that it needs on a slow
// network, from now on.
func setWriteDeadline(c *gin.Context, n int) error {
	needed := answerSilence + time.Duration(n)*time.Second/leastPace
	return supported(http.NewResponseController(c.Writer).SetWriteDeadline(after(c, min(needed, answerTimeout))))
}

func supported(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil // a test without a network
	}
	return err
}
