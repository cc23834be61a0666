package drill

import (
	"context"
	"fmt"

	device "roadbook/clients/go"
)

// Tags that the work puts on and takes off.
const (
	keptTag = "kept"
	goneTag = "gone"
)

// Begin is the work that the backup holds: three accounts with tags and points.
func (c *Crew) Begin(ctx context.Context) error {
	rep := c.open[0]
	for n := range 3 {
		id, err := rep.Create("account", device.Values{"name": fmt.Sprintf("Drill %d", n+1), "tags": []string{keptTag, goneTag}})
		if err != nil {
			return err
		}
		c.shops = append(c.shops, id)
		if err := rep.Edit("account", id, func(d *device.Draft) { d.Inc("points", 10) }); err != nil {
			return err
		}
	}
	return c.syncAll(ctx)
}

// Work is what the backup lacks: each device counts, tags, renames and makes new
// records; one takes a tag off, one takes an account away. It says how many
// changes of it were acknowledged.
func (c *Crew) Work(ctx context.Context) (acknowledged int, err error) {
	var before uint64
	for _, d := range c.open {
		before += d.Status().LastN
	}
	for round := range c.Rounds {
		for k, d := range c.open {
			if err := c.aRound(d, k, round); err != nil {
				return 0, fmt.Errorf("device %d: %w", k+1, err)
			}
			if _, err := d.Sync(ctx); err != nil {
				return 0, fmt.Errorf("device %d: %w", k+1, err)
			}
		}
	}
	if err := c.open[0].Edit("account", c.shops[0], func(d *device.Draft) { d.Remove("tags", goneTag) }); err != nil {
		return 0, err
	}
	if err := c.syncAll(ctx); err != nil {
		return 0, err
	}
	if err := c.open[len(c.open)-1].Delete("account", c.shops[2]); err != nil {
		return 0, err
	}
	if err := c.syncAll(ctx); err != nil {
		return 0, err
	}
	for k, d := range c.open {
		st := d.Status()
		if st.Outbox+st.Refused > 0 {
			return 0, fmt.Errorf("device %d: not all of its work was taken", k+1)
		}
		acknowledged += int(st.LastN)
	}
	return acknowledged - int(before), nil
}

func (c *Crew) aRound(d *device.Device, k, round int) error {
	name := fmt.Sprintf("%d of device %d", round+1, k+1)
	err := d.Edit("account", c.shops[0], func(d *device.Draft) {
		d.Inc("points", int64(k+1))
		d.Add("tags", name)
	})
	if err != nil {
		return err
	}
	if err := d.Edit("account", c.shops[1], func(d *device.Draft) { d.Set("short_name", name) }); err != nil {
		return err
	}
	_, err = d.Mutate(func(t *device.Typing) error {
		shop := t.Create("account", device.Values{"name": "New, " + name})
		t.Create("contact", device.Values{"account": shop, "name": "Of " + name})
		return nil
	})
	return err
}

// syncAll syncs twice, so that everybody has what the last one has sent.
func (c *Crew) syncAll(ctx context.Context) error {
	for range 2 {
		for k, d := range c.open {
			if _, err := d.Sync(ctx); err != nil {
				return fmt.Errorf("device %d: %w", k+1, err)
			}
		}
	}
	return nil
}
