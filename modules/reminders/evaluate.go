package reminders

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"roadbook/access"
	"roadbook/record"
	"roadbook/record/reminder"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync"
	"roadbook/version"
)

// evaluation applies an org's rules to some of its records: what there is a reason
// for is made, once, and what there is no reason for any more is put away.
type evaluation struct {
	*Service

	org     record.OrgID
	now     time.Time
	primes  bool // it only finds out when customers were contacted
	head    record.Seq
	server  record.ReplicaID
	schema  *record.Schema
	watches []*watch
	recs    map[record.ID]*record.Record
	ids     []record.ID // of all that was found, whatever rules are about

	wants     []want
	proposals []sync.Proposal
	fresh     []effect // made, or found to be there
	over      []effect
	failed    int
	why       string
}

// want is something that a rule has a reason to make.
type want struct {
	effect

	kind  string
	owner record.ID
	since reason
	watch *watch
	about *record.Record
}

// evaluate applies the rules to the records that find finds, in a transaction in
// which what was made is remembered.
func (e *evaluation) evaluate(ctx context.Context, tx pg.Tx, find func(sync.Sight) ([]store.Row, error)) error {
	var subjects []*record.Record
	err := e.Engine.Look(ctx, access.Caller{Org: e.org}, func(v sync.Sight) (err error) {
		e.head, e.server, e.schema, e.recs = v.Head.Seq, v.Head.Server, v.Schema, map[record.ID]*record.Record{}
		if e.watches, err = readWatches(ctx, v); err != nil {
			return err
		}
		rows, err := find(v)
		if err != nil {
			return err
		}
		if subjects, err = e.looksAt(rows); err != nil {
			return err
		}
		return e.look(ctx, v, subjects)
	})
	if err != nil {
		return err
	}
	if !e.primes {
		if err := e.compare(ctx, tx); err != nil {
			return err
		}
	}
	outcomes, err := e.Engine.Commit(ctx, e.org, e.proposals)
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.Result == record.Refused && o.Refusal.Code != "rewritten" {
			e.failed, e.why = e.failed+1, o.Refusal.Code+": "+o.Refusal.Detail
		}
	}
	if err := keepEffects(ctx, tx, e.org, effectsKeep, e.fresh); err != nil {
		return err
	}
	return keepEffects(ctx, tx, e.org, effectsDrop, e.over)
}

// readWatches reads the rules that are published.
func readWatches(ctx context.Context, v sync.Sight) (all []*watch, err error) {
	kind := v.Schema.Kind(kindRule)
	if kind == nil {
		return nil, nil
	}
	ids, err := v.Tx.LookedUp(ctx, kind.LookupNo(kind.Field("status")), statusPublished, record.NoID, 2*MaxRules)
	if err != nil {
		return nil, err
	}
	rows, err := v.Tx.Records(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rec, err := rows[i].Record(v.Schema)
		if err != nil {
			return nil, err
		}
		if w, err := readWatch(rec, v.Schema.Kind); err == nil && rec.State == record.Live {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *watch) int { return slices.Compare(a.id[:], b.id[:]) })
	return all, nil
}

// looksAt are those of some records that rules are about, or that tell when a
// customer was contacted. One that is gone is looked at as well: it is no reason
// for anything.
func (e *evaluation) looksAt(rows []store.Row) (all []*record.Record, err error) {
	for i := range rows {
		e.ids = append(e.ids, rows[i].ID)
		k := e.schema.KindNo(rows[i].Kind)
		about := k != nil && slices.ContainsFunc(e.watches, func(w *watch) bool { return w.kind.Name == k.Name })
		if !about && (k == nil || contactOf[k.Name] == "") {
			continue
		}
		rec, err := rows[i].Record(e.schema)
		if err != nil {
			return nil, err
		}
		all = append(all, rec)
	}
	return all, nil
}

// look finds the reasons: it reads the customers of the records and the people.
func (e *evaluation) look(ctx context.Context, v sync.Sight, subjects []*record.Record) error {
	var ids []record.ID
	for _, rec := range subjects {
		ids = append(ids, rec.Root, rec.Owner)
	}
	if err := e.load(ctx, v, ids); err != nil {
		return err
	}
	if err := e.loadManagers(ctx, v, subjects); err != nil {
		return err
	}
	for _, rec := range subjects {
		e.recs[rec.ID] = rec
	}
	e.contacts(subjects)
	if e.primes {
		return nil
	}
	ids = nil
	for _, rec := range subjects {
		for _, w := range e.watches {
			if rec.State == record.Live && w.kind.Name == rec.Kind.Name {
				e.want(w, rec)
			}
		}
	}
	for _, w := range e.wants {
		ids = append(ids, w.Effect)
	}
	return e.load(ctx, v, ids)
}

