package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"roadbook/record"
	"roadbook/sync/wire"
)

// network carries a phone's requests to one of the servers, without a socket,
// and does to them what the step in hand says: "lose=request", "lose=answer",
// "lose=half" strike request number "at" (the last one let through by
// "pages"), "keep=1" has it delivered once more later, "via=2" takes the other
// server.
type network struct {
	p     *phone
	step  Step
	asked int  // requests of this step
	whole bool // the last page that came was complete
}

// late is an old request that comes again.
type late struct {
	who, path, token string
	body             []byte
}

var errLost = errors.New("the connection was lost")

func (n *network) begin(s Step) { n.step, n.asked, n.whole = s, 0, false }

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	n.asked++
	body, err := bodyOf(req)
	if err != nil {
		return nil, err
	}
	w := n.p.w
	if pages := n.step.number("pages"); pages > 0 && n.asked > pages {
		return nil, errLost
	}
	struck := n.asked == max(n.step.number("at"), 1)
	lose := n.step.With["lose"]
	if struck && n.step.number("keep") > 0 {
		w.late[n.step.No] = &late{n.p.name, req.URL.Path, req.Header.Get("Authorization"), body}
	}
	if struck && lose == "request" {
		w.say("      the request is lost")
		return nil, errLost
	}
	if n.step.No%8 != 0 {
		req.Header.Del("Accept-Encoding") // packing is tested where it is written
	}
	a := w.serve(n.step, req, body)
	w.heard(n.p.name, req.URL.Path, a)
	switch {
	case struck && lose == "answer":
		w.say("      the answer is lost")
		return nil, errLost
	case struck && lose == "half":
		w.say("      half of the answer is lost")
		a.text, a.cut = a.text[:len(a.text)/2], true
	default:
		n.whole = strings.HasSuffix(req.URL.Path, "/pull") && bytes.Contains(a.text, []byte(`"complete":true`))
	}
	return a.response(req), nil
}

// serve has a server answer.
func (w *World) serve(s Step, req *http.Request, body []byte) *answer {
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	a := &answer{header: http.Header{}, status: http.StatusOK}
	w.asked(req.URL.Path, body)
	via := s.number("via")
	if via < 1 || via > len(w.http) {
		via = 1
	}
	req.RemoteAddr = "192.0.2.1:1"
	w.http[via-1].ServeHTTP(a, req)
	a.text = a.body.Bytes()
	return a
}

func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer func() { _ = req.Body.Close() }() // it was read
	return io.ReadAll(req.Body)
}

// answer is what a handler writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	text   []byte
	cut    bool // it breaks off
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

func (a *answer) response(req *http.Request) *http.Response {
	var body io.Reader = bytes.NewReader(a.text)
	if a.cut {
		body = io.MultiReader(body, broken{})
	}
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header, Request: req,
		Body: io.NopCloser(body), ContentLength: -1,
	}
}

// broken is where an answer breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// told is what pushes, pulls and problems say.
type told struct {
	Outcomes []record.Outcome
	Code     string
	FromN    uint64   `json:"from_n"`
	NextN    uint64   `json:"next_n"`
	Drops    []string `json:"drop_scopes"`
	Changes  []wire.Change
	Complete bool
	Filling  bool
}

// heard looks at an answer, whether or not the phone gets it.
func (w *World) heard(who, path string, a *answer) {
	if a.header.Get("Content-Encoding") != "" {
		w.say("      (%s packed, %d)", path, a.status)
		return
	}
	var t told
	if err := json.Unmarshal(a.text, &t); err != nil {
		w.finds("the server answers %s with what is no JSON: %s", path, a.text)
		return
	}
	switch {
	case a.status == http.StatusOK:
	case a.status == http.StatusConflict && (t.Code == "fork" || t.Code == "hole"):
	case a.status == http.StatusGone:
	case w.isLost(a.status, &t):
	default:
		w.finds("the server answers %s's %s with %d: %s", who, path, a.status, a.text)
	}
	for i := range t.Outcomes {
		w.judged(&t.Outcomes[i])
	}
	w.sayHeard(path, a.status, &t)
}
