// Package sim plays histories: many phones, bad networks, wrong clocks, and one
// seed. The engine, the HTTP API and the device are the real ones, on a real
// PostgreSQL; only time, chance and the network are made up. After every
// complete pull a device must hold exactly what an oracle says that knows the
// tables and nothing of pulls; every commit is judged by what its author really
// had on his screen; and in the end nothing that anybody typed may be lost.
//
// A history is a Script, a list of steps as text. One seed gives one script,
// and one script gives one history, so that what went wrong once goes wrong
// again, and a long history can be cut down to the few steps that it takes.
package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"roadbook/api"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync"
	"roadbook/version"
)

// Config is what a world is made of.
type Config struct {
	Pool *pgxpool.Pool
	// Engine makes the engine of the first or the second server over the pool. It
	// must be still.
	Engine func(server int, now func() time.Time, draw func() int32) *sync.Engine
	Org    string // the name of its org, in a database that it may share
}

// servers is how many there are on the one database.
const servers = 2

// dawn is when every history begins.
var dawn = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// World is an org, its servers and its people's phones.
type World struct {
	ctx     context.Context
	pool    *pgxpool.Pool
	seed    uint64
	strict  bool // every step must apply
	alike   bool // customers become one, and two again
	backed  bool // servers say what is safe
	deletes string
	org     record.OrgID
	schema  *record.Schema
	engine  func(server int) *sync.Engine
	engines []*sync.Engine
	http    []http.Handler

	clock time.Time
	step  Step // in hand
	made  int  // by it: ids and draws

	phones []*phone
	late   map[int]*late        // by the step that kept it
	names  map[record.ID]string // what scripts call records
	births []string             // of all that were made
	graves []string             // of some that were deleted
	typed  map[record.ID]*typing
	wrote  map[string]*typing // by a value that nobody else ever types
	pairs  map[string]bool    // addresses and points that somebody had on a screen together
	tables *tables            // as last read, of one head
	replay *replay

	life    int                         // how often the server was restored
	saved   []saved                     // its backups, oldest first
	log     lineage                     // where each part of its log is from
	devices map[string]record.ID        // that it knows, by install and person
	proven  map[record.ID]record.Result // what the push in hand proves of what it brings
	views   map[lived][]view            // records as logs had them
	waiting map[parking]time.Time       // what restored servers have parked, and since when
	loose   map[member]bool             // elements, and records, of which a restore leaves open what becomes

	given  map[string]given   // to what numbers were given
	called map[name]called    // who wrote under a name
	said   map[string]*typing // by a word of a text

	found error    // the first thing that must not be
	story []string // what came of each step
}

// Finding is something that must never be.
type Finding struct{ What string }

func (f *Finding) Error() string { return f.What }

// errPassed says that a step does not apply.
var errPassed = errors.New("does not apply")

// New makes the world of a script, before its first step.
func New(ctx context.Context, c Config, s Script) (*World, error) {
	w := &World{
		ctx: ctx, pool: c.Pool, seed: s.Seed, strict: s.Strict, alike: s.Alike, backed: s.Backed, clock: dawn, late: map[int]*late{}, names: map[record.ID]string{},
		typed: map[record.ID]*typing{}, wrote: map[string]*typing{}, pairs: map[string]bool{},
		devices: map[string]record.ID{}, views: map[lived][]view{}, waiting: map[parking]time.Time{}, loose: map[member]bool{}, called: map[name]called{}, given: map[string]given{}, said: map[string]*typing{},
	}
	w.replay = newReplay(w)
	var err error
	w.deletes = s.Deletes
	if w.schema, err = schemaOf(s.Deletes, []string{"account.source"}); err != nil {
		return nil, err
	}
	w.engine = func(i int) *sync.Engine { return c.Engine(i, w.now, w.draw) }
	w.engines, w.http = make([]*sync.Engine, servers), make([]http.Handler, servers)
	for i := range servers {
		w.restart(i)
	}
	return w, w.settle(c.Org)
}

// restart ends a server, if it runs, and starts it anew.
func (w *World) restart(i int) {
	if w.engines[i] != nil {
		w.engines[i].Close()
	}
	w.engines[i] = w.engine(i)
	if w.backed {
		w.engines[i].Durable = func(record.OrgID) record.Seq { return w.safe() }
	}
	w.http[i] = api.New(api.Config{
		Line: w.engines[i], SignIn: door{w}, Ready: func(context.Context) error { return nil },
		Log: slog.New(slog.DiscardHandler), Now: w.now, NewID: w.requestID,
	}).Handler()
}

// Close ends the servers.
func (w *World) Close() {
	for _, e := range w.engines {
		if e != nil { // a restore was cut
			e.Close()
		}
	}
}

