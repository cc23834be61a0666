package online

import (
	"sync"
	"time"

	"roadbook/record"
)

// sieveFor is how long the sieve of an org is handed out before it is looked
// whether there is more: it takes a second to make, and what it lacks is found
// online, or when the customer is entered.
const sieveFor = 10 * time.Minute

// maxSieves is how many are kept, of about a megabyte each.
const maxSieves = 64

// Sieve is the keys of all records of a kind, for devices without a signal, and
// its tag.
type Sieve struct {
	Bytes []byte
	Tag   string

	head record.Seq
	made time.Time
}

// sieves are those that were handed out lately. While one is made, whoever wants
// one waits.
type sieves struct {
	mu  sync.Mutex
	all map[string]Sieve
}

func (s *sieves) enter() (leave func()) {
	s.mu.Lock()
	return s.mu.Unlock
}

func (s *sieves) get(name string, head record.Seq, now time.Time) (Sieve, bool) {
	known, is := s.all[name]
	return known, is && (known.head == head || now.Sub(known.made) < sieveFor)
}

func (s *sieves) put(name string, made Sieve) {
	if len(s.all) >= maxSieves || s.all == nil {
		s.all = map[string]Sieve{}
	}
	s.all[name] = made
}
