package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"roadbook/api"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg"
	"roadbook/sync"
	"roadbook/sync/wire"
	"roadbook/version"
)

// What a snapshot is made with is written down here and is no secret: cursors
// and receipts of a snapshot are to be genuine to the servers of its tests.
const (
	snapshotKey = "the key of all snapshots, 32 byte"
	orgName     = "acme"
	password    = "snapshot-of-a-release"
)

// snapshotDay is when the history of every snapshot takes place.
var snapshotDay = time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC)

// server is the real one, with a clock and chance that come out the same every
// time.
type server struct {
	clock  time.Time
	rng    *rand.Rand
	ids    int
	org    record.OrgID
	people *people.Service
	engine *sync.Engine
	pool   *people.Pool

	handler   http.Handler
	tokens    map[string]string // by login
	exchanges []exchange
}

func newServer(ctx context.Context, address string, clock time.Time) (*server, error) {
	pool, err := pg.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	s := &server{clock: clock, rng: rand.New(rand.NewPCG(1, uint64(clock.Unix()))), pool: pool, tokens: map[string]string{}} //nolint:gosec // chance that repeats itself is what is wanted
	s.people = people.New(people.Config{
		Pool: pool, Key: []byte(snapshotKey), Now: s.now, Draw: s.draw, NewID: s.id,
		NewToken: func() string { return fmt.Sprintf("token-%038d", s.rng.Uint64()) },
	})
	s.engine = sync.New(sync.Config{
		Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: []byte(snapshotKey), Now: s.now, Draw: s.draw,
	})
	s.handler = api.New(api.Config{
		Line: s.engine, SignIn: s.people, Ready: pool.Ping, Log: slog.New(slog.DiscardHandler), Now: s.now,
		NewID: func() string { return "r1" },
	}).Handler()
	return s, nil
}

func (s *server) close() {
	s.engine.Close()
	s.pool.Close()
}

func (s *server) now() time.Time { return s.clock }

func (s *server) draw() int32 { return s.rng.Int32N(1<<31-2) + 1 }

// id is the next of a row.
func (s *server) id() record.ID {
	s.ids++
	return record.MustID(fmt.Sprintf("0193e600-%04x-7000-8000-%012x", s.clock.Unix()&0xffff, s.ids))
}

// person is the same in every snapshot.
func person(login string) record.ID {
	return record.MustID("0193e600-0000-7000-8000-0000000000aa").Derive(login)
}

// found makes the org: an admin, and chen over a team of lin and zhou.
func (s *server) found(ctx context.Context) (err error) {
	if s.org, err = s.people.CreateOrg(ctx, orgName); err != nil {
		return err
	}
	if err := s.engine.Publish(ctx, s.org, shipped.Schema()); err != nil {
		return err
	}
	team := person("the team")
	edits := []record.Edit{{Op: record.OpCreate, Kind: "unit", ID: team, Set: values("name", "team", "kind", "team", "status", "active")}}
	logins := []string{"admin", "chen", "lin", "zhou"}
	for i, role := range []string{"admin", "manager", "rep", "rep"} {
		set := values("login", logins[i], "name", logins[i], "roles", []string{role}, "status", "active", "owner", person(logins[i]))
		if role == "rep" {
			set = append(set, values("unit", team)...)
		}
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "user", ID: person(logins[i]), Set: set})
	}
	managed := record.Edit{Op: record.OpEdit, Kind: "unit", ID: team, Set: values("manager", person("chen"))}
	for _, together := range [][]record.Edit{edits, {managed}} {
		proposed := sync.Proposal{Mutation: record.Mutation{ID: s.id(), Stamp: version.StampAt(s.now()), Edits: together, Schema: shipped.Schema().Version}}
		out, err := s.engine.Commit(ctx, s.org, []sync.Proposal{proposed})
		if err != nil || out[0].Refusal != nil {
			return fmt.Errorf("the org cannot be founded: %w, %+v", err, out)
		}
	}
	for _, login := range logins {
		if err := s.people.SetPassword(ctx, s.org, person(login), login, password); err != nil {
			return err
		}
	}
	return nil
}

func values(pairs ...any) record.Values {
	var vs record.Values
	for pair := range slices.Chunk(pairs, 2) {
		raw, err := json.Marshal(pair[1])
		if err != nil {
			panic(err) // of text, lists and ids
		}
		vs = append(vs, record.Value{Field: fmt.Sprint(pair[0]), Raw: raw})
	}
	return vs
}

// ask sends one request and returns what came back.
func (s *server) ask(ctx context.Context, path, token string, body []byte) (status int, answer []byte) {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Accept-Language", "en")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

// signIn signs somebody in on a device of his own.
func (s *server) signIn(ctx context.Context, login string) (*wire.LoginAnswer, error) {
	body, err := json.Marshal(loginOf(login))
	if err != nil {
		return nil, err
	}
	status, answer := s.ask(ctx, "/v1/auth/login", "", body)
	if status != http.StatusOK {
		return nil, fmt.Errorf("%s cannot sign in: %d %s", login, status, answer)
	}
	in := new(wire.LoginAnswer)
	if err := json.Unmarshal(answer, in); err != nil {
		return nil, err
	}
	s.tokens[login] = in.AccessToken
	return in, nil
}

func loginOf(login string) wire.LoginRequest {
	return wire.LoginRequest{Org: orgName, User: login, Password: password, Device: wire.DeviceInfo{
		Install: person("phone of " + login).String(), Kind: "phone", Platform: "android 15", App: "1.0.0",
	}}
}
