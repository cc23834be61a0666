package backup

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"time"

	"roadbook/errs"
	"roadbook/localpg"
	"roadbook/record"
	"roadbook/store"
	"roadbook/store/pg"
)

// RestoreOptions say what is restored, and where.
type RestoreOptions struct {
	Folder Folder
	ID     string // of the backup; "": the one that fits best
	With   Identities

	At    time.Time // the moment to come to; zero: the last there is
	Org   record.OrgID
	Seq   record.Seq // or the place in an org's log, which is exact
	Until string     // either, as it was asked for

	Data     string // the data folder
	Bin      string
	Replace  bool              // the database that is there is put aside
	Fast     bool              // for tests
	Settings map[string]string // of PostgreSQL, beside ours

	Key    func(folder string) ([]byte, error) // the installation's key, nil if it is not there
	NewKey bool                                // go on with another key, or none
	Blobs  func(folder string) Blobs           // where photos and other files go that are not there; nil leaves them

	// Begin is called on the restored database before it is put in place: it
	// migrates it, and begins new epochs. Without it nothing may be restored.
	Begin func(ctx context.Context, dsn string) error
	Tell  func(format string, args ...any)
}

// Restored is what a restore has come to.
type Restored struct {
	Manifest Manifest
	Dir      string         // the data folder
	Aside    string         // where the database that was there is now; "" if there was none
	Key      string         // where the key was put that the backup held; "" if it was there
	Blobs    int            // how many photos and other files were put back
	Ends     []store.LogEnd // of the logs, as they were restored, before the new epochs
}

// Restore makes the database of a data folder what it was. It works beside what
// is there, and only at the end puts the one in the other's place.
func Restore(ctx context.Context, o RestoreOptions) (Restored, error) {
	m, err := choose(o)
	if err != nil {
		return Restored{}, err
	}
	if m.PostgreSQL.Theirs {
		return Restored{}, errs.New("backup.Restore", errs.Invalid, "%s is of a PostgreSQL of yours, whose settings and "+
			"users Roadbook does not know: restore it by hand, as docs/operations.md says", m.ID)
	}
	site, err := localpg.Hold(ctx, localpg.Config{Dir: o.Data, Bin: o.Bin, Fast: o.Fast, Logf: o.Tell})
	if err != nil {
		return Restored{}, err
	}
	defer site.Release()
	if site.Occupied() && !o.Replace {
		return Restored{}, errs.New("backup.Restore", errs.Clash, "there is a database in %s already: name another folder in "+
			"ROADBOOK_DATA, or say --replace; it is then kept aside", site.Dir())
	}
	r := restoring{o: o, m: m, site: site}
	if err := r.checkKey(); err != nil {
		return Restored{}, err
	}
	return r.run(ctx)
}

// restoring is a restore in hand.
type restoring struct {
	o    RestoreOptions
	m    Manifest
	site *localpg.Site
	key  bool // the one in the backup is to be put in place
}

// checkKey makes sure that what devices hold will be recognised.
func (r *restoring) checkKey() error {
	const op = "backup.Restore"

	key, err := r.o.Key(r.site.Dir())
	switch {
	case err != nil:
		return err
	case r.o.NewKey:
		return nil
	case key == nil && r.m.Key.Included:
		r.key = true
		return nil
	case key == nil:
		return errs.New(op, errs.Missing, "the installation's key is not there, and it is not in the backup: put the kept "+
			"secret.key into %s, or give it in ROADBOOK_SECRET. Without it devices cannot prove what the server had "+
			"acknowledged; --new-key goes on all the same, and everybody signs in again", r.site.Dir())
	case KeyMark(key) != r.m.Key.Mark:
		return errs.New(op, errs.Invalid, "the installation's key is another than when the backup was taken: bring back the "+
			"one of then. With another devices cannot prove what the server had acknowledged; --new-key goes on all the "+
			"same, and everybody signs in again")
	}
	return nil
}

