package online

import (
	"context"
	"time"

	"roadbook/record"
)

// Looking returns a service that sorts no more than gather records for a page
// and looks at no more than walk.
func (s *Service) Looking(gather, walk int) *Service {
	other := *s
	other.gather, other.walk = gather, walk
	return &other
}

// Reading returns a service with sieves of its own that reads so many keys at
// once.
func (s *Service) Reading(keys int) *Service {
	other := *s
	other.sieves, other.keysAtOnce = newSieves(), keys
	return &other
}

// MaxSieves and MaxMaking are limits.
const (
	MaxSieves = maxSieves
	MaxMaking = maxMaking
)

// Sieves are those that were handed out lately.
type Sieves struct{ s *sieves }

// NewSieves has none.
func NewSieves() Sieves { return Sieves{newSieves()} }

// Get asks for one, which says what build makes of it.
func (s Sieves) Get(ctx context.Context, name string, head record.Seq, now time.Time, build func(context.Context) (string, error)) (string, error) {
	got, err := s.s.get(ctx, name, head, now, func(ctx context.Context) (Sieve, error) {
		text, err := build(ctx)
		return Sieve{Bytes: []byte(text), head: head, made: now}, err
	})
	return string(got.Bytes), err
}
