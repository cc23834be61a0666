package durable_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record"
	"roadbook/store"
	"roadbook/store/durable"
	"roadbook/store/pg"
)

// stub is a database that only says what it is told to.
type stub struct {
	life      string
	lives     []string // said first, one by one
	ends      map[record.OrgID]record.Seq
	at        pg.LSN
	confirmed pg.LSN
	known     bool
	err       error
}

func (s *stub) Life(context.Context) (string, error) {
	if len(s.lives) > 0 {
		life := s.lives[0]
		s.lives = s.lives[1:]
		return life, nil
	}
	return s.life, s.err
}

func (s *stub) Ends(context.Context) ([]store.LogEnd, error) {
	var ends []store.LogEnd
	for org, seq := range s.ends {
		ends = append(ends, store.LogEnd{Org: org, Epoch: s.life, Seq: seq})
	}
	return ends, nil
}

func (s *stub) WALEnd(context.Context) (pg.LSN, error)          { return s.at, nil }
func (s *stub) Confirmed(context.Context) (pg.LSN, bool, error) { return s.confirmed, s.known, nil }

func TestDurable(t *testing.T) {
	t.Parallel()

	s := &stub{life: "a/1", ends: map[record.OrgID]record.Seq{1: 10, 2: 7}, at: 100}
	d := durable.New(s)
	require.NoError(t, d.Ask(t.Context()))
	require.Zero(t, d.Durable(1), "nobody has confirmed anything")

	s.confirmed, s.known = 99, true
	require.NoError(t, d.Ask(t.Context()))
	require.Zero(t, d.Durable(1))
	s.confirmed, s.ends[1], s.at = 100, 11, 120
	require.NoError(t, d.Ask(t.Context()))
	require.Equal(t, [2]record.Seq{10, 7}, [2]record.Seq{d.Durable(1), d.Durable(2)})

	s.confirmed, s.known = 0, false
	require.NoError(t, d.Ask(t.Context()))
	require.EqualValues(t, 10, d.Durable(1), "it was confirmed")
	s.err = errors.New("the database is away")
	require.Error(t, d.Ask(t.Context()))
	require.EqualValues(t, 10, d.Durable(1))
}

func TestDurable_anotherLife(t *testing.T) {
	t.Parallel()

	s := &stub{life: "a/1", ends: map[record.OrgID]record.Seq{1: 10}, at: 100, confirmed: 100, known: true}
	d := durable.New(s)
	require.NoError(t, d.Ask(t.Context()))
	require.EqualValues(t, 10, d.Durable(1))

	s.lives = []string{"a/1", "a/2"}
	s.ends[1], s.at = 12, 90
	require.NoError(t, d.Ask(t.Context()))
	require.EqualValues(t, 10, d.Durable(1), "what was read while it went over counts for nothing")
	s.life, s.ends[1], s.at, s.confirmed = "a/2", 8, 90, 80
	require.NoError(t, d.Ask(t.Context()))
	require.Zero(t, d.Durable(1))
	s.confirmed = 90
	require.NoError(t, d.Ask(t.Context()))
	require.EqualValues(t, 8, d.Durable(1))

	s.ends[1], s.at, s.confirmed = 5, 95, 70
	require.NoError(t, d.Ask(t.Context()))
	require.Zero(t, d.Durable(1), "a log that is shorter than it was is another")
}

// Whatever is committed, seen and confirmed in whichever order: it grows, and
// is never beyond what was confirmed.
func TestDurable_laws(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		s := &stub{life: "a/1", ends: map[record.OrgID]record.Seq{}, known: true}
		d := durable.New(s)
		wrote := map[record.OrgID]map[record.Seq]pg.LSN{1: {}, 2: {}} // where each row's commit ends
		was := map[record.OrgID]record.Seq{}
		for range rapid.IntRange(1, 1500).Draw(t, "steps") {
			switch org := record.OrgID(rapid.IntRange(1, 2).Draw(t, "org")); rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				s.confirmed = pg.LSN(rapid.Uint64Range(uint64(s.confirmed), uint64(s.at)).Draw(t, "confirmed"))
			default:
				s.at += pg.LSN(rapid.IntRange(1, 50).Draw(t, "bytes"))
				s.ends[org]++
				wrote[org][s.ends[org]] = s.at
			}
			if err := d.Ask(context.Background()); err != nil {
				t.Fatal(err)
			}
			for org, rows := range wrote {
				now := d.Durable(org)
				if now < was[org] || rows[now] > s.confirmed {
					t.Fatalf("org %d: %d after %d, which ends at %d, and %d is confirmed", org, now, was[org], rows[now], s.confirmed)
				}
				was[org] = now
			}
		}
		s.confirmed = s.at
		if err := d.Ask(context.Background()); err != nil {
			t.Fatal(err)
		}
		for org := range wrote {
			if d.Durable(org) != s.ends[org] {
				t.Fatal("all is confirmed, and not all is durable")
			}
		}
	})
}
