package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	stdsync "sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// cutter cancels a context at a statement to the database.
type cutter struct {
	mu     stdsync.Mutex
	left   int // statements until then; 0 is not armed
	how    cut
	cancel context.CancelFunc
}

// cut is when a caller goes: just before a statement, while it is under way,
// or when it has been answered.
type cut int

const (
	before cut = iota
	during
	afterwards
)

// at runs do with a context that ends at the n-th statement, and reports
// whether there were so many.
func (c *cutter) at(n int, how cut, do func(ctx context.Context)) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.mu.Lock()
	c.left, c.how, c.cancel = n, how, cancel
	c.mu.Unlock()
	do(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	reached := c.left == 0
	c.left = 0
	return reached
}

func (c *cutter) statement() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return
	}
	if c.left--; c.left > 0 {
		return
	}
	if c.how == during {
		go c.cancel()
		return
	}
	c.cancel()
}

func (c *cutter) step(at cut) {
	if c.how == at || c.how == during && at == before {
		c.statement()
	}
}

func (c *cutter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.step(before)
	return ctx
}

func (c *cutter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) { c.step(afterwards) }

func (c *cutter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.step(before)
	return ctx
}

func (c *cutter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {
	c.step(afterwards)
}
func (c *cutter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// watched is a pool whose statements a cutter sees. pgtest fails a test that
// leaves one of its connections in use; so does this.
func watched(t *testing.T, c *cutter) *pgxpool.Pool {
	t.Helper()
	config := testPool(t).Config().Copy()
	config.ConnConfig.Tracer, config.MaxConns = c, 4
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() {
		requireAllFree(t, pool)
		pool.Close()
	})
	return pool
}

// requireAllFree takes all connections at once, which it could not if somebody
// had kept one.
func requireAllFree(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for range pool.Config().MaxConns {
		conn, err := pool.Acquire(ctx)
		require.NoError(t, err, "a connection was kept")
		defer conn.Release()
	}
}

// writer pushes as one device and knows what it has pushed.
type writer struct {
	w        *whole
	login    *wire.LoginAnswer
	who      access.Caller
	n        int
	prev     string
	accounts int
}

const install = "0199b6a0-0000-7000-8000-000000000001"

func loginRequest() *wire.LoginRequest {
	return &wire.LoginRequest{
		Org: "demo", User: "lin", Password: wholePassword, Device: wire.DeviceInfo{Install: install, Kind: "phone"},
	}
}

func newWriter(t *testing.T, w *whole) *writer {
	t.Helper()
	login, err := w.people.Login(t.Context(), loginRequest(), "")
	require.NoError(t, err)
	who, err := w.people.Caller(t.Context(), login.AccessToken)
	require.NoError(t, err)
	return &writer{w: w, login: login, who: who}
}

// frame is the next push, of so many new accounts.
func (p *writer) frame(mutations int) []byte {
	var list []string
	prev := p.prev
	for range mutations {
		p.n++
		p.accounts++
		p.prev = newID().String()
		list = append(list, fmt.Sprintf(`{"n":%d,"id":"%s","stamp":{"ms":1795248000000,"c":0},"edits":[{"op":"create",`+
			`"kind":"account","id":"%s","set":{"name":"兴旺 %d"}}]}`, p.n, p.prev, newID(), p.n))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"replica":"%s","prev":"%s","mutations":[`, p.login.Replica, prev)
	for i, m := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(m)
	}
	b.WriteString("]}")
	return b.Bytes()
}

func (p *writer) requireNothingLostOrTwice(t *testing.T) {
	t.Helper()
	var accounts int
	require.NoError(t, p.w.pool.QueryRow(t.Context(), `SELECT count(*) - 1 FROM records`).Scan(&accounts))
	require.Equal(t, p.accounts, accounts)
}

// Whoever goes away, at whichever statement, leaves nothing half done: a
// repeat of what he did comes to what it would have come to, and no connection
// is kept.
func TestCancel_atEveryStatement(t *testing.T) {
	t.Parallel()

	for how, name := range map[cut]string{before: "before", during: "during", afterwards: "after"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := &cutter{}
			noon := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
			w := newWhole(t, watched(t, c), func() time.Time { return noon }, nil)
			cheapPasswords(t, w)
			p := newWriter(t, w)
			every := func(what string, do func(ctx context.Context) error, again func()) {
				n := 1
				for ; n < 100; n++ {
					var err error
					reached := c.at(n, how, func(ctx context.Context) { err = do(ctx) })
					if err != nil {
						require.True(t, errors.Is(err, context.Canceled) || errs.KindOf(err) == errs.Busy, "%s at %d: %v", what, n, err)
					}
					again()
					if !reached {
						break
					}
				}
				t.Logf("%s: %d statements", what, n-1)
				require.Greater(t, n, 1, what)
			}

			every("login", func(ctx context.Context) error {
				_, err := w.people.Login(ctx, loginRequest(), "192.0.2.1")
				return err
			}, func() {
				again, err := w.people.Login(t.Context(), loginRequest(), "192.0.2.1")
				require.NoError(t, err)
				require.Equal(t, p.login.Replica, again.Replica)
				require.Equal(t, p.login.Device, again.Device)
				require.Equal(t, p.login.NextN, again.NextN)
				p.login = again
			})
			every("refresh", func(ctx context.Context) error {
				_, err := w.people.Refresh(ctx, &wire.RefreshRequest{RefreshToken: p.login.RefreshToken, Install: install})
				return err
			}, func() {
				again, err := w.people.Refresh(t.Context(), &wire.RefreshRequest{RefreshToken: p.login.RefreshToken, Install: install})
				require.NoError(t, err, "the token may be repeated")
				p.login.RefreshToken = again.RefreshToken
			})
			var body []byte
			every("push", func(ctx context.Context) error {
				body = p.frame(3)
				frame, err := wire.ReadPush(bytes.Clone(body))
				require.NoError(t, err)
				_, err = w.engine.Push(ctx, p.who, frame)
				return err
			}, func() {
				frame, err := wire.ReadPush(bytes.Clone(body))
				require.NoError(t, err)
				answer, err := w.engine.Push(t.Context(), p.who, frame)
				require.NoError(t, err)
				require.Len(t, answer.Outcomes, 3)
				for _, o := range answer.Outcomes {
					require.Equal(t, record.Applied, o.Result)
				}
			})
			p.requireNothingLostOrTwice(t)
			ask := &wire.PullRequest{Replica: p.login.Replica, MaxBytes: 4000}
			for page := range 3 {
				want, err := w.engine.Pull(t.Context(), p.who, ask)
				require.NoError(t, err)
				every(fmt.Sprintf("page %d", page), func(ctx context.Context) error {
					_, err := w.engine.Pull(ctx, p.who, ask)
					return err
				}, func() {
					got, err := w.engine.Pull(t.Context(), p.who, ask)
					require.NoError(t, err)
					require.Equal(t, string(want), string(got))
				})
				var read wire.PullAnswer
				require.NoError(t, json.Unmarshal(want, &read))
				ask.Cursor = read.Cursor
			}
			every("logout", func(ctx context.Context) error { return w.people.Logout(ctx, p.who) }, func() {
				require.NoError(t, w.people.Logout(t.Context(), p.who))
			})
		})
	}
}

// A connection that breaks at any byte, of the question or of the answer:
// what arrived whole is judged once, what did not is not, and a repeat gets the
// verdict of then.
func TestCancel_atAnyByte(t *testing.T) {
	t.Parallel()

	noon := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	pool := testPool(t)
	w := newWhole(t, pool, func() time.Time { return noon }, nil)
	p := newWriter(t, w)
	const header = "POST /v1/sync/push HTTP/1.1\r\nHost: roadbook\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
	for round := range 60 {
		body := p.frame(3)
		request := append(fmt.Appendf(nil, header, p.login.AccessToken, len(body)), body...)
		cutAt, readUpTo := rand.IntN(len(request)+1), 0
		if round%2 == 1 {
			cutAt, readUpTo = len(request), rand.IntN(400)
		}
		breakOff(t, w, request[:cutAt], readUpTo)

		answer := w.post(t, p.login.AccessToken, body)
		require.Len(t, answer.Outcomes, 3, "round %d, cut at %d, read %d", round, cutAt, readUpTo)
		again := w.post(t, p.login.AccessToken, body)
		for i, o := range again.Outcomes {
			require.True(t, o.Repeated)
			require.Equal(t, answer.Outcomes[i].Seq, o.Seq)
			require.Equal(t, answer.Outcomes[i].Result, o.Result)
		}
	}
	p.requireNothingLostOrTwice(t)
	w.server.Close() // waits for every request
	requireAllFree(t, pool)
}

// breakOff sends a request, or a part of it, reads a part of the answer, and is
// gone.
func breakOff(t *testing.T, w *whole, request []byte, readUpTo int) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.server.Listener.Addr().String())
	require.NoError(t, err)
	_, err = conn.Write(request)
	require.NoError(t, err)
	if readUpTo > 0 {
		_, err = io.CopyN(io.Discard, conn, int64(readUpTo))
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close())
}

func (w *whole) post(t *testing.T, token string, body []byte) *wire.PushAnswer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/v1/sync/push", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := w.server.Client().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	text, err := io.ReadAll(bufio.NewReader(answer.Body))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, string(text))
	var out wire.PushAnswer
	require.NoError(t, json.Unmarshal(text, &out))
	return &out
}
