package device

import (
	"cmp"
	"slices"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/reminder"
)

// Reminder is what somebody is to be reminded of.
type Reminder struct {
	Title      string
	About      string    // the kind of its subject
	Subject    record.ID // may be nothing
	At         time.Time // the first time
	Zone       string    // "Asia/Shanghai"; may be empty if it does not come again
	Recurrence string    // RFC 5545, "FREQ=WEEKLY;BYDAY=MO"; empty is once
	For        record.ID // a colleague; nobody is oneself
}

// Ringing is a reminder that this device has to ring for.
type Ringing struct {
	ID      record.ID
	Title   string
	About   string
	Subject record.ID
	At      time.Time
}

// Remind sets a reminder. One's own rings on this device, with or without a
// network; the server does not ring for it as well.
func (d *Device) Remind(r Reminder) (record.ID, error) {
	id := d.cfg.NewID()
	_, err := d.Mutate(func(t *Typing) error {
		owner := cmp.Or(r.For, d.id.Actor.ID)
		set := Values{"at": instant(r.At), "owner": owner.String()}
		for field, value := range map[string]string{
			"title": r.Title, "about_kind": r.About, "subject": r.Subject.String(), "zone": r.Zone, "recurrence": r.Recurrence,
		} {
			if value != "" {
				set[field] = value
			}
		}
		promise, err := d.promise(texts(set), owner)
		if err != nil {
			return err
		}
		if promise != "" {
			set["rings_on"] = promise
		}
		t.CreateAs(reminder.Kind, id, set)
		return nil
	})
	return id, err
}

// Reschedule has a reminder ring at another time; a recurrence of "" is once.
func (d *Device) Reschedule(id record.ID, at time.Time, zone, recurrence string) error {
	return d.rewrite(id, Values{"at": instant(at), "zone": zone, "recurrence": recurrence})
}

// Snooze puts off the time for which a reminder rings, or will ring next. Others
// of a series stay.
func (d *Device) Snooze(id record.ID, until time.Time) error {
	r, _, err := d.reminder(id)
	if err != nil {
		return err
	}
	set := Values{"snoozed_until": instant(until)}
	now := d.clock(d.cfg.Now())
	if at, is := r.Due(now); is {
		set["fired_until"] = instant(at)
	} else if at, is := r.Next(now); is && at.Before(until) {
		set["fired_until"] = instant(at)
	}
	return d.rewrite(id, set)
}

// HandOn gives a reminder to a colleague, whom it reminds from now on.
func (d *Device) HandOn(id, person record.ID) error {
	return d.rewrite(id, Values{"owner": person.String()})
}

// Finish has a reminder ring no more.
func (d *Device) Finish(id record.ID) error {
	return d.rewrite(id, Values{"done_at": instant(d.clock(d.cfg.Now()))})
}

// Rung says that this device has rung for a reminder, so that nobody else does.
// What was missed until then is over as well.
func (d *Device) Rung(id record.ID, at time.Time) error {
	return d.Edit(reminder.Kind, id, func(dr *Draft) { // under the lock
		dr.Set("fired_until", instant(at))
		dr.Set("fired_by", d.id.Device.String())
	})
}

// TakeOver promises to ring for all of the person's reminders that are on this
// device, that come within a while and that no other device has promised to ring
// for: so they ring here without a network too. It reports how many.
func (d *Device) TakeOver(within time.Duration) (taken int, err error) {
	now := d.clock(d.cfg.Now())
	var ids []record.ID
	d.eachOwn(func(v View, r *reminder.Reminder, _ bool) {
		if at, is := r.Next(now); is && r.Device.IsZero() && !at.After(now.Add(within)) {
			ids = append(ids, v.ID)
		}
	})
	for some := range slices.Chunk(ids, record.MaxEdits) {
		_, err := d.Mutate(func(t *Typing) error {
			for _, id := range some {
				v, _ := d.view(id)
				promise, err := d.promise(v, d.id.Actor.ID)
				if err != nil {
					return err
				}
				t.Edit(reminder.Kind, id, func(dr *Draft) { dr.Set("rings_on", promise) })
			}
			return nil
		})
		if err != nil {
			return taken, err
		}
		taken += len(some)
	}
	return taken, nil
}

