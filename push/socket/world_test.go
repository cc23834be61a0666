package socket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api"
	"roadbook/modules/people"
	"roadbook/push/socket"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store"
	"roadbook/store/pg/pgtest"
	"roadbook/sync"
	"roadbook/sync/feed"
	"roadbook/sync/wire"
	"roadbook/telemetry"
	"roadbook/version"
)

const patience = 20 * time.Second

var key = []byte("the key of these tests, 32 bytes")

// server is a whole one, on a database that others may share.
type server struct {
	t       testing.TB
	pool    *pgxpool.Pool
	engine  *sync.Engine
	people  *people.Service
	feed    *feed.Feed
	hub     *socket.Hub
	metrics *telemetry.Metrics
	http    *httptest.Server
	ahead   atomic.Int64   // of the clock
	sweeps  chan time.Time // closes sockets whose sign-in has ended
	heads   chan time.Time
	end     func()
}

// scrape is what a monitor is told.
func (s *server) scrape() string {
	s.t.Helper()
	text, _, err := s.metrics.Text()
	require.NoError(s.t, err)
	return string(text)
}

func newServer(t testing.TB) *server {
	t.Helper()
	return serverOn(t, pgtest.DB(t))
}

func serverOn(t testing.TB, pool *pgxpool.Pool) *server {
	t.Helper()
	s := &server{t: t, pool: pool, sweeps: make(chan time.Time), heads: make(chan time.Time)}
	fault := func(err error) { t.Log("fault:", err) }
	s.feed, s.metrics = feed.New(fault), telemetry.NewMetrics(telemetry.MetricsOptions{})
	s.engine = sync.New(sync.Config{
		Store: store.New(pool), Rules: []sync.Rule{people.Rule{}}, Key: key, Now: s.now, Draw: draw, Fault: fault,
		Moved: s.feed.Moved,
	})
	s.people = people.New(people.Config{Pool: pool, Key: key, Now: s.now, Draw: draw, NewID: newID, NewToken: uuid.NewString})
	log := slog.New(slog.DiscardHandler)
	s.hub = socket.New(socket.Config{Line: s.engine, Devices: s.people, Feed: s.feed, Now: s.now, Log: log, Metrics: s.metrics, PerPerson: 1_000_000})
	handler := api.New(api.Config{
		Line: s.engine, SignIn: s.people, News: s.feed, Sockets: s.hub, Ready: pool.Ping, Log: log,
		Now: s.now, NewID: uuid.NewString,
	}).Handler()
	s.http = httptest.NewServer(handler)
	s.run()
	return s
}

func (s *server) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func draw() int32 { return rand.Int32N(1<<31-2) + 1 }

func newID() record.ID { return record.ID(uuid.Must(uuid.NewV7())) }

// org is one with lin, who has a customer, and zhou, who has none; chen leads both.
type org struct {
	s        *server
	id       record.OrgID
	customer record.ID
	products []record.ID
}

func (s *server) newOrg(name string) *org {
	s.t.Helper()
	o := &org{s: s, customer: newID()}
	var err error
	o.id, err = s.people.CreateOrg(context.Background(), name)
	require.NoError(s.t, err)
	require.NoError(s.t, s.engine.Publish(context.Background(), o.id, shipped.Schema()))
	team := newID()
	edits := []record.Edit{{Op: record.OpCreate, Kind: "unit", ID: team, Set: values("name", "team", "kind", "team", "status", "active")}}
	for _, login := range []string{"chen", "lin", "zhou"} {
		role := map[string]string{"chen": "manager"}[login]
		if role == "" {
			role = "rep"
		}
		edits = append(edits, record.Edit{Op: record.OpCreate, Kind: "user", ID: o.person(login), Set: values(
			"login", login, "name", login, "roles", []string{role}, "status", "active", "unit", team, "owner", o.person(login),
		)})
	}
	o.commit(edits...)
	o.commit(record.Edit{Op: record.OpEdit, Kind: "unit", ID: team, Set: values("manager", o.person("chen"))})
	o.commit(record.Edit{Op: record.OpCreate, Kind: "account", ID: o.customer, Set: values(
		"name", "兴旺超市", "owner", o.person("lin"))})
	return o
}

