// Package drill rehearses the loss of a server: a few devices of an org of its
// own work on one, which is then lost but for a backup from before, and must give
// the restored one back all that was acknowledged. It is the devices and the
// judge. Who restores and serves is for its caller.
package drill

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	device "roadbook/clients/go"
	"roadbook/record"
)

// Config is what a crew is made of.
type Config struct {
	Org    Org
	Dir    string // of the devices' stores
	Now    func() time.Time
	NewID  func() record.ID
	Sleep  func(ctx context.Context, d time.Duration) error
	Rounds int // of work that the backup lacks
	Lost   int // the device that loses its journal with the server, counted from 1; 0 is none
}

// Crew are the devices, each with its store on the disk.
type Crew struct {
	Config

	open  []*device.Device
	shops []record.ID
}

// logins are whose device each one is: two of a representative, who do not know
// of each other but by the server, and one of somebody who sees everything.
var logins = []string{repLogin, repLogin, adminLogin}

// Size is how many devices there are.
func (c *Crew) Size() int { return len(logins) }

// Board opens the devices, against a server at an address. Those that have
// worked before go on with what is in their stores.
func (c *Crew) Board(ctx context.Context, url string) error {
	c.Leave()
	for k, login := range logins {
		dir := filepath.Join(c.Dir, strconv.Itoa(k+1))
		d, err := device.Open(device.Config{
			Dir: dir, BaseURL: url, Now: c.Now, NewID: c.NewID, Sleep: c.Sleep, Kind: "phone", Platform: "a drill", App: "1.0.0", Stage: true,
		})
		if err != nil {
			return err
		}
		c.open = append(c.open, d)
		if d.Status().SignedIn {
			continue
		}
		if err := d.SignIn(ctx, c.Org.Name, login, c.Org.Password); err != nil {
			return fmt.Errorf("device %d: %w", k+1, err)
		}
	}
	return nil
}

// Leave closes the devices; their stores stay.
func (c *Crew) Leave() {
	for _, d := range c.open {
		_ = d.Close()
	}
	c.open = nil
}

// Lose takes the store away from the device that is to lose it. The devices must
// have been left.
func (c *Crew) Lose() error {
	if c.Lost == 0 {
		return nil
	}
	return os.RemoveAll(filepath.Join(c.Dir, strconv.Itoa(c.Lost)))
}

// Healed is what the devices have given back.
type Healed struct {
	Devices, Given int      // how many gave something back, and how much in all
	Faults         []string // what should not be on a device afterwards
}

// healRounds is how often each device syncs: what one gives back may be what
// another one's work builds on.
const healRounds = 4

// Heal has the devices find out that the server is not what it was, give back
// what it lacks, and compare what they hold.
func (c *Crew) Heal(ctx context.Context) (h Healed, err error) {
	gave := make([]bool, len(c.open))
	for range healRounds {
		for k, d := range c.open {
			said, err := d.Sync(ctx)
			if err != nil {
				return h, fmt.Errorf("device %d: %w", k+1, err)
			}
			h.Given += said.Repushed
			gave[k] = gave[k] || said.Repushed > 0
		}
	}
	for k, d := range c.open {
		said, err := d.Check(ctx)
		if err != nil {
			return h, fmt.Errorf("device %d: %w", k+1, err)
		}
		if gave[k] {
			h.Devices++
		}
		st := d.Status()
		for _, f := range []struct {
			n    int
			what string
		}{
			{said.Changes, "records that it held wrongly"},
			{st.Outbox, "changes that nobody has judged"},
			{st.Parked, "changes that wait for something that is not back"},
			{st.Refused, "changes that were refused"},
			{st.Faults, "pages that made no sense"},
		} {
			if f.n > 0 {
				h.Faults = append(h.Faults, fmt.Sprintf("device %d has %d %s", k+1, f.n, f.what))
			}
		}
	}
	return h, nil
}
