package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"roadbook/access"
	"roadbook/localpg"
	"roadbook/migrations"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store/pg"
	"roadbook/sync"
	"roadbook/version"
)

// Size is how large the org is, and the load.
type Size struct {
	Reps     int // each owns PerRep records,
	PerRep   int // of which
	Accounts int // are accounts and the rest their visits
	Team     int // so many reps are a lead's
	Region   int // and so many, with these, a director's
	Phones   int // come back into the network at once,
	Queue    int // each with so many mutations
	Sockets  int // that are open at once
	Tombs    int // that are purged
	Alike    int // customers among whom a duplicate is looked for

	Settle time.Duration // between two looks at a memory that falls
}

// Full is what the published figures are of: 110,000 records. A team lead
// sees 10,000 of them and a director 100,000; five reps are nobody's, so that
// the org is larger than what anybody sees.
var Full = Size{
	Reps: 55, PerRep: 2_000, Accounts: 182, Team: 5, Region: 50, Phones: 50, Queue: 200, Sockets: 10_000, Tombs: 1_000_000, Alike: 1_000_000,
	Settle: 2 * time.Second,
}

// Quick is a run that only shows that everything works.
var Quick = Size{
	Reps: 6, PerRep: 60, Accounts: 12, Team: 2, Region: 5, Phones: 4, Queue: 20, Sockets: 40, Tombs: 600, Alike: 2_000,
	Settle: 20 * time.Millisecond,
}

const (
	orgName  = "bench"
	password = "measure-me"
	atOnce   = 256 // mutations in a transaction, as the engine takes them
)

// world is the org, its database and the server over it.
type world struct {
	Config

	local *localpg.Server
	dsn   string
	pool  *people.Pool
	key   []byte

	org      record.OrgID
	accounts [][]record.ID // of each rep
	texts    *texts
	product  record.ID  // which everybody sees
	region   record.ID  // the unit with the reps in it
	director record.ID  // who manages it
	head     record.Seq // when the org was whole
	renewed  time.Time  // when all phones signed in
	mark     int        // the last that the swarm was to look for

	child *exec.Cmd
	end   context.CancelFunc
	url   string
}

func login(rep int) string     { return fmt.Sprintf("rep%d", rep) }
func (w *world) id() record.ID { return w.NewID() }

func (c Config) wants(name string) bool {
	return c.Only == "" || strings.Contains(name, c.Only)
}

// fill makes the org through the engine, as everybody writes.
func (w *world) fill(ctx context.Context) (err error) {
	if w.dsn, err = w.local.Database(ctx, "bench"); err != nil {
		return err
	}
	if w.pool, err = pg.Open(ctx, w.dsn); err != nil {
		return err
	}
	if err := migrations.Up(ctx, w.pool); err != nil {
		return err
	}
	w.key = make([]byte, 32)
	for i := range 2 {
		id := w.id()
		copy(w.key[i*16:], id[:])
	}
	engine, service := w.Line(w.pool, w.key)
	defer engine.Close()
	if w.org, err = service.CreateOrg(ctx, orgName); err != nil {
		return err
	}
	if err := engine.Publish(ctx, w.org, shipped.Schema()); err != nil {
		return err
	}
	w.Say("filling an org with %d reps and %d records", w.Size.Reps, w.Size.Reps*w.Size.PerRep)
	f := &filler{w: w, engine: engine}
	group, gctx := errgroup.WithContext(ctx)
	staff := f.staff()
	for name, id := range staff {
		group.Go(func() error { return service.SetPassword(gctx, w.org, id, name, password) })
	}
	group.Go(func() error { return f.all(gctx, staff) })
	if err := group.Wait(); err != nil {
		return err
	}
	if _, err := w.pool.Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return err
	}
	return w.pool.QueryRow(ctx, `SELECT seq FROM heads WHERE org = $1`, w.org).Scan(&w.head)
}

// filler commits what the org consists of, in transactions of a full gather.
type filler struct {
	w      *world
	engine *sync.Engine
	batch  []sync.Proposal
}

func (f *filler) staff() map[string]record.ID {
	staff := map[string]record.ID{"admin": f.w.id(), "crowd": f.w.id(), "lead": f.w.id(), "director": f.w.id()}
	for i := range f.w.Size.Reps {
		staff[login(i)] = f.w.id()
	}
	return staff
}

