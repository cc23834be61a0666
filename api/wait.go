package api

import (
	"context"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/sync/feed"
	"roadbook/sync/wire"
)

// A pull that waits asks again when the log has moved on. In a busy org most of
// that is not for this device, so it asks less and less often.
const (
	firstPause = 20 * time.Millisecond
	mostPause  = time.Second
)

// News tells when there may be something new in an org: a feed.Feed.
type News interface {
	Follow(org record.OrgID) *feed.Subscription
}

// await is a pull that waits for news if there is none, for as long as the
// device asks. When the server stops it is answered at once.
func (s *Server) await(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, error) {
	if r.WaitMS == 0 || s.News == nil {
		return s.Line.Pull(ctx, who, r)
	}
	news := s.News.Follow(who.Org)
	defer news.Close()
	waiting, cancel := context.WithTimeout(ctx, time.Duration(r.WaitMS)*time.Millisecond)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		page, err := s.Line.Pull(ctx, who, r)
		if err != nil || !wire.Quiet(page) {
			return page, err
		}
		select {
		case <-news.Woken():
		case <-news.Done():
			return page, nil
		case <-waiting.Done():
			return page, ctx.Err()
		}
		if pause > firstPause { // the last news was not for this device
			select {
			case <-time.After(pause):
			case <-news.Done():
			case <-waiting.Done():
			}
		}
	}
}
