package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
)

// What the snapshots of releases are made with; see tools/snapshot.
const (
	snapshotPassword = "snapshot-of-a-release"
	snapshotOrg      = "acme"
)

// frame is a request of a device of the earlier release, and how it was answered.
type frame struct {
	Name, Path, As  string
	Request, Answer json.RawMessage
	Status          int
}

func framesOf(t *testing.T, release string) (all []frame) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../sync/wire/testdata", release, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var f frame
		require.NoError(t, json.Unmarshal(text, &f))
		all = append(all, f)
	}
	return all
}

// load fills an empty database with the snapshot of a release.
func load(t *testing.T, dsn, release string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close(t.Context())) }()
	for _, part := range []string{".sql", ".data.sql"} {
		text, err := os.ReadFile(filepath.Join("../../migrations/testdata", release+part))
		require.NoError(t, err)
		_, err = db.PgConn().Exec(t.Context(), string(text)).ReadAll()
		require.NoError(t, err, part)
	}
}

// send sends a request as a device does, and returns what came back.
func send(t *testing.T, url, token string, body []byte) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, text
}

// Devices of the earlier release repeat all that they ever said, to a server of
// their own release and to one of this, on one database: each frame has the status
// of then from both, and each push the verdicts of then. Only cursors are other
// than then, for an installation has a key of its own: what one server gives, both
// are brought.
func TestUpgrade_sideBySide_frames(t *testing.T) {
	t.Parallel()

	dsn := theirs(t)
	load(t, dsn, earlier)
	environ := []string{
		"ROADBOOK_DATABASE_URL=" + dsn, "ROADBOOK_DATA=" + dataFolder(t),
		"ROADBOOK_HORIZON=87600h", // whenever this test is run, these devices have not been away for too long
	}
	servers := []*process{serveOf(t, released(t), environ...).ready(), serve(t, environ...).ready()}
	tokens := map[string]string{"": "", "nobody": ""}
	cursors := map[string]string{} // those of now, by those of then
	frames := framesOf(t, earlier)
	for i, f := range append(frames, frames...) {
		if _, known := tokens[f.As]; !known {
			tokens[f.As] = signInAt(t, servers[i%2].url, f.As)
		}
		body := f.with(cursors)
		for turn := range servers {
			status, answer := send(t, servers[(i+turn)%2].url+f.Path, tokens[f.As], body)
			require.Equal(t, f.Status, status, "%s: %s", f.Name, answer)
			if status != http.StatusOK {
				continue
			}
			if f.Path == "/v1/sync/push" {
				sameVerdicts(t, f, answer)
			} else if given := cursorOf(t, answer); turn == 0 {
				cursors[cursorOf(t, f.Answer)] = given
			}
		}
	}
	servers[0].stop()
	servers[1].stop()
}

// with is the request with the cursors of now.
func (f frame) with(cursors map[string]string) []byte {
	body := f.Request
	for then, now := range cursors {
		body = bytes.ReplaceAll(body, []byte(`"`+then+`"`), []byte(`"`+now+`"`))
	}
	return body
}

func cursorOf(t *testing.T, answer []byte) string {
	t.Helper()
	var page struct{ Cursor string }
	require.NoError(t, json.Unmarshal(answer, &page))
	require.NotEmpty(t, page.Cursor)
	return page.Cursor
}

func sameVerdicts(t *testing.T, f frame, answer []byte) {
	t.Helper()
	var then, now wire.PushAnswer
	require.NoError(t, json.Unmarshal(f.Answer, &then))
	require.NoError(t, json.Unmarshal(answer, &now))
	require.Len(t, now.Outcomes, len(then.Outcomes), f.Name)
	for i, o := range now.Outcomes {
		require.True(t, o.Repeated, f.Name)
		require.Equal(t, then.Outcomes[i].ID, o.ID, f.Name)
		require.Equal(t, then.Outcomes[i].Result, o.Result, f.Name)
		require.Equal(t, then.Outcomes[i].Seq, o.Seq, f.Name)
	}
}

// signInAt signs somebody of the snapshot in on the device that he had.
func signInAt(t *testing.T, url, login string) string {
	t.Helper()
	install := record.MustID("0193e600-0000-7000-8000-0000000000aa").Derive("phone of " + login)
	body, err := json.Marshal(wire.LoginRequest{Org: snapshotOrg, User: login, Password: snapshotPassword, Device: wire.DeviceInfo{
		Install: install.String(), Kind: "phone", Platform: "android 15", App: "1.0.0",
	}})
	require.NoError(t, err)
	status, answer := send(t, url+"/v1/auth/login", "", body)
	require.Equal(t, http.StatusOK, status, string(answer))
	var in wire.LoginAnswer
	require.NoError(t, json.Unmarshal(answer, &in))
	return in.AccessToken
}