func (o *org) person(login string) record.ID {
	return record.MustID("0190aaaa-0000-7000-8000-000000000001").Derive(fmt.Sprint(o.id, login))
}

// commit is by the server itself.
func (o *org) commit(edits ...record.Edit) {
	o.s.t.Helper()
	out, err := o.s.engine.Commit(context.Background(), o.id, []sync.Proposal{{Mutation: record.Mutation{
		ID: newID(), Stamp: version.StampAt(o.s.now()), Edits: edits,
	}}})
	require.NoError(o.s.t, err)
	require.NotEqual(o.s.t, record.Refused, out[0].Result, "%+v", out[0].Refusal)
}

// remark writes on lin's customer.
func (o *org) remark(text string) {
	o.s.t.Helper()
	o.commit(record.Edit{Op: record.OpEdit, Kind: "account", ID: o.customer, Set: values("remark", text)})
}

func values(pairs ...any) record.Values {
	var vs record.Values
	for i := 0; i < len(pairs); i += 2 {
		raw, err := json.Marshal(pairs[i+1])
		if err != nil {
			panic(err)
		}
		vs = append(vs, record.Value{Field: pairs[i].(string), Raw: raw})
	}
	return vs
}

// seat is somebody's, signed in and with everything pulled.
type seat struct {
	o       *org
	s       *server // which it talks to
	who     access.Caller
	replica version.Replica
	cursor  string
	token   string
	want    *wire.Want
}

// device signs somebody in without a password, which would take its time.
func (o *org) device(login string) *seat {
	o.s.t.Helper()
	return o.wanting(login, nil)
}

// wanting is one that asks to be shown something else than usual.
func (o *org) wanting(login string, want *wire.Want) *seat {
	o.s.t.Helper()
	d := &seat{o: o, s: o.s, want: want, who: access.Caller{Org: o.id, Person: o.person(login), Device: newID(), Roles: []string{"rep"}}}
	ctx := context.Background()
	_, err := o.s.pool.Exec(ctx, `INSERT INTO devices (org, id, person, install, kind, platform, app, created_at, seen_at)
		VALUES ($1, $2, $3, $2, 'phone', '', '', now(), now())`, d.who.Org, d.who.Device, d.who.Person)
	require.NoError(o.s.t, err)
	_, err = o.s.pool.Exec(ctx, `INSERT INTO sessions (org, id, person, device, next, created_at, expires_at)
		VALUES ($1, $2, $3, $2, '{}', now(), now() + interval '1 day')`, d.who.Org, d.who.Device, d.who.Person)
	require.NoError(o.s.t, err)
	require.NoError(o.s.t, pgx.BeginFunc(ctx, o.s.pool, func(tx pgx.Tx) error {
		r, err := store.ClaimReplica(ctx, tx, d.who.Org, d.who.Device, d.who.Person, true, draw)
		d.replica = r.Name
		return err
	}))
	d.token = d.tokenFor(15 * time.Minute)
	d.pull()
	return d
}

func (d *seat) tokenFor(life time.Duration) string {
	d.o.s.t.Helper()
	now := d.o.s.now()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "roadbook", "aud": []string{"roadbook.v1"}, "sub": d.who.Person.String(), "iat": now.Unix(),
		"exp": now.Add(life).Unix(), "org": d.who.Org, "dev": d.who.Device.String(), "sid": d.who.Device.String(),
		"roles": d.who.Roles,
	}).SignedString(key)
	require.NoError(d.o.s.t, err)
	return token
}

// pull fetches everything, and returns what the last page says.
func (d *seat) pull() []byte {
	d.o.s.t.Helper()
	for {
		page := d.page(d.cursor)
		var answer wire.PullAnswer
		require.NoError(d.o.s.t, json.Unmarshal(page, &answer))
		d.cursor = answer.Cursor
		if answer.Complete && !answer.Filling {
			return page
		}
	}
}

