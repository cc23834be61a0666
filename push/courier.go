package push

import (
	"context"
	"time"

	"roadbook/jobs"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/telemetry"
)

// Deliver is the job of telling somebody of a notification.
type Deliver struct {
	Org          record.OrgID `json:"org"`
	Notification record.ID    `json:"notification"`
	Waited       bool         `json:"waited,omitempty"` // for him to read it on a socket
}

// Kind implements jobs.Args.
func (Deliver) Kind() string { return "push.deliver" }

// Silence is the job of taking a notification away where it has been shown: it
// was read elsewhere.
type Silence struct {
	Org          record.OrgID `json:"org"`
	Notification record.ID    `json:"notification"`
}

// Kind implements jobs.Args.
func (Silence) Kind() string { return "push.silence" }

// Devices knows who may not be told any more.
type Devices interface {
	// Ended lists those of an org's devices that are signed out or taken out of use.
	Ended(ctx context.Context, org record.OrgID, devices []record.ID) ([]record.ID, error)
}

// Config is what a courier is made of.
type Config struct {
	Pool     *Pool
	Engine   *sync.Engine
	Jobs     func() *jobs.Queue // it is made with what the courier can do
	Channels []Channel          // in the order in which they are tried
	Devices  Devices
	Now      func() time.Time
	Metrics  *telemetry.Metrics // may be nil
}

// Courier brings notifications to people's devices.
type Courier struct {
	Config
	db     tables
	paused pauses
}

// New is a courier over a migrated database.
func New(c Config) *Courier { return &Courier{Config: c, db: tables{c.Pool}} }

// Register tells the workers what the courier can do.
func (c *Courier) Register(w *jobs.Workers) {
	jobs.Handle(w, c.deliver)
	jobs.Handle(w, c.silence)
	jobs.Handle(w, c.gather)
	jobs.Handle(w, c.summary)
	jobs.Handle(w, c.escalate)
}

// recordIn reads a record in a snapshot, nil if there is none.
func recordIn(ctx context.Context, s sync.Sight, id record.ID) (*record.Record, error) {
	rows, err := s.Tx.Records(ctx, []record.ID{id})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0].Record(s.Schema)
}