// Due are the reminders that this device has to ring for now, by its clock, the
// earliest first. One that was missed several times is there once.
func (d *Device) Due(now time.Time) (all []Ringing) {
	now = d.clock(now)
	d.eachOwn(func(v View, r *reminder.Reminder, mine bool) {
		if at, is := r.Due(now); is && mine {
			all = append(all, ringing(v, at))
		}
	})
	slices.SortStableFunc(all, func(a, b Ringing) int { return a.At.Compare(b.At) })
	return all
}

// NextRing is what this device has to ring for next after now, for the alarm of
// its system.
func (d *Device) NextRing(now time.Time) (next Ringing, is bool) {
	now = d.clock(now)
	d.eachOwn(func(v View, r *reminder.Reminder, mine bool) {
		if at, rings := r.Next(now); rings && mine && (!is || at.Before(next.At)) {
			next, is = ringing(v, at), true
		}
	})
	return next, is
}

func ringing(v View, at time.Time) Ringing {
	subject, _ := record.ParseID(v.Text("subject"))
	return Ringing{ID: v.ID, Title: v.Text("title"), About: v.Text("about_kind"), Subject: subject, At: at}
}

// eachOwn looks at the person's own reminders that can work; mine are those that
// this device has promised to ring for.
func (d *Device) eachOwn(look func(v View, r *reminder.Reminder, mine bool)) {
	d.mu.RLock()
	person, self := d.id.Actor.ID, d.id.Device
	d.mu.RUnlock()
	for _, v := range d.List(reminder.Kind) {
		if r, err := reminder.Read(v); err == nil && r.Owner == person {
			look(v, r, !self.IsZero() && r.Device == self)
		}
	}
}

// clock is a time of this device's clock by the server's, as far as that is known.
func (d *Device) clock(now time.Time) time.Time {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return now.Add(time.Duration(d.sight.OffsetMS) * time.Millisecond)
}

func (d *Device) reminder(id record.ID) (*reminder.Reminder, View, error) {
	v, there := d.Get(id)
	if !there || v.Kind != reminder.Kind || v.Deleted {
		return nil, v, errs.New("device.Remind", errs.Missing, "this reminder is not on the device").Coded("missing")
	}
	r, err := reminder.Read(v)
	return r, v, err
}

// rewrite changes when or for whom a reminder rings. What is one's own rings on
// this device from then on, because others may not know of the change.
func (d *Device) rewrite(id record.ID, set Values) error {
	_, err := d.Mutate(func(t *Typing) error {
		v, _ := d.view(id)
		said := texts{}
		for _, field := range []string{"at", "zone", "recurrence", "snoozed_until", "owner"} {
			said[field] = v.Text(field)
		}
		for field, value := range set {
			said[field] = value
		}
		owner, _ := record.ParseID(said.Text("owner"))
		promise, err := d.promise(said, owner)
		if err != nil {
			return err
		}
		t.Edit(reminder.Kind, id, func(dr *Draft) {
			for field, value := range set {
				if value == "" {
					value = nil
				}
				dr.Set(field, value)
			}
			switch {
			case promise != "":
				dr.Set("rings_on", promise)
			case v.Raw("rings_on") != nil:
				dr.Clear("rings_on")
			}
		})
		return nil
	})
	return err
}

// promise is what this device writes to ring for a reminder; nothing if it is not
// to, because it is somebody else's.
func (d *Device) promise(f reminder.Fields, owner record.ID) (string, error) {
	r, err := reminder.Read(f)
	if err != nil {
		return "", err
	}
	if owner != d.id.Actor.ID || d.id.Device.IsZero() {
		return "", nil
	}
	return r.Promise(d.id.Device), nil
}

// texts are the fields of a record that is not written yet.
type texts Values

// Text implements reminder.Fields.
func (t texts) Text(field string) string {
	text, _ := t[field].(string)
	return text
}

// instant is a time as fields hold it: to the millisecond.
func instant(t time.Time) string {
	return t.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.999Z07:00")
}