// page is what a pull from a cursor answers now.
func (d *seat) page(cursor string) []byte {
	d.o.s.t.Helper()
	page, err := d.o.s.engine.Pull(context.Background(), d.who, &wire.PullRequest{
		Replica: d.replica, Cursor: cursor, Want: d.want,
	})
	require.NoError(d.o.s.t, err)
	return page
}

// line is a device's open socket.
type line struct {
	*websocket.Conn
	t      testing.TB
	d      *seat
	frames chan frame
}

// frame is what came: a frame, or the end.
type frame struct {
	T      string     `json:"t"`
	From   string     `json:"from"`
	Seq    record.Seq `json:"seq"`
	Cursor string     `json:"cursor"`

	text []byte
	code int // of the end
}

func (d *seat) listen() *line {
	d.o.s.t.Helper()
	conn, res, err := d.dial(d.token)
	require.NoError(d.o.s.t, err)
	_ = res.Body.Close()
	return d.reading(conn)
}

func (d *seat) dial(token string) (*websocket.Conn, *http.Response, error) {
	return websocket.DefaultDialer.Dial(d.url(), http.Header{"Authorization": {"Bearer " + token}})
}

func (d *seat) url() string { return "ws" + d.s.http.URL[len("http"):] + "/v1/sync/live" }

// reading hands over what comes.
func (d *seat) reading(conn *websocket.Conn) *line {
	l := &line{Conn: conn, t: d.o.s.t, d: d, frames: make(chan frame, 64)}
	d.o.s.t.Cleanup(func() { _ = conn.Close() })
	go func() {
		for {
			_, text, err := conn.ReadMessage()
			f := frame{text: text}
			if err != nil {
				f.code = -1
				if gone, ok := errors.AsType[*websocket.CloseError](err); ok {
					f.code = gone.Code
				}
				l.frames <- f
				return
			}
			_ = json.Unmarshal(text, &f)
			l.frames <- f
		}
	}()
	return l
}

// says tells where the device is, and waits until that has been heard.
func (l *line) says(cursor string) *line {
	l.t.Helper()
	require.NoError(l.t, l.WriteJSON(wire.LiveRequest{T: wire.LiveCursor, Cursor: cursor, Replica: l.d.replica}))
	return l
}

// settled waits until what was said has been dealt with: the next ping is
// answered after it. News of what was committed before may come late, so wakes
// are passed over.
func (l *line) settled() *line {
	l.t.Helper()
	l.ping()
	for f := l.next(); f.T != wire.LivePong; f = l.next() {
		require.Equal(l.t, wire.LiveWake, f.T)
	}
	return l.quiet() // the first may be answered while the page is built
}

// quiet makes sure that nothing but the answer to a ping comes.
func (l *line) quiet() *line {
	l.t.Helper()
	l.ping()
	require.Equal(l.t, wire.LivePong, l.next().T)
	return l
}

func (l *line) ping() {
	l.t.Helper()
	require.NoError(l.t, l.WriteJSON(wire.LiveRequest{T: wire.LivePing}))
}

// next is the next frame.
func (l *line) next() frame {
	l.t.Helper()
	select {
	case f := <-l.frames:
		return f
	case <-time.After(patience):
		require.Fail(l.t, "nothing came")
	}
	return frame{}
}

// manyRemarks change more than one frame holds.
func manyRemarks(o *org) []record.Edit {
	long := make([]byte, 60_000)
	for i := range long {
		long[i] = 'a' + byte(i%26)
	}
	edits := []record.Edit{{Op: record.OpEdit, Kind: "account", ID: o.customer, Set: values("remark", string(long))}}
	return append(edits, record.Edit{Op: record.OpCreate, Kind: "account", ID: newID(), Set: values(
		"name", "another", "owner", o.person("lin"), "remark", string(long))})
}
