package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/attachments"
	device "roadbook/clients/go"
	"roadbook/localpg"
)

// phone is a device of lin's in the demo org.
func (p *process) phone() *device.Device {
	p.t.Helper()
	d, err := device.Open(device.Config{
		BaseURL: p.url, Now: time.Now, NewID: newID, Kind: "phone", Platform: "android 15", App: "1.0.0", Sleep: sleep,
	})
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = d.Close() })
	require.NoError(p.t, d.SignIn(p.t.Context(), "demo", "lin", "roadbook"))
	return d
}

func (p *process) sync(d *device.Device) {
	p.t.Helper()
	_, err := d.Sync(p.t.Context())
	require.NoError(p.t, err)
	require.Zero(p.t, d.Status().Faults)
}

// Somebody has been at the index of a server that runs. Devices miss a record
// and do not know; the doctor finds out beside the server, and then they get it.
func TestDoctor_deep(t *testing.T) {
	t.Parallel()

	data := founded(t)
	environ := []string{"ROADBOOK_DATA=" + data}
	p := serve(t, environ...).ready()
	environ = append(environ, "ROADBOOK_ADDR="+p.url[len("http://"):])
	lin, early := p.phone(), p.phone()
	p.sync(lin)
	p.sync(early)
	shop, err := lin.Create("account", device.Values{"name": "Xingwang"})
	require.NoError(t, err)
	p.sync(lin)

	photo := attachments.Blob{Hash: sha256.Sum256([]byte("a photo")), Bytes: 7}
	require.NoError(t, blobsAt(data).Put(t.Context(), photo, strings.NewReader("a photo")))

	report, code := run(t, environ, "doctor", "--deep")
	require.Equal(t, exitOK, code, report)
	require.Regexp(t, `ok +files +1 photos and other files, 0 MB, each is what it was`, report)
	require.Regexp(t, `ok +database +`+data+`, in use by a server, beside which it is looked at`, report)
	require.Regexp(t, `ok +deep +org 1: [0-9,]+ rows of the log, [0-9,]+ records`, report)
	dsn, _, ok := localpg.RunningAt(data, ownDatabase)
	require.True(t, ok)
	db, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { _ = db.Close(t.Context()) }()
	for _, sql := range []string{
		`DELETE FROM scope_index WHERE rec = $1`, `DELETE FROM members WHERE rec = $1`,
		`UPDATE records SET root = owner, scopes = '{}', entered = '{}' WHERE id = $1`, `DELETE FROM lookups WHERE rec = $1`,
	} {
		_, err := db.Exec(t.Context(), sql, shop.String())
		require.NoError(t, err)
	}
	p.sync(early)
	_, has := early.Get(shop)
	require.False(t, has, "nothing tells it")

	report, code = run(t, environ, "doctor", "--deep")
	require.Equal(t, exitFailed, code, report)
	require.Regexp(t, `wrong columns +account `+shop.String()+` is kept below`, report)
	require.Regexp(t, `FAIL +deep +org 1: 3 faults, .*“roadbook doctor --deep --repair” mends them`, report)
	report, code = run(t, environ, "doctor", "--deep", "--repair")
	require.Equal(t, exitOK, code, report)
	require.Regexp(t, `mended scopes +account `+shop.String()+` is in the scopes \[\], and belongs in \[owner:`, report)
	require.Contains(t, report, "3 faults were mended; it is looked at once more")
	require.Contains(t, report, "all is well")

	p.sync(early)
	view, has := early.Get(shop)
	require.True(t, has, "a pull brings it")
	require.Equal(t, "Xingwang", view.Text("name"))
	p.sync(lin)
	for _, d := range []*device.Device{lin, early} {
		said, err := d.Check(t.Context())
		require.NoError(t, err)
		require.Zero(t, said.Changes, "comparing finds nothing more")
	}
	require.NotContains(t, p.out.String(), "behind the requests")

	// The log is the truth: what is wrong of it is said, and left. So it is of photos.
	require.NoError(t, os.WriteFile(filepath.Join(data, "blobs", photo.Hash.String()[:2], photo.Hash.String()), []byte("a phot0"), 0o600))
	_, err = db.Exec(t.Context(), `UPDATE mutations SET body = body || ' ' WHERE seq = 7`)
	require.NoError(t, err)
	report, code = run(t, environ, "doctor", "--deep", "--repair")
	require.Equal(t, exitFailed, code, report)
	require.Contains(t, report, "row 7 is not what was written")
	require.Contains(t, report, "restore a backup from before")
	require.Contains(t, report, photo.Hash.String()+" is not what its name says")
	require.NoError(t, db.Close(t.Context()))
	p.stop()
}

func TestDoctor_repairGoesWithDeep(t *testing.T) {
	t.Parallel()

	report, code := run(t, []string{"ROADBOOK_DATA=" + dataFolder(t)}, "doctor", "--repair")

	require.Equal(t, exitFailed, code)
	require.Contains(t, report, "--repair goes with --deep")
}
