package device_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// server speaks the wire like the real one and merges like none: the last to
// arrive wins. It counts, forks, finds holes, pages, and can be restored to an
// earlier point. A test may answer single requests itself.
type server struct {
	t *testing.T

	mu       sync.Mutex
	scripts  map[string][]script // by path, used up one by one
	asked    map[string][]json.RawMessage
	refuse   func(m *record.Mutation) *record.Refusal
	strict   bool // an edit of a record that is not there is refused
	pageSize int
	durable  wire.Durable
	high     version.Stamp
	log

	sieved    string // what devices ask without a signal, and its tag
	tag       string
	unchanged int // how often it was not sent again
}

// script answers one request.
type script func(body []byte) (status int, answer any)

// log is what a backup holds.
type log struct {
	epoch   string
	head    record.Seq
	reps    map[version.Replica]*twinned
	records map[record.ID]*kept
	judged  map[record.ID]record.Outcome
	fresh   int
}

type twinned struct {
	ids  []record.ID
	outs []record.Outcome
}

type kept struct {
	kind    string
	born    record.Seq
	seq     record.Seq
	deleted bool
	fields  map[string]json.RawMessage
	at      map[string]record.Seq
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, scripts: map[string][]script{}, asked: map[string][]json.RawMessage{}, pageSize: 1000}
	s.log = log{
		epoch: "e1", head: 100, reps: map[version.Replica]*twinned{}, records: map[record.ID]*kept{},
		judged: map[record.ID]record.Outcome{},
	}
	return s
}

// RoundTrip is the good network, from the client to the server and back.
func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w.Result(), nil
}

// next answers the coming requests to a path.
func (s *server) next(path string, scripts ...script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts[path] = append(s.scripts[path], scripts...)
}

// sieve is what devices are given to ask without a signal.
func (s *server) sieve(text, tag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sieved, s.tag = text, tag
}

// bodies are what a path was asked so far.
func (s *server) bodies(path string) []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked[path])
}

func (s *server) pushes() []wire.Push {
	var all []wire.Push
	for _, b := range s.bodies("/v1/sync/push") {
		var p wire.Push
		require.NoError(s.t, json.Unmarshal(b, &p))
		all = append(all, p)
	}
	return all
}

