package day

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	device "roadbook/clients/go"
	"roadbook/clients/go/badnet"
	"roadbook/record"
	"roadbook/sync/wire"
)

// phone is somebody's device, with the network that it happens to be in.
type phone struct {
	*device.Device

	cfg   device.Config
	login string
	name  said
	told  map[record.ID]record.Outcome // the verdicts that it has heard of, by mutation

	wifi    *badnet.Net // a good network, or none at all
	signal  *badnet.Net // that of the evening
	in      atomic.Pointer[badnet.Net]
	witness *witness
}

// The network of the evening, one way: 2 s to and fro, one in ten is lost.
const (
	leastLatency = 900 * time.Millisecond
	mostLatency  = 1100 * time.Millisecond
	loseRequest  = 0.05
	loseAnswer   = 0.03
	cutAnswer    = 0.02
	repeat       = 0.15
)

func (d *day) newPhone(login string, stored bool) (*phone, error) {
	p := &phone{
		login: login, name: names[login],
		told: map[record.ID]record.Outcome{}, witness: &witness{next: http.DefaultTransport},
	}
	p.wifi = badnet.New(p.witness, badnet.Plan{}, nil)
	p.signal = badnet.New(p.witness, badnet.Plan{
		Seed: d.Seed + uint64(len(login)), Least: leastLatency, Most: mostLatency,
		LoseRequest: loseRequest, LoseAnswer: loseAnswer, CutAnswer: cutAnswer, Repeat: repeat,
	}, d.sleep)
	p.in.Store(p.wifi)
	p.cfg = device.Config{
		BaseURL: d.BaseURL, HTTP: &http.Client{Transport: p}, Now: d.Now, NewID: d.NewID, Sleep: d.sleep,
		Kind: "phone", Platform: "android 15", App: "demo", Lang: string(d.Lang), Stage: true,
	}
	if stored {
		p.cfg.Dir = filepath.Join(d.Dir, login)
	}
	if err := p.start(); err != nil {
		return nil, err
	}
	return p, nil
}

// names are how people are called, in both languages.
var names = map[string]said{
	"he": {"He Jing", "何静"}, "chen": {"Chen Jianguo", "陈建国"}, "lin": {"Lin Xiao", "林晓"}, "zhou": {"Zhou Min", "周敏"},
	"admin": {"Admin", "管理员"},
}

// start opens the app, after it was closed or killed.
func (p *phone) start() error {
	opened, err := device.Open(p.cfg)
	if err == nil {
		p.Device = opened
	}
	return err
}

// RoundTrip implements http.RoundTripper, through the network of the moment.
func (p *phone) RoundTrip(req *http.Request) (*http.Response, error) {
	return p.in.Load().RoundTrip(req)
}

// dark takes the network away.
func (p *phone) dark() {
	p.in.Store(p.wifi)
	p.wifi.Offline(true)
}

// home is back in a good network.
func (p *phone) home() {
	p.in.Store(p.wifi)
	p.wifi.Offline(false)
}

// talk pushes and pulls and remembers the verdicts.
func (p *phone) talk(ctx context.Context) error {
	r, err := p.Sync(ctx)
	for _, o := range r.Outcomes {
		p.told[o.ID] = o
	}
	return err
}

// patience is how often the app tries anew to sync when it has given up.
const patience = 4

// talkOn does not give up where a person would press the button again.
func (p *phone) talkOn(ctx context.Context) (err error) {
	for range patience {
		if err = p.talk(ctx); err == nil && p.Status().Outbox == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
	}
	return err
}

// mutate types one action and sends it at once, as an office does.
func (p *phone) mutate(ctx context.Context, fn func(t *device.Typing) error) (record.Outcome, error) {
	id, err := p.Mutate(fn)
	if err != nil {
		return record.Outcome{}, err
	}
	if err := p.talk(ctx); err != nil {
		return record.Outcome{}, err
	}
	return p.verdict(id)
}

// verdict is what the server said of a mutation. A refusal is an error.
func (p *phone) verdict(id record.ID) (record.Outcome, error) {
	o, heard := p.told[id]
	switch {
	case !heard:
		return o, fmt.Errorf("%s has heard no verdict on what was typed", p.login)
	case o.Result == record.Refused:
		return o, fmt.Errorf("what %s typed was refused: %s (%s)", p.login, o.Refusal.Detail, o.Refusal.Code)
	}
	return o, nil
}

// witness keeps the pushes of the evening as they left the phone.
type witness struct {
	next http.RoundTripper

	mu     sync.Mutex
	pushes []sent
}

// sent is a body as it left the phone.
type sent struct {
	body     []byte
	encoding string
}

// RoundTrip implements http.RoundTripper.
func (w *witness) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasSuffix(req.URL.Path, "/push") && req.Body != nil {
		body, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		w.pushes = append(w.pushes, sent{body, req.Header.Get("Content-Encoding")})
		w.mu.Unlock()
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	return w.next.RoundTrip(req)
}

// first is the first push since the phone was made.
func (w *witness) first() sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pushes) == 0 {
		return sent{}
	}
	return w.pushes[0]
}

// replay sends a push that was sent before once more, past the app.
func (p *phone) replay(ctx context.Context, push sent) (*wire.PushAnswer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.cfg.BaseURL+"/v1/sync/push", bytes.NewReader(push.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if push.encoding != "" {
		req.Header.Set("Content-Encoding", push.encoding)
	}
	req.Header.Set("Authorization", "Bearer "+p.Token())
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the repeated push was answered with %s", res.Status)
	}
	answer := &wire.PushAnswer{}
	return answer, json.NewDecoder(res.Body).Decode(answer)
}