// loadManagers reads the units of people, and who leads these.
func (e *evaluation) loadManagers(ctx context.Context, v sync.Sight, subjects []*record.Record) error {
	if !slices.ContainsFunc(e.watches, func(w *watch) bool { return w.managers }) {
		return nil
	}
	var units, managers []record.ID
	for _, rec := range subjects {
		if user := e.recs[rec.Owner]; user != nil {
			units = append(units, user.Ref("unit"))
		}
	}
	if err := e.load(ctx, v, units); err != nil {
		return err
	}
	for _, id := range units {
		if unit := e.recs[id]; unit != nil {
			managers = append(managers, unit.Ref("manager"))
		}
	}
	return e.load(ctx, v, managers)
}

func (e *evaluation) load(ctx context.Context, v sync.Sight, ids []record.ID) error {
	ids = slices.DeleteFunc(record.SortedIDs(ids), func(id record.ID) bool { return id.IsZero() || e.recs[id] != nil })
	rows, err := v.Tx.Records(ctx, ids)
	if err != nil {
		return err
	}
	for i := range rows {
		rec, err := rows[i].Record(v.Schema)
		if err != nil {
			return err
		}
		e.recs[rec.ID] = rec
	}
	return nil
}

// contactOf is the field of a kind that says when a customer was contacted.
var contactOf = map[string]string{"visit": "check_in", "follow_up": "happened_at"}

// contacts writes to customers when they were contacted last: at the time of the
// work, however late the server hears of it.
func (e *evaluation) contacts(subjects []*record.Record) {
	last := map[record.ID]time.Time{}
	for _, rec := range subjects {
		field := contactOf[rec.Kind.Name]
		account := e.recs[rec.Parent]
		if field == "" || rec.State != record.Live || account == nil || account.State != record.Live || account.Kind.Field("last_contact_at") == nil {
			continue
		}
		if at := instantOf(rec, field); at.After(last[account.ID]) && at.After(instantOf(account, "last_contact_at")) && !at.After(e.now) {
			last[account.ID] = at
		}
	}
	for id, at := range last {
		text := at.UTC().Format(time.RFC3339)
		e.propose(id.Derive("contact "+text), record.Edit{Op: record.OpEdit, Kind: e.recs[id].Kind.Name, ID: id, Set: record.Values{value("last_contact_at", text)}})
		changed := e.recs[id].Clone() // as it will be
		changed.Put("last_contact_at").Raw = record.AppendString(nil, text)
		e.recs[id] = changed
	}
}

// want notes what a rule makes about a record, for its owner and, if it says so,
// for whoever leads him.
func (e *evaluation) want(w *watch, rec *record.Record) {
	if changed := e.recs[rec.ID]; changed != nil {
		rec = changed
	}
	r, is := w.reasonOf(rec, e.recs[rec.Root], e.now)
	if !is {
		return
	}
	add := func(kind, what string, owner record.ID) {
		if user := e.recs[owner]; user == nil || user.State != record.Live || user.Text("status") == "left" {
			return
		}
		id := reminder.EffectID(w.id, rec.ID, r.trigger, what)
		e.wants = append(e.wants, want{effect{rec.ID, w.id, id}, kind, owner, r, w, rec})
	}
	people := []struct {
		suffix string
		id     record.ID
	}{{"", rec.Owner}}
	if w.managers {
		if m := e.managerOf(rec.Owner); !m.IsZero() {
			people = append(people, struct {
				suffix string
				id     record.ID
			}{" for a manager", m})
		}
	}
	for _, p := range people {
		if w.task {
			add("task", "task"+p.suffix, p.id)
		}
		if w.rings {
			add(reminder.Kind, "reminder"+p.suffix, p.id)
		}
	}
}

func (e *evaluation) managerOf(person record.ID) record.ID {
	user := e.recs[person]
	if user == nil || e.recs[user.Ref("unit")] == nil {
		return record.NoID
	}
	if m := e.recs[user.Ref("unit")].Ref("manager"); m != person {
		return m
	}
	return record.NoID
}

