package socket_test

import (
	"context"
	"sync"
	"time"

	"roadbook/record"
	"roadbook/store"
)

// run starts what runs behind the requests, and returns once it hears.
func (s *server) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var behind sync.WaitGroup
	hears := make(chan struct{}, 8)
	behind.Go(func() { s.feed.Run(ctx, heard{store.NewTail(s.pool), hears}, s.heads) })
	behind.Go(func() { s.hub.Run(ctx, s.sweeps) })
	s.end = sync.OnceFunc(func() {
		cancel()
		short, done := context.WithTimeout(context.Background(), 2*time.Second)
		defer done()
		s.hub.Stop(short)
		s.http.Close()
		behind.Wait()
		s.engine.Close()
	})
	s.t.Cleanup(s.end)
	<-hears
}

type heard struct {
	*store.Tail
	hears chan struct{}
}

func (h heard) Listen(ctx context.Context, ready func(), moved func(record.OrgID, record.Seq)) error {
	return h.Tail.Listen(ctx, func() { ready(); h.hears <- struct{}{} }, moved)
}
