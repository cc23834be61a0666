package backup_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/backup"
	"roadbook/localpg"
	"roadbook/migrations"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync"
)

const (
	soon      = 20 * time.Second
	pollEvery = 20 * time.Millisecond
)

var key = []byte("a key of these tests, 32 bytes..")

// memory is where these tests keep clusters.
func memory(t testing.TB) string {
	t.Helper()
	parent := "/dev/shm"
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		parent = os.TempDir()
	}
	dir, err := os.MkdirTemp(parent, "roadbook-backup-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// template is a cluster that is made once, for all tests to copy.
var template string

func TestMain(m *testing.M) {
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		parent = os.TempDir()
	}
	dir, err := os.MkdirTemp(parent, "roadbook-backup-template-")
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err == nil {
		err = makeTemplate(context.Background(), dir)
	}
	if err != nil {
		panic(err)
	}
	template = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func makeTemplate(ctx context.Context, dir string) error {
	s, err := localpg.Open(ctx, localpg.Config{Dir: dir, Fast: true})
	if err != nil {
		return err
	}
	defer func() { _ = s.Stop(ctx) }()
	dsn, err := s.Database(ctx, "roadbook")
	if err != nil {
		return err
	}
	pool, err := pg.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer pool.Close()
	return migrations.Up(ctx, pool)
}

// world is an org on a PostgreSQL of its own.
type world struct {
	t      testing.TB
	server *localpg.Server
	pool   *pg.Pool
	engine *sync.Engine
	org    record.OrgID
	made   int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := on(t, copied(t))
	require.NoError(t, pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) (err error) {
		w.org, err = store.CreateOrg(t.Context(), tx, store.NewOrg{Name: "acme", UID: w.id(), Epoch: "e1", Draw: draw})
		return err
	}))
	require.NoError(t, w.engine.Publish(t.Context(), w.org, shipped.Schema()))
	return w
}

// copied is a data folder with a database in it.
func copied(t testing.TB) string {
	t.Helper()
	dir := memory(t)
	out, err := exec.Command("cp", "-a", template+"/.", dir).CombinedOutput()
	require.NoError(t, err, string(out))
	return dir
}

// on opens a data folder.
func on(t testing.TB, dir string) *world {
	t.Helper()
	w := &world{t: t, org: 1}
	var err error
	w.server, err = localpg.Open(t.Context(), localpg.Config{Dir: dir, Fast: true})
	require.NoError(t, err)
	t.Cleanup(w.stop)
	w.pool, err = pg.Open(t.Context(), w.server.DSN("roadbook"), pg.MaxConns(6))
	require.NoError(t, err)
	w.engine = newEngine(w.pool)
	return w
}

func newEngine(pool *pg.Pool) *sync.Engine {
	return sync.New(sync.Config{Store: store.New(pool), Key: key, Now: time.Now, Draw: draw})
}

func (w *world) stop() {
	if w.engine != nil {
		w.engine.Close()
		w.engine = nil
	}
	if w.pool != nil {
		w.pool.Close()
		w.pool = nil
	}
	if err := w.server.Stop(context.Background()); err != nil {
		w.t.Error(err)
	}
}

func draw() int32 {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return int32(binary.BigEndian.Uint32(b[:])>>1) | 1
}

func (w *world) id() record.ID {
	w.made++
	return record.MustID("0190aaaa-0000-7000-8000-000000000001").Derive(w.t.Name() + strconv.Itoa(w.made) + strconv.Itoa(int(draw())))
}

// write commits one record, and returns the head after it.
func (w *world) write() record.Seq {
	w.t.Helper()
	out, err := w.engine.Commit(w.t.Context(), w.org, []sync.Proposal{{Mutation: record.Mutation{
		ID: w.id(),
		Edits: []record.Edit{{Op: record.OpCreate, Kind: "unit", ID: w.id(), Set: record.Values{
			{Field: "name", Raw: []byte(`"North"`)}, {Field: "kind", Raw: []byte(`"team"`)}, {Field: "status", Raw: []byte(`"active"`)},
		}}},
	}}})
	require.NoError(w.t, err)
	require.NotEqual(w.t, record.Refused, out[0].Result, "%+v", out[0].Refusal)
	return w.end().Seq
}

func (w *world) end() store.LogEnd {
	w.t.Helper()
	ends, err := store.LogEnds(w.t.Context(), w.pool)
	require.NoError(w.t, err)
	require.Len(w.t, ends, 1)
	return ends[0]
}

func (w *world) source() backup.Source {
	return backup.Source{Pool: w.pool, DSN: w.server.DSN("roadbook"), Tools: w.server.Tools()}
}

func (w *world) take(folder backup.Folder, change ...func(*backup.Options)) backup.Manifest {
	w.t.Helper()
	o := backup.Options{Folder: folder, Key: key, Program: "a test", Now: time.Now, Tell: w.t.Logf}
	for _, c := range change {
		c(&o)
	}
	m, err := backup.Take(w.t.Context(), w.source(), o)
	require.NoError(w.t, err)
	return m
}

// archive archives to a folder until the world stops, or end is called.
func (w *world) archive(folder backup.Folder, change ...func(*backup.Archive)) (a *backup.Archive, end func()) {
	w.t.Helper()
	a = &backup.Archive{
		Source: w.source(), Folder: folder, Spool: filepath.Join(w.server.Dir(), "spool"),
		Fault: func(err error) { w.t.Log("fault:", err) }, Gap: func() {},
	}
	for _, c := range change {
		c(a)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		a.Run(ctx)
	}()
	end = func() {
		cancel()
		<-over
	}
	w.t.Cleanup(end)
	return a, end
}

// confirmed waits until whoever receives the WAL has all that was committed.
func (w *world) confirmed() {
	w.t.Helper()
	at, err := pg.WALEnd(w.t.Context(), w.pool)
	require.NoError(w.t, err)
	require.Eventually(w.t, func() bool {
		got, ok, err := pg.Confirmed(w.t.Context(), w.pool)
		return err == nil && ok && got >= at
	}, soon, pollEvery)
}

// restore restores into a folder, and opens it.
func (w *world) restore(folder backup.Folder, change ...func(*backup.RestoreOptions)) (*world, backup.Restored) {
	w.t.Helper()
	done, err := tryRestore(w.t, folder, change...)
	require.NoError(w.t, err)
	return on(w.t, done.Dir), done
}

func tryRestore(t testing.TB, folder backup.Folder, change ...func(*backup.RestoreOptions)) (backup.Restored, error) {
	t.Helper()
	o := backup.RestoreOptions{
		Folder: folder, Data: memory(t), Fast: true, Tell: t.Logf,
		Key: func(string) ([]byte, error) { return key, nil },
		Begin: func(ctx context.Context, dsn string) error {
			pool, err := pg.Open(ctx, dsn)
			if err != nil {
				return err
			}
			defer pool.Close()
			e := newEngine(pool)
			defer e.Close()
			_, err = e.Reborn(ctx, "a restore")
			return err
		},
	}
	for _, c := range change {
		c(&o)
	}
	return backup.Restore(t.Context(), o)
}