// compare makes what is wanted and not there, and puts away what is there and not
// wanted.
func (e *evaluation) compare(ctx context.Context, tx pg.Tx) error {
	made, err := effectsOn(ctx, tx, e.org, e.ids)
	if err != nil {
		return err
	}
	wanted := map[record.ID]bool{}
	for _, w := range e.wants {
		wanted[w.Effect] = true
		switch rec := e.recs[w.Effect]; {
		case rec == nil:
			e.propose(w.Effect.Derive("made"), w.edit())
		case e.isPutAway(rec): // the reason is back
			e.propose(w.Effect.Derive("again "+rec.Seq.String()), e.change(rec, "null", "open"))
		}
		if !slices.Contains(made, w.effect) {
			e.fresh = append(e.fresh, w.effect)
		}
	}
	e.over = slices.DeleteFunc(made, func(m effect) bool { return wanted[m.Effect] })
	if len(e.over) == 0 {
		return nil
	}
	effects := make([]record.ID, len(e.over))
	for i, m := range e.over {
		effects[i] = m.Effect
	}
	err = e.Engine.Look(ctx, access.Caller{Org: e.org}, func(v sync.Sight) error {
		e.head = v.Head.Seq
		return e.load(ctx, v, effects)
	})
	if err != nil {
		return err
	}
	for _, m := range e.over {
		if rec := e.recs[m.Effect]; isOpen(rec) || rec != nil && rec.State == record.Live && rec.Kind.Name == "task" && isOpenTask(rec) {
			done := string(record.AppendString(nil, e.now.UTC().Format(time.RFC3339)))
			e.propose(m.Effect.Derive("over "+rec.Seq.String()), e.change(rec, done, "cancelled"))
		}
	}
	return nil
}

// isPutAway reports whether the server has put an effect away. What somebody has
// done himself stays as he left it.
func (e *evaluation) isPutAway(rec *record.Record) bool {
	field, is := "done_at", rec.Text("done_at") != ""
	if rec.Kind.Name == "task" {
		field, is = "status", rec.Text("status") == "cancelled"
	}
	slot := rec.Slot(field)
	return rec.State == record.Live && is && slot != nil && slot.By.Replica == e.server
}

// change puts away a task or a reminder, or takes it up again.
func (e *evaluation) change(rec *record.Record, done, status string) record.Edit {
	set := record.Values{{Field: "done_at", Raw: json.RawMessage(done)}}
	if rec.Kind.Name == "task" {
		set = record.Values{value("status", status)}
	}
	return record.Edit{Op: record.OpEdit, Kind: rec.Kind.Name, ID: rec.ID, Seen: version.Vector{version.Log: uint64(e.head)}, Set: set}
}

func (e *evaluation) propose(id record.ID, edit record.Edit) {
	e.proposals = append(e.proposals, sync.Proposal{Mutation: record.Mutation{ID: id, Stamp: version.StampAt(e.now), Edits: []record.Edit{edit}}})
}

// edit makes the task or the reminder, with what it comes from.
func (w *want) edit() record.Edit {
	at := w.since.at.UTC().Format(time.RFC3339)
	set := record.Values{
		value("title", w.watch.title), value("owner", w.owner.String()),
		value("origin.rule", w.watch.id.String()), value("origin.trigger", w.since.trigger), value("origin.subject", w.Subject.String()),
	}
	if w.watch.version != "" {
		set = append(set, record.Value{Field: "origin.version", Raw: json.RawMessage(w.watch.version)})
	}
	if w.kind == reminder.Kind {
		set = append(set, value("at", at), value("subject", w.Subject.String()), value("about_kind", w.about.Kind.Name))
		return record.Edit{Op: record.OpCreate, Kind: w.kind, ID: w.Effect, Set: set}
	}
	set = append(set, value("due_at", at), value("status", "open"))
	if w.watch.priority != "" {
		set = append(set, value("priority", w.watch.priority))
	}
	switch w.about.Kind.Name {
	case "account":
		set = append(set, value("account", w.Subject.String()))
	case "opportunity", "visit":
		set = append(set, value(w.about.Kind.Name, w.Subject.String()))
		fallthrough
	default:
		if !w.about.Parent.IsZero() && w.about.Kind.Parent == "account" {
			set = append(set, value("account", w.about.Parent.String()))
		}
	}
	return record.Edit{Op: record.OpCreate, Kind: w.kind, ID: w.Effect, Set: set}
}

func value(field, text string) record.Value {
	return record.Value{Field: field, Raw: record.AppendString(nil, text)}
}
