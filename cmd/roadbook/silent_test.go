package main

import (
	"bytes"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// aCommit is the least that a server says at once when it commits.
const aCommit = 2_000

// cutter lies between a server and its PostgreSQL. Armed, it lets the first half
// of the next commit through, and after that nothing on that connection.
type cutter struct {
	address string
	over    <-chan struct{} // with the test

	mu    sync.Mutex
	armed bool
	cut   chan struct{} // closed when it has
}

func newCutter(t *testing.T, dsn string) *cutter {
	t.Helper()
	config, err := pgconn.ParseConfig(dsn)
	require.NoError(t, err)
	socket := filepath.Join(config.Host, ".s.PGSQL.5432")
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	c := &cutter{address: l.Addr().String(), over: t.Context().Done(), cut: make(chan struct{})}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := new(net.Dialer).DialContext(t.Context(), "unix", socket)
			if err != nil {
				_ = client.Close()
				continue
			}
			t.Cleanup(func() { _ = client.Close(); _ = server.Close() })
			go c.pass(server, client, true)
			go c.pass(client, server, false)
		}
	}()
	return c
}

// dsn is an address of a database by way of it.
func (c *cutter) dsn(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.Host, u.RawQuery = c.address, "sslmode=disable"
	return u.String()
}

func (c *cutter) pass(to, from net.Conn, said bool) {
	defer func() { _ = to.Close() }()
	block := make([]byte, 1<<20)
	for {
		n, err := from.Read(block)
		if err != nil {
			return
		}
		if said && bytes.Contains(block[:n], []byte(`"op":"`)) && c.halves(n) { // other long statements hold nobody up
			_, _ = to.Write(block[:n/2])
			close(c.cut)
			<-c.over // the machine has gone without a word; the connection is not closed
			return
		}
		if _, err := to.Write(block[:n]); err != nil {
			return
		}
	}
}

func (c *cutter) halves(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.armed && n >= aCommit
	c.armed = c.armed && !was
	return was
}

func (c *cutter) arm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = true
}

// A server's machine goes without a word while half of a commit is on its way, so
// that PostgreSQL waits for the rest with the org's row locked. The phones of
// another server go on within half a minute, and nobody does anything.
func TestServe_oneOfTwoFallsSilent(t *testing.T) {
	t.Parallel()

	m := newMortal(t)
	c := newCutter(t, m.dsn)
	second, direct := m.server, m.dsn
	m.dsn = c.dsn(t, direct)
	m.serve("127.0.0.1:0")
	first := m.server.ready()
	m.dsn, m.server = direct, second
	f := newFleet(t, 4, first.url, second.url)
	f.progress(40)

	c.arm()
	<-c.cut
	first.kill() // its connection stays, as that of a machine that is gone
	of := &fleet{t: t, phones: []*fleetPhone{f.phones[1], f.phones[3]}}
	of.progress(40)
	require.Equal(t, 1, strings.Count(second.out.String(), "1 commits were ended that another server has left in the middle"))

	m.serve(strings.TrimPrefix(first.url, "http://"))
	m.server.ready()
	f.progress(20)
	inLog(t, m.pool, f.settle())
	wholeLog(t, m.pool)
	m.server.stop()
	second.stop()
}
