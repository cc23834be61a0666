package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	device "roadbook/clients/go"
	"roadbook/clients/go/localstore"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// changedPart is of how many records one has changed.
const changedPart = 100

// takeCompare is a device that holds 100,000 records of which one in a hundred
// has changed, and compares, beside one that fetches everything; and what the
// sums cost a server.
func takeCompare(ctx context.Context, w *world) ([]Row, error) {
	old, err := w.device(ctx)
	if err != nil {
		return nil, err
	}
	defer old.close()
	var took, sent, whole, copied []float64
	for run := range w.Runs {
		if err := w.changeSome(ctx, run); err != nil {
			return nil, err
		}
		some, err := old.measure(func() error { _, err := old.Check(ctx); return err })
		if err != nil {
			return nil, err
		}
		fresh, err := w.device(ctx)
		if err != nil {
			return nil, err
		}
		fresh.close()
		took, sent = append(took, ms(some.took)), append(sent, float64(some.bytes)/1000)
		whole, copied = append(whole, ms(fresh.filled.took)), append(copied, float64(fresh.filled.bytes)/1000)
	}
	digest, err := w.digestTime(ctx)
	if err != nil {
		return nil, err
	}
	all := w.Size.Region * w.Size.PerRep
	time := row("comparison of "+figure(float64(all))+", 1 % changed", "ms", took...).beside("a full copy", whole)
	size := row("its bytes, both ways, compressed", "KB", sent...).beside("a full copy", copied)
	asked := row("digest of "+figure(float64(all))+" on demand", "ms", digest...)
	return []Row{
		time.note("%d records of %d in %d scopes", w.Size.Region*w.perRep(), all, w.Size.Region),
		size.target("< 0.05 ×", size.Ratio < 0.05), asked.target("≤ 30", asked.Value <= 30),
	}, nil
}

func (w *world) perRep() int { return max(1, w.Size.PerRep/changedPart) }

// changeSome changes one field of one in a hundred of what a director sees, some
// of each rep's, others in each run.
func (w *world) changeSome(ctx context.Context, run int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for rep := range w.Size.Region {
		group.Go(func() error {
			p, err := w.signIn(ctx, login(rep))
			if err != nil {
				return err
			}
			edits := make([]record.Edit, w.perRep())
			for i := range edits {
				edits[i] = record.Edit{
					Op: record.OpEdit, Kind: "account", ID: w.accounts[rep][(run*len(edits)+i)%w.Size.Accounts],
					Seen: version.Vector{version.Log: uint64(w.head)},
					Set:  record.Values{}.With("short_name", text("改 "+strconv.Itoa(run))),
				}
			}
			frame, err := p.frame(edits)
			if err != nil {
				return err
			}
			return p.push(ctx, frame)
		})
	}
	return group.Wait()
}

// digestTime is a pull that has nothing new and asks for the sums of everything.
func (w *world) digestTime(ctx context.Context) ([]float64, error) {
	p, err := w.signIn(ctx, "director")
	if err != nil {
		return nil, err
	}
	held, err := p.sync(ctx, "", "")
	if err != nil {
		return nil, err
	}
	ask, err := json.Marshal(wire.PullRequest{Replica: p.replica, Cursor: held.cursor, Want: &wire.Want{From: "2000-01"}, Digest: true})
	if err != nil {
		return nil, err
	}
	var took []float64
	for range w.Runs {
		begun := w.Now()
		answer, err := p.post(ctx, "/v1/sync/pull", ask, "")
		if err != nil {
			return nil, err
		}
		took = append(took, ms(w.Now().Sub(begun)))
		if between(answer, `"digests":{`, "}") == "" {
			return nil, fmt.Errorf("no digests came: %.200s", answer)
		}
	}
	return took, nil
}

// weighed is a whole device whose bytes are counted.
type weighed struct {
	*device.Device

	w      *world
	scales *scales
	filled synced
}

// device is one of the director's that has everything.
func (w *world) device(ctx context.Context) (*weighed, error) {
	d := &weighed{w: w, scales: &scales{}}
	var err error
	d.Device, err = device.Open(device.Config{
		Store: &localstore.Memory{}, BaseURL: w.url, HTTP: &http.Client{Transport: d.scales}, Now: w.Now, NewID: w.NewID, Sleep: w.Sleep,
		Kind: "phone", Platform: "bench", App: "1", Stage: true,
	})
	if err != nil {
		return nil, err
	}
	if err = d.SignIn(ctx, orgName, "director", password); err == nil {
		err = d.Want(wire.Want{From: "2000-01"})
	}
	if err == nil {
		d.filled, err = d.measure(func() error { _, err := d.Pull(ctx); return err })
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *weighed) close() { _ = d.Close() }

func (d *weighed) measure(do func() error) (s synced, err error) {
	before, begun := d.scales.bytes.Load(), d.w.Now()
	err = do()
	return synced{took: d.w.Now().Sub(begun), bytes: int(d.scales.bytes.Load() - before)}, err
}

// scales count the bytes of bodies as they travel, both ways.
type scales struct{ bytes atomic.Int64 }

// RoundTrip implements http.RoundTripper.
func (s *scales) RoundTrip(r *http.Request) (*http.Response, error) {
	s.bytes.Add(r.ContentLength)
	answer, err := client.Transport.RoundTrip(r)
	if err == nil {
		answer.Body = &counted{answer.Body, s}
	}
	return answer, err
}

type counted struct {
	io.ReadCloser

	s *scales
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.s.bytes.Add(int64(n))
	return n, err
}