// schemaOf is the shipped one, with what becomes of deletes as a script says,
// fields that reps do not see, and a counter without a floor.
func schemaOf(deletes string, hidden []string) (*record.Schema, error) {
	schema, err := record.ParseSchema(shipped.Stored())
	if err != nil {
		return nil, err
	}
	for word := range strings.FieldsSeq(deletes) {
		kind, way, _ := strings.Cut(word, "=")
		k := schema.Kind(kind)
		if k == nil {
			return nil, fmt.Errorf("the script has a way to delete %q, which is no kind", kind)
		}
		k.OnDelete = record.OnDelete(way)
	}
	account := schema.Kind("account")
	for _, name := range hidden {
		kind, field, _ := strings.Cut(name, ".")
		k, at := schema.Kind(kind), -1
		if k != nil {
			at = slices.IndexFunc(k.Fields, func(f *record.Field) bool { return f.Name == field })
		}
		if at < 0 {
			return nil, fmt.Errorf("there is no field %s to hide", name)
		}
		k.Fields[at].Readers = []string{"manager", "admin"}
	}
	account.Fields = append(account.Fields, &record.Field{Name: "calls", Type: "number", Policy: record.Counter},
		&record.Field{Name: "terms", Type: "text", Policy: record.Manual},
		&record.Field{Name: "limit", Type: "text", Policy: record.Owned, By: "admin"})
	return schema, schema.Check()
}

// The people: chen leads the team of lin and zhou, under wang of the company;
// gao is in neither. And the units.
var (
	logins = []string{"admin", "wang", "chen", "lin", "zhou", "gao"}
	units  = []string{"company", "team", "north"}
	roles  = map[string]string{"admin": "admin", "wang": "manager", "chen": "manager"}
	places = map[string]string{"wang": "company", "chen": "team", "lin": "team", "zhou": "team"}
)

// settle founds the org.
func (w *World) settle(name string) error {
	err := pg.InTx(w.ctx, w.pool, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
		w.org, err = store.CreateOrg(w.ctx, tx, store.NewOrg{Name: name, UID: w.newID(), Epoch: "e1", Draw: w.draw})
		return err
	})
	if err == nil {
		err = w.engines[0].Publish(w.ctx, w.org, w.schema)
	}
	if err != nil {
		return err
	}
	var edits, after []record.Edit
	put := func(to *[]record.Edit, words string) {
		all, err := w.wishes(strings.Fields(words))
		if err != nil {
			panic(err) // the words are below
		}
		*to = append(*to, all[0].edit())
	}
	for _, u := range units {
		put(&edits, "create "+u+" name="+u+" status=active")
	}
	for _, p := range logins {
		role := roles[p]
		if role == "" {
			role = "rep"
		}
		words := "create " + p + " login=" + p + " name=" + p + " status=active owner=" + p + " roles=" + role
		if places[p] != "" {
			words += " unit=" + places[p]
		}
		put(&edits, words)
	}
	put(&after, "edit team parent=company manager=chen")
	put(&after, "edit company manager=wang")
	put(&after, "edit north parent=company")
	for _, all := range [][]record.Edit{edits, after} {
		if err := w.founds(all); err != nil {
			return err
		}
	}
	return w.replay.follow()
}

func (w *World) founds(edits []record.Edit) error {
	out, err := w.engines[0].Commit(w.ctx, w.org, []sync.Proposal{{Mutation: record.Mutation{
		ID: w.newID(), Stamp: version.StampAt(w.clock), Edits: edits,
	}}})
	if err == nil && out[0].Result == record.Refused {
		err = fmt.Errorf("founding: %s", out[0].Refusal.Detail)
	}
	return err
}

func (w *World) now() time.Time { return w.clock }

// newID is an id that follows from the step in hand.
func (w *World) newID() record.ID {
	w.made++
	return w.derive(strconv.Itoa(w.step.No) + " " + strconv.Itoa(w.made))
}

func (w *World) requestID() string { return "r" + strconv.Itoa(w.step.No) }

// draw is chance that follows from the step in hand.
func (w *World) draw() int32 {
	w.made++
	rng := rand.New(rand.NewPCG(w.seed, uint64(w.step.No)<<20|uint64(w.made))) //nolint:gosec // it must be repeatable
	return rng.Int32N(1<<31-2) + 1
}

// finds notes what must not be, if it is the first.
func (w *World) finds(format string, args ...any) {
	if w.found == nil {
		w.found = &Finding{fmt.Sprintf(format, args...)}
	}
}

// fails notes that something is broken that has nothing to do with the story,
// if it is the first.
func (w *World) fails(err error) {
	if w.found == nil && err != nil {
		w.found = err
	}
}

func (w *World) say(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

// Story is what came of each step.
func (w *World) Story() string { return strings.Join(w.story, "\n") }

// Do does one step. The error is a Finding, or what kept us from finding out.
// A step that does not apply is passed over.
func (w *World) Do(s Step) error {
	w.step, w.made = s, 0
	done, err := w.does(s)
	if !done {
		err = fmt.Errorf("a step that nobody knows: %s", s)
	}
	switch {
	case errors.Is(err, errPassed):
		w.say("%s: passed over", s)
		if w.strict || s.Does == "sees" || s.Does == "hears" {
			w.finds("%s: passed over", s)
		}
	case err != nil:
		w.fails(fmt.Errorf("%s: %w", s, err))
	default:
		w.fails(w.replay.follow())
	}
	return w.found
}

func isOffline(err error) bool { return errs.CodeOf(err) == "offline" }