func (s *server) pulls() []wire.PullRequest {
	var all []wire.PullRequest
	for _, b := range s.bodies("/v1/sync/pull") {
		var p wire.PullRequest
		require.NoError(s.t, json.Unmarshal(b, &p))
		all = append(all, p)
	}
	return all
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	status, answer := s.answer(r.URL.Path, body)
	if r.URL.Path == fingerprints && status == http.StatusOK {
		w.Header().Set("ETag", s.tag)
		if r.Header.Get("If-None-Match") == s.tag {
			s.unchanged++
			status, answer = http.StatusNotModified, ""
		}
	}
	s.mu.Unlock()
	if p, ok := answer.(wire.Problem); ok && p.Kind == "busy" {
		w.Header().Set("Retry-After", "7")
	}
	w.WriteHeader(status)
	if raw, ok := answer.(string); ok {
		_, _ = io.WriteString(w, raw)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// readBody is what a phone meant to send.
func readBody(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func (s *server) answer(path string, body []byte) (int, any) {
	s.asked[path] = append(s.asked[path], body)
	if list := s.scripts[path]; len(list) > 0 {
		s.scripts[path] = list[1:]
		if list[0] != nil {
			return list[0](body)
		}
	}
	switch path {
	case "/v1/auth/login":
		return s.login(body)
	case "/v1/auth/refresh":
		return http.StatusOK, wire.RefreshAnswer{AccessToken: "access 2", RefreshToken: "refresh 2"}
	case "/v1/sync/push":
		return s.push(body)
	case "/v1/sync/pull":
		return s.pull(body)
	case fingerprints:
		return http.StatusOK, s.sieved
	}
	return http.StatusNotFound, "nothing here"
}

func (s *server) login(body []byte) (int, any) {
	var in wire.LoginRequest
	if json.Unmarshal(body, &in) != nil {
		return http.StatusBadRequest, "?"
	}
	name := version.Replica("r-" + in.Device.Install[:8])
	if in.Fresh {
		name = s.name()
	}
	rep := s.rep(name)
	a := wire.LoginAnswer{
		AccessToken: "access", RefreshToken: "refresh", Actor: wire.Actor{ID: actorOf(in.User), Name: in.User, Roles: []string{"rep"}},
		Replica: name, NextN: uint64(len(rep.ids)) + 1, Epoch: s.epoch, Schema: "3",
	}
	if len(rep.ids) > 0 {
		a.JudgedID = rep.ids[len(rep.ids)-1].String()
	}
	return http.StatusOK, a
}

func (s *server) name() version.Replica {
	s.fresh++
	return version.Replica("fresh" + strconv.Itoa(s.fresh) + s.epoch)
}

func (s *server) rep(name version.Replica) *twinned {
	if s.reps[name] == nil {
		s.reps[name] = &twinned{}
	}
	return s.reps[name]
}

func (s *server) push(body []byte) (int, any) {
	var in wire.Push
	if err := json.Unmarshal(body, &in); err != nil {
		return http.StatusBadRequest, err.Error()
	}
	rep := s.rep(in.Replica)
	answer := wire.PushAnswer{Epoch: s.epoch, Durable: s.durable, High: s.high}
	prev := in.Prev
	for i := range in.Mutations {
		m := &in.Mutations[i]
		n := int(m.N)
		switch {
		case n < 1:
			return http.StatusBadRequest, wire.Problem{Kind: "invalid", Code: "n"}
		case n <= len(rep.ids) && rep.ids[n-1] == m.ID:
			o := rep.outs[n-1]
			o.Repeated = true
			answer.Outcomes = append(answer.Outcomes, o)
		case n > len(rep.ids)+1:
			return 409, wire.Problem{Kind: "clash", Code: "hole", NextN: uint64(len(rep.ids)) + 1, Epoch: s.epoch}
		case n <= len(rep.ids) || n > 1 && rep.ids[n-2].String() != prev:
			return 409, wire.Problem{
				Kind: "clash", Code: "fork", Outcomes: answer.Outcomes, FromN: m.N, Replica: s.name(), NextN: 1,
				IDs: rep.named(), Epoch: s.epoch,
			}
		default:
			o := s.judge(m)
			rep.ids, rep.outs = append(rep.ids, m.ID), append(rep.outs, o)
			answer.Outcomes = append(answer.Outcomes, o)
		}
		prev = m.ID.String()
	}
	answer.NextN = uint64(len(rep.ids)) + 1
	return http.StatusOK, answer
}

func (r *twinned) named() map[string]string {
	ids := map[string]string{}
	for i, id := range r.ids {
		ids[strconv.Itoa(i+1)] = id.String()
	}
	return ids
}

// pull answers a page: what changed after pos, judged against base. A cursor
// is epoch/base/pos.
func (s *server) pull(body []byte) (int, any) {
	var in wire.PullRequest
	if err := json.Unmarshal(body, &in); err != nil {
		return http.StatusBadRequest, err.Error()
	}
	var base, pos record.Seq
	if in.Cursor != "" {
		parts := strings.Split(in.Cursor, "/")
		if parts[0] != s.epoch {
			return http.StatusGone, wire.Problem{Kind: "stale", Code: "rewound", Epoch: s.epoch}
		}
		base, pos = seqOf(parts[1]), seqOf(parts[2])
	}
	page := wire.PullAnswer{Changes: []wire.Change{}, Epoch: s.epoch, Durable: s.durable, High: s.high, Complete: true}
	ids := slices.SortedFunc(maps.Keys(s.records), func(a, b record.ID) int {
		return int(s.records[a].seq - s.records[b].seq)
	})
	for _, id := range ids {
		r := s.records[id]
		if r.seq <= pos {
			continue
		}
		if len(page.Changes) >= s.pageSize && page.Changes[len(page.Changes)-1].Seq < r.seq {
			page.Complete = false
			break
		}
		page.Changes = append(page.Changes, r.change(id, base))
		page.Cursor = fmt.Sprintf("%s/%d/%d", s.epoch, base, r.seq)
	}
	if page.Complete {
		page.Cursor = fmt.Sprintf("%s/%d/%d", s.epoch, s.head, s.head)
		if in.Cursor != "" {
			page.Outcomes = s.told(in.Replica, base)
		}
	}
	return http.StatusOK, page
}

func (s *server) told(replica version.Replica, base record.Seq) []record.Outcome {
	var outs []record.Outcome
	for _, o := range s.rep(replica).outs {
		if o.Seq > base {
			outs = append(outs, o)
		}
	}
	return outs
}

func (r *kept) change(id record.ID, base record.Seq) wire.Change {
	c := wire.Change{Kind: r.kind, ID: id, Seq: r.seq}
	if r.deleted {
		c.Gone = wire.GoneDeleted
		return c
	}
	if c.Full = r.born > base; c.Full {
		base = 0
		c.In = []string{"all"}
	}
	for _, f := range slices.Sorted(maps.Keys(r.fields)) {
		if r.at[f] > base {
			c.Set = append(c.Set, record.Value{Field: f, Raw: r.fields[f]})
		}
	}
	return c
}

func seqOf(text string) record.Seq {
	n, _ := strconv.ParseInt(text, 10, 64)
	return record.Seq(n)
}

// backup is a copy of the log as it is now.
func (s *server) backup() log {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.log
	c.reps, c.records, c.judged = map[version.Replica]*twinned{}, map[record.ID]*kept{}, maps.Clone(s.judged)
	for name, r := range s.reps {
		c.reps[name] = &twinned{slices.Clone(r.ids), slices.Clone(r.outs)}
	}
	for id, r := range s.records {
		k := *r
		k.fields, k.at = maps.Clone(r.fields), maps.Clone(r.at)
		c.records[id] = &k
	}
	return c
}

// safe announces that all of the log is safe now.
func (s *server) safe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.durable = wire.Durable{Epoch: s.epoch, Seq: s.head}
}

// restore goes back to a backup, in a new epoch.
func (s *server) restore(c log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := strconv.Atoi(s.epoch[1:])
	fresh, head := s.fresh, s.head
	s.log = c
	s.epoch, s.fresh, s.head = "e"+strconv.Itoa(n+1), fresh, head+1<<40
}

// actorOf is a person's id.
func actorOf(user string) record.ID {
	return record.MustID("0190a0b0-0000-7000-8000-000000000000").Derive(user)
}

// noon is when all tests begin.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
