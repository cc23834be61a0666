package main

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// Every release that is kept can be upgraded from: its schema with its data,
// migrated by this program, answers the frames of its devices. A snapshot that
// is taken now is one more, so that the taking is tested too.
func TestUpgrade(t *testing.T) {
	t.Parallel()

	now := keep{release: "v99.0.0", root: t.TempDir()}
	require.NoError(t, now.take(t.Context()))
	releases := []keep{now}
	kept, err := filepath.Glob(filepath.Join("../..", schemaFolder, "v*.data.sql"))
	require.NoError(t, err)
	for _, file := range kept {
		releases = append(releases, keep{release: strings.TrimSuffix(filepath.Base(file), ".data.sql"), root: "../.."})
	}
	for _, k := range releases {
		t.Run(k.release, func(t *testing.T) {
			t.Parallel()

			upgrade(t, k)
		})
	}
}

func upgrade(t *testing.T, k keep) {
	t.Helper()
	ctx := t.Context()
	d, err := newDatabase(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, d.drop(ctx)) }()
	require.NoError(t, d.load(ctx, k.schema(), k.data()))
	require.NoError(t, d.migrate(ctx))
	s, err := newServer(ctx, d.address, snapshotDay.Add(24*time.Hour))
	require.NoError(t, err)
	defer s.close()

	frames, err := k.readFrames()
	require.NoError(t, err)
	require.NotEmpty(t, frames)
	for _, e := range frames {
		if e.As != "" && e.As != "nobody" && s.tokens[e.As] == "" {
			_, err := s.signIn(ctx, e.As)
			require.NoError(t, err, "a password of then")
		}
		status, answer := s.ask(ctx, e.Path, s.tokens[e.As], e.Request)
		require.Equal(t, e.Status, status, "%s: %s", e.Name, answer)
		if e.Path == "/v1/sync/push" && status == http.StatusOK {
			requireRepeated(t, e, answer)
		}
	}
}

// requireRepeated makes sure that a push of then has the verdicts of then.
func requireRepeated(t *testing.T, e exchange, answer []byte) {
	t.Helper()
	var then, now wire.PushAnswer
	require.NoError(t, json.Unmarshal(e.Answer, &then))
	require.NoError(t, json.Unmarshal(answer, &now))
	require.Len(t, now.Outcomes, len(then.Outcomes), e.Name)
	for i, o := range now.Outcomes {
		require.True(t, o.Repeated, e.Name)
		require.Equal(t, then.Outcomes[i].ID, o.ID, e.Name)
		require.Equal(t, then.Outcomes[i].Result, o.Result, e.Name)
		require.Equal(t, then.Outcomes[i].Seq, o.Seq, e.Name)
		if o.Result == record.Refused { // v0.1.0 gave none for these, and devices do without
			continue
		}
		require.Equal(t, then.Outcomes[i].Receipt, o.Receipt, e.Name)
	}
}

func TestRun_refuses(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	require.ErrorContains(t, run(t.Context(), []string{"-v", "0.1"}), "name the release")
	k := keep{release: "v0.1.0", root: root}
	require.NoError(t, write(k.schema(), []byte("kept")))
	require.ErrorContains(t, run(t.Context(), []string{"-v", "v0.1.0", "-root", root}), "v0.1.0 is kept already")
}

func TestNormalised(t *testing.T) {
	t.Parallel()

	const dump = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\nSET statement_timeout = 0;\n\nCREATE TABLE a (\n    b integer\n);\n"
	require.Equal(t, "CREATE TABLE a (\n    b integer\n);\n", string(normalised([]byte(dump))))
}

// An org from before gets what has come into the standard schema since when the
// first server of this release starts, and once, also if two start at once. What
// is new then works on what is old.
func TestUpgrade_schema(t *testing.T) {
	t.Parallel()

	ctx := t.Context()
	k := keep{release: "v0.1.0", root: "../.."}
	d, err := newDatabase(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, d.drop(context.WithoutCancel(ctx))) }()
	require.NoError(t, d.load(ctx, k.schema(), k.data()))
	require.NoError(t, d.migrate(ctx))
	var servers [2]*server
	for i := range servers {
		servers[i], err = newServer(ctx, d.address, snapshotDay.Add(24*time.Hour))
		require.NoError(t, err)
		defer servers[i].close()
	}
	schemas := func() (n int) {
		require.NoError(t, servers[0].pool.QueryRow(ctx, `SELECT count(*) FROM schemas WHERE org = 1`).Scan(&n))
		return n
	}
	before := schemas()

	for range 2 {
		var both errgroup.Group
		for _, s := range servers {
			both.Go(func() error { return s.engine.Resume(ctx) })
		}
		require.NoError(t, both.Wait())
		require.Equal(t, before+1, schemas(), "by one row of the log")
	}
	for range 2 {
		var both errgroup.Group
		for _, s := range servers {
			both.Go(func() error { return s.engine.RenewSchemas(ctx, true) })
		}
		require.NoError(t, both.Wait())
		require.Equal(t, before+2, schemas(), "and what older servers cannot read by another")
	}

	s := servers[0]
	login := loginOf("chen")
	login.Device.Install = person("another phone of chen").String()
	body, err := json.Marshal(login)
	require.NoError(t, err)
	status, answer := s.ask(ctx, "/v1/auth/login", "", body)
	require.Equal(t, http.StatusOK, status, "%s", answer)
	var in wire.LoginAnswer
	require.NoError(t, json.Unmarshal(answer, &in))
	shop := person("a shop")
	body, err = json.Marshal(wire.Push{Replica: in.Replica, Mutations: []record.Mutation{{
		ID: s.id(), N: 1, Stamp: version.StampAt(s.now()),
		Edits: []record.Edit{{Op: record.OpEdit, Kind: "account", ID: shop, Set: values("credit_limit", 50000)}},
	}}})
	require.NoError(t, err)
	status, answer = s.ask(ctx, "/v1/sync/push", in.AccessToken, body)
	require.Equal(t, http.StatusOK, status, "%s", answer)
	require.Contains(t, string(answer), `"requested"`, "%s", answer)
	var requests int
	require.NoError(t, s.pool.QueryRow(ctx, `SELECT count(*) FROM records WHERE org = 1 AND kind = 12`).Scan(&requests))
	require.Equal(t, 1, requests, "what only the server could write is asked of finance")
}
