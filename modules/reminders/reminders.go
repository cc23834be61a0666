// Package reminders sees to it that people are reminded: at the time, once, and
// by the server only where no device does it. What rings when is in
// record/reminder, which devices go by as well.
//
// A reminder is a record; what the server does with it is a mutation like any
// other. A private table says when it must look at which, so that ten thousand at
// nine o'clock are forty transactions; what is told follows from the reminder and
// its time, so that two servers, or one that dies in between, tell it once.
package reminders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"roadbook/access"
	"roadbook/api/words"
	"roadbook/jobs"
	"roadbook/record"
	"roadbook/record/notice"
	"roadbook/record/reminder"
	"roadbook/store/pg"
	"roadbook/sync"
	"roadbook/version"
)

const (
	// atOnce is how many reminders are looked at in one transaction: as many as the
	// engine commits in one.
	atOnce = 256
	// ringWithin is how long a job goes on with what is due before it makes way and
	// asks to be called again.
	ringWithin = 8 * time.Second
	// lateAfter is from when on somebody is told that he was not reminded in time.
	lateAfter = 15 * time.Minute
	// worthwhile is how long anybody needs to be told that a reminder is due.
	worthwhile = 7 * 24 * time.Hour
	// maxTries is how often it is tried to ring for one; then it waits for a person.
	maxTries = 10
	// tryAfter is how long the first pause between tries is; each is twice the last.
	tryAfter = time.Minute
	// overdue is from when on a sweep takes up what no job has.
	overdue = 10 * time.Second
)

// SweepEvery is how often to look for what no job has taken up.
const SweepEvery = time.Minute

// The notifications of this module.
const (
	tellsDue      = "reminder_due"
	tellsMissed   = "reminder_missed"
	tellsAssigned = "reminder_assigned"
)

// Ring is the job of reminding the people of an org of what is due.
type Ring struct {
	Org record.OrgID `json:"org"`
	At  time.Time    `json:"at"`
}

// Kind implements jobs.Args.
func (Ring) Kind() string { return "reminders.ring" }

// Devices knows whose they are.
type Devices interface {
	// InUse says of those of an org's devices that somebody is signed in on whom it
	// is that uses them.
	InUse(ctx context.Context, org record.OrgID, devices []record.ID) (map[record.ID]record.ID, error)
}

// Config is what the service is made of.
type Config struct {
	Pool    *Pool
	Engine  *sync.Engine
	Devices Devices
	Now     func() time.Time
}

// Service rings.
type Service struct {
	Config
	db tables
}

// New is a service over a migrated database.
func New(c Config) *Service { return &Service{Config: c, db: tables{c.Pool}} }

// Register tells the workers what it can do.
func (s *Service) Register(w *jobs.Workers) {
	jobs.Handle(w, func(ctx context.Context, j jobs.Job[Ring]) error {
		more, err := s.Ring(ctx, j.Args.Org)
		if err == nil && more {
			return jobs.Later(time.Millisecond)
		}
		return err
	})
	jobs.Handle(w, func(ctx context.Context, j jobs.Job[Applying]) error { return s.Apply(ctx, j.Args.Org, j.Args.Records) })
}

// Sweep rings for what should have rung and has not: the job was lost, or no
// server was there. It reports nothing that is not an error of its own.
func (s *Service) Sweep(ctx context.Context) error {
	orgs, err := s.db.late(ctx, s.Now().Add(-overdue))
	if err != nil {
		return err
	}
	var failed []error
	for _, org := range orgs {
		if _, err := s.Ring(ctx, org); err != nil {
			failed = append(failed, fmt.Errorf("the reminders of org %d: %w", org, err))
		}
	}
	return errors.Join(failed...)
}

// Ring reminds the people of an org of all that is due, and reports whether there
// is more than it had time for.
func (s *Service) Ring(ctx context.Context, org record.OrgID) (more bool, err error) {
	for began := s.Now(); ; {
		n := 0
		err := s.db.inTx(ctx, func(tx pg.Tx) error {
			now := s.Now()
			rows, err := due(ctx, tx, org, now)
			if n = len(rows); err != nil || n == 0 {
				return err
			}
			b := &batch{Service: s, org: org, now: now, rows: rows}
			if err := b.ring(ctx); err != nil {
				return err
			}
			if err := drop(ctx, tx, org, b.gone); err != nil {
				return err
			}
			return later(ctx, tx, org, b.later)
		})
		if err != nil || n < atOnce {
			return false, err
		}
		if s.Now().Sub(began) > ringWithin {
			return true, nil
		}
	}
}

// batch is some reminders in hand.
type batch struct {
	*Service

	org   record.OrgID
	now   time.Time
	rows  []row
	recs  map[record.ID]*record.Record // reminders and their owners
	inUse map[record.ID]record.ID
	head  record.Seq

	proposals []sync.Proposal
	rung      []row // one for each proposal
	later     []row
	gone      []record.ID
}

// ring looks at each, commits what follows, and says when to look again.
func (b *batch) ring(ctx context.Context) error {
	if err := b.read(ctx); err != nil {
		return err
	}
	for _, r := range b.rows {
		b.look(r)
	}
	outcomes, err := b.Engine.Commit(ctx, b.org, b.proposals)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		b.settle(b.rung[i], o)
	}
	return nil
}

