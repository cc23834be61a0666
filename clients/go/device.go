// Package device is a phone in Go: it lets a person type with or without a
// network, shows at once what was typed, and agrees with the server when there
// is one. It holds an outbox of what was not yet judged, a journal of what was
// judged but is not yet safe on a second machine, and a base of what was
// pulled; what it shows is the base with the person's own edits drawn on top.
//
// The demo, the bench, the simulator and the connectors use it, so everything
// that is time or chance comes in through Config. It knows the wire and not the
// server, and it is the algorithm that the other clients are checked against.
//
// A mutation is whole or absent whatever instant the process is killed at, and
// once typed it is never rewritten. Only the server's verdict on its id takes
// it out of the outbox.
package device

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"roadbook/clients/go/localstore"
	"roadbook/errs"
	"roadbook/record"
)

// Config is what a device is made of. Now and NewID must be given.
type Config struct {
	Dir   string // the store's folder; "" keeps everything in memory, for as long as the device is open
	Store Store  // in place of Dir: a store that somebody else holds

	BaseURL string       // "https://crm.example.com", without /v1
	HTTP    *http.Client // a bad network is put in by its RoundTripper
	Now     func() time.Time
	NewID   func() record.ID                                                  // UUIDv7 by custom
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error) // of the live socket; nil is the usual way
	Sleep   func(ctx context.Context, d time.Duration) error                  // waits between attempts; without it Sync makes one
	Spread  func() float64                                                    // how much of a wait to wait, 0 to 1; nil is all of it

	Kind      string // phone, mini, web, connector
	Platform  string // "android 15"
	App       string // "1.4.0"
	Lang      string // "zh-CN", "en": in which a refusal is explained; "" leaves it to the server
	Stage     bool   // keep the pages of a pull back until it is complete
	PageBytes int    // the most bytes in a page; 0 leaves it to the server

	Known []string // kinds of which a sync fetches what MaybeKnown asks: a megabyte for a million records
}

// Store keeps a device's tables. A batch must be there as a whole or not at
// all, and stay once Write has returned.
type Store interface {
	Load(table string, each func(key, value []byte) error) error
	Write(batch []localstore.Write) error
	Close() error
}

// Device is one signed-in phone. Its methods may be called from several
// goroutines; typing and reading never wait for the network.
type Device struct {
	cfg   Config
	store Store // nil keeps nothing

	net        talk // one talk with the server at a time; taken before mu
	frameBytes int  // how much to push at once; the network teaches it

	mu     sync.RWMutex
	broken error // the store failed: memory may be ahead of it, so nothing goes on
	state
}

// Open opens a device on its store, or makes a new one. A store that is open
// elsewhere is refused: two writers would give out the same numbers.
func Open(cfg Config) (*Device, error) {
	if cfg.Now == nil || cfg.NewID == nil {
		return nil, errs.New("device.Open", errs.Invalid, "a device needs a clock and a source of ids")
	}
	d := &Device{cfg: cfg, store: cfg.Store, frameBytes: firstFrameBytes}
	if d.store == nil && cfg.Dir != "" {
		disk, err := localstore.Open(cfg.Dir)
		if err != nil {
			return nil, errs.New("device.Open", errs.Clash, "the device's store could not be opened").
				Coded("store").Because(err)
		}
		d.store = disk
	}
	if err := d.load(); err != nil {
		return nil, d.fail(err)
	}
	return d, d.change(func(b *batch) error {
		d.giveUpDamaged(b)
		if d.id.Install == "" || d.id.Format < storeFormat {
			d.id.Install = cmp.Or(d.id.Install, cfg.NewID().String())
			d.id.Format = storeFormat
			d.saveIdentity(b)
		}
		return nil
	})
}

func (d *Device) fail(err error) error {
	if d.store != nil {
		_ = d.store.Close() // the first error is the one to tell
	}
	return errs.New("device.Open", errs.Internal, "the device's store could not be read").Because(err)
}

// Close ends the device after the talk that it is in. Everything it has said
// yes to is in the store already.
func (d *Device) Close() error {
	d.net.Lock()
	defer d.net.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if errors.Is(d.broken, errClosed) {
		return nil
	}
	d.broken = errClosed
	if d.store == nil {
		return nil
	}
	return d.store.Close()
}

var errClosed = errs.New("device", errs.Internal, "the device is closed").Coded("closed")

// change runs fn under the lock and then makes what it noted durable. fn may
// return an error only as long as it has changed nothing.
func (d *Device) change(fn func(b *batch) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return d.broken
	}
	b := &batch{off: d.store == nil}
	if err := fn(b); err != nil {
		return err
	}
	return d.commit(b)
}

func (d *Device) commit(b *batch) error {
	err := b.err
	if err == nil && len(b.writes) > 0 {
		err = d.store.Write(b.writes)
	}
	if err != nil {
		d.broken = storeFailed(err)
	}
	return d.broken
}

// storeFailed says what to do. What was typed before is safe, and the last of it
// is not there at all.
func storeFailed(err error) error {
	if errors.Is(err, localstore.ErrFull) {
		return errs.New("device.change", errs.Internal, "this device has no room left: free some, open the app again, and "+
			"type the last change once more; all before it is kept").Coded("full").Because(err)
	}
	return errs.New("device.change", errs.Internal, "the device's store could not be written; open it again").
		Coded("store").Because(err)
}

func internal(op, format string, args ...any) error {
	return errs.New(op, errs.Internal, "%s", fmt.Sprintf(format, args...))
}