func (r *restoring) run(ctx context.Context) (Restored, error) {
	done := Restored{Manifest: r.m, Dir: r.site.Dir()}
	r.o.Tell("restoring the backup %s, taken %s", r.m.ID, r.m.Ended.Format(time.RFC3339))
	room := "restore-" + r.m.ID
	for _, beside := range []string{room, lookRoom} {
		defer func() { _ = os.RemoveAll(filepath.Join(r.site.Dir(), beside)) }()
	}
	stop, err := r.stop(ctx)
	if err != nil {
		return done, err
	}
	server, err := r.recover(ctx, room, stop)
	if err != nil {
		return done, err
	}
	done.Ends, err = r.begin(ctx, server)
	if stopped := server.Stop(ctx); err == nil {
		err = stopped
	}
	if err != nil {
		return done, err
	}
	if r.site.Occupied() {
		done.Aside = "pg.before-" + r.m.ID
	}
	if err := r.site.Adopt(server.Dir(), done.Aside); err != nil {
		return done, err
	}
	if r.key {
		if done.Key, err = r.putKey(); err != nil {
			return done, err
		}
	}
	if r.o.Blobs != nil {
		done.Blobs, err = r.o.Folder.putBlobs(ctx, r.m, r.o.With, r.o.Blobs(r.site.Dir()))
	}
	return done, err
}

// lookRoom is where everything is restored to find a place in it.
const lookRoom = "restore-look"

// stop says where recovery is to end, as settings of PostgreSQL.
func (r *restoring) stop(ctx context.Context) (map[string]string, error) {
	switch {
	case r.o.Seq != 0:
		xid, err := r.transaction(ctx)
		return map[string]string{"recovery_target_xid": xid, "recovery_target_inclusive": "on"}, err
	case !r.o.At.IsZero():
		return map[string]string{"recovery_target_time": r.o.At.UTC().Format("2006-01-02 15:04:05.999999+00")}, nil
	}
	return map[string]string{}, nil
}

// transaction finds out in which one a row of the log was written, by restoring
// everything once. Recovery can end behind just that one: times are not exact.
func (r *restoring) transaction(ctx context.Context) (xid string, err error) {
	r.o.Tell("looking for %s: everything is restored once to find it", r.o.Until)
	server, err := r.recover(ctx, lookRoom, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = server.Stop(context.WithoutCancel(ctx)) }()
	pool, err := pg.Open(ctx, server.DSN(r.m.PostgreSQL.Database), pg.MaxConns(2))
	if err != nil {
		return "", err
	}
	defer pool.Close()
	return store.TransactionOf(ctx, pool, r.o.Org, r.o.Seq)
}

// begin looks at the restored logs and gives them to whoever begins new ones.
func (r *restoring) begin(ctx context.Context, server *localpg.Server) ([]store.LogEnd, error) {
	dsn := server.DSN(r.m.PostgreSQL.Database)
	pool, err := pg.Open(ctx, dsn, pg.MaxConns(2))
	if err != nil {
		return nil, err
	}
	ends, err := store.LogEnds(ctx, pool)
	pool.Close()
	if err == nil {
		err = r.compare(ends)
	}
	if err == nil {
		err = r.o.Begin(ctx, dsn)
	}
	return ends, err
}

// compare holds the restored logs to the manifest: everything that was there
// when the backup began is there again.
func (r *restoring) compare(ends []store.LogEnd) error {
	is := map[record.OrgID]store.LogEnd{}
	for _, e := range ends {
		is[e.Org] = e
	}
	for _, h := range r.m.Heads {
		if e, ok := is[h.Org]; h.Began > 0 && (!ok || e.Seq < h.Began) {
			return errs.New("backup.Restore", errs.Internal, "the log of org %d ends at %d and was at %d when the backup was "+
				"taken: the backup does not hold what it says; try an older one", h.Org, e.Seq, h.Began)
		}
	}
	return nil
}

func (r *restoring) putKey() (string, error) {
	in, err := openSealed(filepath.Join(r.o.Folder.of(r.m.ID), r.keyName()), r.o.With)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	text, err := io.ReadAll(io.LimitReader(in, keyLine))
	if err != nil || len(text) != keyLine {
		return "", errs.New("backup.Restore", errs.Invalid, "the key in the backup cannot be read").Because(err)
	}
	path := filepath.Join(r.site.Dir(), keyFile)
	return path, writeFile(path, text)
}

// keyLine is the length of a key in hex and the end of its line.
const keyLine = 2*32 + 1

func (r *restoring) keyName() string {
	if r.m.Encrypted {
		return keyFile + sealedSuffix
	}
	return keyFile
}