// read reads the reminders, their owners, and whose the devices are that have
// promised to ring.
func (b *batch) read(ctx context.Context) error {
	b.recs = map[record.ID]*record.Record{}
	ids := make([]record.ID, len(b.rows))
	for i, r := range b.rows {
		ids[i] = r.Reminder
	}
	var devices []record.ID
	err := b.Engine.Look(ctx, access.Caller{Org: b.org}, func(v sync.Sight) error {
		b.head = v.Head.Seq
		if err := b.load(ctx, v, ids); err != nil {
			return err
		}
		var owners []record.ID
		for _, id := range ids {
			if rec := b.recs[id]; isOpen(rec) {
				owners = append(owners, rec.Owner)
				if r, err := read(rec); err == nil && !r.Device.IsZero() {
					devices = append(devices, r.Device)
				}
			}
		}
		return b.load(ctx, v, record.SortedIDs(owners))
	})
	if err != nil || len(devices) == 0 {
		return err
	}
	b.inUse, err = b.Devices.InUse(ctx, b.org, record.SortedIDs(devices))
	return err
}

func (b *batch) load(ctx context.Context, v sync.Sight, ids []record.ID) error {
	rows, err := v.Tx.Records(ctx, ids)
	if err != nil {
		return err
	}
	for i := range rows {
		rec, err := rows[i].Record(v.Schema)
		if err != nil {
			return err
		}
		b.recs[rec.ID] = rec
	}
	return nil
}

// look decides what is to be done with a reminder: ring, wait, or forget it.
func (b *batch) look(at row) {
	rec := b.recs[at.Reminder]
	if !isOpen(rec) {
		b.gone = append(b.gone, at.Reminder)
		return
	}
	r, err := read(rec)
	if err != nil {
		b.gone = append(b.gone, at.Reminder)
		return
	}
	promised := !r.Device.IsZero() && b.inUse[r.Device] == rec.Owner
	until := b.now
	if promised {
		until = until.Add(-reminder.Patience) // it has rung there, or will have: it says so when it comes
	}
	rings, is := r.Due(until)
	if !is {
		b.wait(at.Reminder, r, promised)
		return
	}
	b.proposals, b.rung = append(b.proposals, b.proposal(rec, rings)), append(b.rung, at)
}

// wait has a reminder looked at when it is due.
func (b *batch) wait(id record.ID, r *reminder.Reminder, promised bool) {
	next, is := r.First()
	if !is {
		b.gone = append(b.gone, id)
		return
	}
	if promised {
		next = next.Add(reminder.Patience)
	}
	b.later = append(b.later, row{Reminder: id, At: next})
}

// ringID is the mutation by which the server rings for a reminder at a time.
func ringID(rec record.ID, at time.Time) record.ID {
	return rec.Derive("ring " + at.UTC().Format(time.RFC3339Nano))
}

// proposal tells the owner, and writes down that he was told. A promise that a
// device has not kept ends: from now on the server rings.
func (b *batch) proposal(rec *record.Record, at time.Time) sync.Proposal {
	m := record.Mutation{ID: ringID(rec.ID, at), Stamp: version.StampAt(b.now)}
	by := reminder.Nobody
	if lang, active := languageOf(b.recs[rec.Owner]); active {
		by = reminder.Server
		code := tellsDue
		if b.now.Sub(at) >= lateAfter {
			code = tellsMissed
		}
		n := notice.Notice{
			To: rec.Owner, Category: notice.Reminder, Code: code, Title: words.Notice(code, lang), About: reminder.Kind, Subject: rec.ID,
			At: at, Expires: b.now.Add(worthwhile),
		}
		m.Edits = append(m.Edits, n.Edit(m.ID))
	}
	set := record.Values{text("fired_until", at.UTC().Format(time.RFC3339Nano)), text("fired_by", by)}
	if rec.Raw("rings_on") != nil {
		set = append(set, record.Value{Field: "rings_on", Raw: record.OrNull(nil)})
	}
	m.Edits = append(m.Edits, record.Edit{
		Op: record.OpEdit, Kind: reminder.Kind, ID: rec.ID, Seen: version.Vector{version.Log: uint64(b.head)}, Set: set,
	})
	return sync.Proposal{Mutation: m}
}

func text(field, value string) record.Value {
	return record.Value{Field: field, Raw: record.AppendString(nil, value)}
}

// settle says what becomes of a reminder after the verdict on its ringing. One that
// has rung and comes again is put back by the reaction to that.
func (b *batch) settle(r row, o record.Outcome) {
	if o.Result != record.Refused || o.Refusal.Code == "deleted" || o.Refusal.Code == "missing" || o.Refusal.Code == "rewritten" {
		b.gone = append(b.gone, r.Reminder) // of rewritten: it has rung before
		return
	}
	pause := worthwhile // it waits for a person
	if r.Tries < maxTries {
		pause = tryAfter << r.Tries
	}
	r.At, r.Tries, r.Reason = b.now.Add(pause), r.Tries+1, o.Refusal.Code+": "+o.Refusal.Detail
	b.later = append(b.later, r)
}