func (f *filler) all(ctx context.Context, staff map[string]record.ID) error {
	if err := f.people(ctx, staff); err != nil {
		return err
	}
	f.w.texts = readTexts(f.w.Now())
	for i := range f.w.Size.Reps {
		if err := f.rep(ctx, staff[login(i)]); err != nil {
			return err
		}
	}
	return f.flush(ctx)
}

// people makes the tree: the region above the team, the reps in both.
func (f *filler) people(ctx context.Context, staff map[string]record.ID) error {
	region, team := f.w.id(), f.w.id()
	f.w.region, f.w.director = region, staff["director"]
	unit := func(id, parent record.ID, name string) error {
		set := record.Values{}.With("name", text(name)).With("kind", text("team")).With("status", text("active"))
		if !parent.IsZero() {
			set = set.With("parent", text(parent.String()))
		}
		return f.add(ctx, "unit", id, set)
	}
	if err := unit(region, record.NoID, "region"); err != nil {
		return err
	}
	if err := unit(team, region, "team"); err != nil {
		return err
	}
	user := func(name string, role access.Role, in record.ID) error {
		set := record.Values{}.With("login", text(name)).With("name", text(name)).
			With("roles", json.RawMessage(`["`+string(role)+`"]`)).With("status", text("active")).
			With("owner", text(staff[name].String()))
		if !in.IsZero() {
			set = set.With("unit", text(in.String()))
		}
		return f.add(ctx, "user", staff[name], set)
	}
	for i := range f.w.Size.Reps {
		in := region
		switch {
		case i < f.w.Size.Team:
			in = team
		case i >= f.w.Size.Region:
			in = record.NoID
		}
		if err := user(login(i), access.Rep, in); err != nil {
			return err
		}
	}
	for name, role := range map[string]access.Role{"admin": access.Admin, "crowd": access.Rep, "lead": access.Manager, "director": access.Manager} {
		if err := user(name, role, record.NoID); err != nil {
			return err
		}
	}
	f.w.product = f.w.id()
	product := record.Values{}.With("name", text("酱油 500ml")).With("code", text("P1"))
	if err := f.add(ctx, "product", f.w.product, product); err != nil {
		return err
	}
	for id, manager := range map[record.ID]string{team: "lead", region: "director"} {
		edit := record.Edit{
			Op: record.OpEdit, Kind: "unit", ID: id,
			Set: record.Values{}.With("manager", text(staff[manager].String())),
		}
		if err := f.put(ctx, edit); err != nil {
			return err
		}
	}
	return f.flush(ctx)
}

// rep makes one rep's accounts, each with its visits.
func (f *filler) rep(ctx context.Context, owner record.ID) error {
	mine := make([]record.ID, f.w.Size.Accounts)
	for n := range f.w.Size.PerRep {
		at := n % len(mine)
		if n < len(mine) {
			mine[at] = f.w.id()
			if err := f.add(ctx, "account", mine[at], f.w.texts.account(owner)); err != nil {
				return err
			}
			continue
		}
		if err := f.add(ctx, "visit", f.w.id(), f.w.texts.visit(mine[at], owner)); err != nil {
			return err
		}
	}
	f.w.accounts = append(f.w.accounts, mine)
	return nil
}

func (f *filler) add(ctx context.Context, kind string, id record.ID, set record.Values) error {
	return f.put(ctx, record.Edit{Op: record.OpCreate, Kind: kind, ID: id, Set: set})
}

func (f *filler) put(ctx context.Context, e record.Edit) error {
	f.batch = append(f.batch, sync.Proposal{Mutation: record.Mutation{
		ID: f.w.id(), Stamp: version.StampAt(f.w.Now()), Edits: []record.Edit{e},
	}})
	if len(f.batch) < atOnce {
		return nil
	}
	return f.flush(ctx)
}

func (f *filler) flush(ctx context.Context) error {
	outcomes, err := f.engine.Commit(ctx, f.w.org, f.batch)
	for i, o := range outcomes {
		if o.Result == record.Refused {
			return fmt.Errorf("%s %s was refused: %s %s", f.batch[i].Mutation.Edits[0].Kind, o.ID, o.Refusal.Code, o.Refusal.Detail)
		}
	}
	f.batch = f.batch[:0]
	return err
}

func text(s string) json.RawMessage { return record.AppendString(nil, s) }
