package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"golang.org/x/sync/errgroup"

	"roadbook/push/socket/swarm"
	"roadbook/record"
)

const (
	perDevice = 4 // sockets: as many as the server lets one have
	loginsAt  = 4 // sign-ins at once
	slowShare = 100
)

// takeSockets is a crowd that listens: what its sockets cost, how long one
// change takes to all of them, and what slow ones do to the rest.
func takeSockets(ctx context.Context, w *world) ([]Row, error) {
	seats, err := w.seats(ctx, w.Size.Sockets)
	if err != nil {
		return nil, err
	}
	w.halt() // memory is counted from a server that has done nothing yet
	if err := w.serve(ctx); err != nil {
		return nil, err
	}
	before, err := w.settled(ctx)
	if err != nil {
		return nil, err
	}
	few := len(seats) / 10
	thousand, _, err := w.crowd(ctx, seats[:few], 0)
	if err != nil {
		return nil, err
	}
	all, healthy, err := w.crowd(ctx, seats, 2*w.Runs)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(seats); i += slowShare {
		seats[i].Slow = true
	}
	_, slowed, err := w.crowd(ctx, seats, 2*w.Runs)
	if err != nil {
		return nil, err
	}
	each := (all - before) * 1024 / float64(len(seats))
	n := figure(float64(len(seats)))
	spread := row("one change to "+n+" sockets, p99", "ms", healthy...)
	worse := row("the same, one in a hundred slow", "ms", slowed...).beside("without them", []float64{spread.Value})
	return []Row{
		one("memory with "+figure(float64(few))+" devices connected", "MB", thousand).target("≤ 80", thousand <= 80),
		one("memory of an idle socket", "KB", each).target("≤ 12", each <= 12),
		spread.target("< 150", spread.Value < 150),
		worse.target("≤ 1.05 ×", worse.Ratio <= 1.05),
	}, nil
}

// seats signs devices in that see the catalogue and nothing else, so that
// everybody is told the same.
func (w *world) seats(ctx context.Context, n int) ([]swarm.Seat, error) {
	devices := make([]swarm.Seat, (n+perDevice-1)/perDevice)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(loginsAt)
	for i := range devices {
		group.Go(func() error {
			p, err := w.signIn(gctx, "crowd")
			if err != nil {
				return err
			}
			held, err := p.sync(gctx, "", "")
			devices[i] = swarm.Seat{Token: p.token, Cursor: held.cursor, Replica: string(p.replica)}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	seats := make([]swarm.Seat, n)
	for i := range seats {
		seats[i] = devices[i%len(devices)]
	}
	return seats, nil
}

// settled is the server's memory once it no longer falls.
func (w *world) settled(ctx context.Context) (float64, error) {
	last, err := w.resident()
	for err == nil {
		if err = w.Sleep(ctx, w.Size.Settle); err != nil {
			break
		}
		var now float64
		if now, err = w.resident(); err != nil || now > last*0.98 {
			return now, err
		}
		last = now
	}
	return last, err
}

// crowd opens sockets in a process of their own, and marks changes. It says
// how much memory the server takes with all of them idle, and how long each
// change took, from when it was sent, to the last but one in a hundred.
func (w *world) crowd(ctx context.Context, seats []swarm.Seat, marks int) (memory float64, p99 []float64, err error) {
	c, err := w.open(ctx, seats)
	if err != nil {
		return 0, nil, err
	}
	defer c.close()
	healthy := 0
	for _, s := range seats {
		if !s.Slow {
			healthy++
		}
	}
	if memory, err = w.settled(ctx); err != nil {
		return 0, nil, err
	}
	admin, err := w.signIn(ctx, "admin")
	if err != nil {
		return 0, nil, err
	}
	for range marks {
		frame, err := admin.frame([]record.Edit{w.marked("product", "name", w.product)})
		if err != nil {
			return 0, nil, err
		}
		sent := w.Now() // and not when it was answered: a socket may hear of a commit before its author does
		if err := admin.push(ctx, frame); err != nil {
			return 0, nil, err
		}
		order := swarm.Order{
			Do: "await", Mark: w.mark, Devices: healthy, SinceNS: sent.UnixNano(), WithinMS: int(heardIn.Milliseconds()),
		}
		a, err := c.tell(order)
		if err != nil {
			return 0, nil, err
		}
		if a.Heard != healthy {
			return 0, nil, fmt.Errorf("a change reached %d of %d sockets: %+v", a.Heard, healthy, a)
		}
		p99 = append(p99, ms(a.P99))
	}
	return memory, p99, nil
}

// crowd is a process of sockets.
type crowd struct {
	cmd     *exec.Cmd
	orders  *json.Encoder
	answers *json.Decoder
	stop    context.CancelFunc
}

func (w *world) open(ctx context.Context, seats []swarm.Seat) (*crowd, error) {
	ctx, stop := context.WithCancel(ctx)
	c := &crowd{cmd: w.Swarm(ctx), stop: stop}
	in, err := c.cmd.StdinPipe()
	if err != nil {
		stop()
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		stop()
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		stop()
		return nil, err
	}
	c.orders, c.answers = json.NewEncoder(in), json.NewDecoder(out)
	a, err := c.tell(swarm.Order{Do: "open", URL: w.live(), Seats: seats})
	if err == nil && a.Failed > 0 {
		err = fmt.Errorf("%d of %d sockets could not be opened", a.Failed, len(seats))
	}
	if err != nil {
		c.close()
	}
	return c, err
}

func (c *crowd) tell(o swarm.Order) (a swarm.Answer, err error) {
	if err := c.orders.Encode(o); err != nil {
		return a, err
	}
	return a, c.answers.Decode(&a)
}

func (c *crowd) close() {
	_ = c.orders.Encode(swarm.Order{Do: "close"})
	c.stop()
	_ = c.cmd.Wait()
}
