package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"roadbook/record"
)

const (
	// records is how many records all write to: few, so that they meet.
	records = 3

	// answersWithin is what clients wait for an answer. Shorter than a pause
	// lasts, so that they do without one and ask again.
	answersWithin = time.Second

	never = math.MaxInt64
)

// witnesses are clients that write and read the same records without a pause,
// and what they were told, with the times at which they asked and heard.
type witnesses struct {
	t     *testing.T
	began time.Time
	ids   [records]record.ID
	first []state
	stop  context.CancelFunc
	work  errgroup.Group

	mu      sync.Mutex
	acts    []porcupine.Operation
	waiting map[*witness]time.Time // who waits for an answer, and since when
	durable record.Seq             // as anybody was told
	life    int                    // of the log: how often it has come back at another point
}

// witness is one of them: a client without a store, that asks servers in turn.
type witness struct {
	all            *witnesses
	no             int
	urls           []string
	dice           *rand.Rand
	http           http.Client
	token, replica string
	wrote          int
	seen           [records]record.Seq
}

// newWitnesses signs clients in, makes the records and lets them begin.
func newWitnesses(t *testing.T, clients int, urls ...string) *witnesses {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	all := &witnesses{t: t, began: now(), stop: stop, waiting: map[*witness]time.Time{}}
	seed := uint64(all.began.UnixNano())
	t.Logf("seed %d", seed)
	var each []*witness
	for i := range clients {
		w := &witness{
			all: all, no: i, urls: urls, dice: rand.New(rand.NewPCG(seed, uint64(i))),
			http: http.Client{Transport: &http.Transport{}, Timeout: answersWithin},
		}
		require.Eventually(t, func() bool { return w.signIn(t.Context()) == nil }, patience, often, "nobody can sign in")
		each = append(each, w)
	}
	for i := range all.ids {
		all.ids[i] = newID()
		out := each[0].create(all.ids[i])
		all.first = append(all.first, state{{value: "0", seq: out, by: "0"}})
	}
	for _, w := range each {
		all.work.Go(func() error { return w.toil(ctx) })
	}
	t.Cleanup(func() { all.stop(); _ = all.work.Wait() })
	return all
}

func (w *witness) signIn(ctx context.Context) error {
	body := fmt.Sprintf(`{"org":"demo","user":"lin","password":"roadbook","device":{"install":%q,"kind":"web"}}`, newID())
	var answer struct {
		AccessToken string `json:"access_token"`
		Replica     string `json:"replica"`
	}
	status, err := w.ask(ctx, "/v1/auth/login", newID(), []byte(body), &answer)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("signing in: %d", status)
	}
	w.token, w.replica = answer.AccessToken, answer.Replica
	return err
}

func (w *witness) create(id record.ID) record.Seq {
	w.all.t.Helper()
	var made answered
	status, err := w.ask(w.all.t.Context(), "/v1/records/task", id, []byte(`{"set":{"title":"0","status":"open"}}`), &made)
	require.NoError(w.all.t, err)
	require.Equal(w.all.t, http.StatusOK, status)
	return made.Outcome.Seq
}

// ask sends something to the next server: a body, or a question without one.
func (w *witness) ask(ctx context.Context, path string, key record.ID, body []byte, out any) (status int, err error) {
	method := http.MethodPost
	if body == nil {
		method = http.MethodGet
	}
	url := w.urls[w.dice.IntN(len(w.urls))]
	request, err := http.NewRequestWithContext(ctx, method, url+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+w.token)
	request.Header.Set("Idempotency-Key", key.String())
	answer, err := w.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return answer.StatusCode, err
	}
	return answer.StatusCode, json.Unmarshal(text, out)
}

// begin is when something is asked, and of which life of the log.
func (w *witness) begin() (at int64, life int) {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	w.all.waiting[w] = now()
	return w.all.clock(), w.all.life
}

// end is when its answer was heard, and in which life.
func (w *witness) end() (at int64, life int) {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	delete(w.all.waiting, w)
	return w.all.clock(), w.all.life
}

// clock is monotonic, as times that are made by now are.
func (all *witnesses) clock() int64 { return int64(now().Sub(all.began)) }

func (all *witnesses) note(ops ...porcupine.Operation) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.acts = append(all.acts, ops...)
}
