package device

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"roadbook/clients/go/localstore"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// The tables of the store. What is in entries and refused is what a person has
// typed, and is never given up.
const (
	tableMeta    = "meta"    // by name
	tableEntries = "entries" // outbox and journal, by the order of typing
	tableRefused = "refused" // by the order of typing
	tablePages   = "pages"   // of a pull that is not complete
	tableBase    = "base."   // and a or b
	tableSieves  = "sieves"  // by kind
)

// storeFormat is the form of the tables: since 2 what was pulled has sums. A
// store of an earlier form is read, one of a later form is left alone.
const storeFormat = 2

// state is what a device remembers, guarded by Device.mu.
type state struct {
	id     identity
	tok    tokens
	count  counter
	sight  sight
	schema schema

	outbox  []*entry               // not judged yet, in the order of n
	acked   []*entry               // judged, and still needed
	byID    map[record.ID]*entry   // of both
	touches map[record.ID][]*entry // by record: what may be drawn on top, in the order of typing
	refused []*RefusedMutation     // in the order of typing
	base    *shelf                 // what is shown
	fresh   *shelf                 // what will be shown after starting over, or nil
	pages   []*wire.PullAnswer     // staged
	tick    uint64                 // counts verdicts, to know which of them a pull came after

	sieves     map[string]*sieved   // by kind: what others have, see known.go
	sieveTried map[string]time.Time // when one was last asked for

	badPages bool // some of the pages cannot be read, or are not there
	damaged  int  // rows of what was pulled, when the store was opened
}

// identity is who and what this device is.
type identity struct {
	Format  int        `json:"format"`
	Install string     `json:"install"`
	Org     string     `json:"org,omitempty"`
	Actor   wire.Actor `json:"actor"`
	Device  record.ID  `json:"device"`

	Replica   version.Replica `json:"replica,omitempty"`
	Lineage   []ancestor      `json:"lineage,omitempty"` // oldest first, without the present one
	NeedFresh bool            `json:"need_fresh,omitempty"`
	Schema    string          `json:"schema,omitempty"` // as the sign-in named it
	Want      *wire.Want      `json:"want,omitempty"`
}

// ancestor is a replica that this device was, up to its last own mutation.
type ancestor struct {
	Replica version.Replica `json:"replica"`
	Last    uint64          `json:"last"`
}

type tokens struct {
	Access  string `json:"access"`
	Refresh string `json:"refresh"`
}

// counter is the end of what was typed.
type counter struct {
	N     uint64        `json:"n"`
	Last  record.ID     `json:"last"` // the id of mutation N
	Stamp version.Stamp `json:"stamp"`
	Order uint64        `json:"order"` // as N, but never starts again
}

// sight is how far the device has seen.
type sight struct {
	Cursor    string        `json:"cursor"`
	Epoch     string        `json:"epoch"` // named by the last answer
	Filling   bool          `json:"filling,omitempty"`
	Grown     []string      `json:"grown,omitempty"`    // kind.field: the fill brings what was out of sight
	Complete  bool          `json:"complete,omitempty"` // once, at least
	High      version.Stamp `json:"high"`
	Durable   wire.Durable  `json:"durable"`
	Backed    bool          `json:"backed,omitempty"` // the server has had a second machine
	OffsetMS  int64         `json:"offset_ms"`        // the server's clock minus ours
	Slot      string        `json:"slot"`             // which of the two bases is shown
	BaseEpoch string        `json:"base_epoch"`
	Faults    int           `json:"faults,omitempty"`
	View      string        `json:"view,omitempty"`     // stands for what the person may see
	NewView   string        `json:"new_view,omitempty"` // the same, once what came into sight has been filled
	Compare   bool          `json:"compare,omitempty"`  // with the server, before anything else is pulled

	Resync      bool   `json:"resync,omitempty"` // starting over into the other slot
	FreshCursor string `json:"fresh_cursor,omitempty"`
	FreshEpoch  string `json:"fresh_epoch,omitempty"`

	Held      *wire.Tally `json:"held,omitempty"` // of each base, as it was kept
	FreshHeld *wire.Tally `json:"fresh_held,omitempty"`
}

// shown stands for what the person may see, if all that is held is of that: not
// while fields come into sight. Then some records have them, others lack them,
// and by their seqs all are right.
func (s *sight) shown() string {
	if s.NewView != "" {
		return ""
	}
	return s.View
}

func (s *sight) otherSlot() string {
	if s.Slot == "a" {
		return "b"
	}
	return "a"
}

// batch collects what is to be written at once.
type batch struct {
	off    bool // nothing is kept
	writes []localstore.Write
	err    error
}

func (b *batch) put(table string, key []byte, v any) { b.putAs(table, key, v, slices.Clip) }

// putSealed is put with a sum, for what can be fetched again if it is damaged.
func (b *batch) putSealed(table string, key []byte, v any) { b.putAs(table, key, v, seal) }

func (b *batch) putAs(table string, key []byte, v any, as func([]byte) []byte) {
	if b.off {
		return
	}
	text, err := json.Marshal(v)
	if err != nil {
		b.err = cmp.Or(b.err, fmt.Errorf("encode for table %s: %w", table, err))
	}
	b.putText(table, key, as(text))
}

// putText is put for what is written down already.
func (b *batch) putText(table string, key, text []byte) {
	if !b.off {
		b.writes = append(b.writes, localstore.Write{Table: table, Key: key, Value: text})
	}
}

func (b *batch) delete(table string, key []byte) {
	if !b.off {
		b.writes = append(b.writes, localstore.Write{Table: table, Key: key})
	}
}

func (b *batch) clear(table string) {
	if !b.off {
		b.writes = append(b.writes, localstore.Write{Table: table})
	}
}

func (d *Device) saveIdentity(b *batch) { b.put(tableMeta, []byte("identity"), d.id) }
func (d *Device) saveTokens(b *batch)   { b.put(tableMeta, []byte("tokens"), d.tok) }
func (d *Device) saveCounter(b *batch)  { b.put(tableMeta, []byte("counter"), d.count) }

func (d *Device) saveSight(b *batch) {
	d.sight.Held, d.sight.FreshHeld = &d.base.tally, nil
	if d.fresh != nil {
		d.sight.FreshHeld = &d.fresh.tally
	}
	b.put(tableMeta, []byte("sight"), d.sight)
}

func (d *Device) saveEntry(b *batch, en *entry) {
	b.put(tableEntries, orderKey(en.Order), en)
}

func orderKey(order uint64) []byte { return binary.BigEndian.AppendUint64(nil, order) }

// load reads the store into memory.
func (d *Device) load() error {
	d.state = state{
		id:      identity{Format: storeFormat},
		sight:   sight{Slot: "a"},
		byID:    map[record.ID]*entry{},
		touches: map[record.ID][]*entry{},
		base:    newShelf("a", ""),
		sieves:  map[string]*sieved{}, sieveTried: map[string]time.Time{},
	}
	if d.store == nil {
		return nil
	}
	steps := []func() error{d.loadMeta, d.loadEntries, d.loadRefused, d.loadBases, d.loadPages, d.loadSieves}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (d *Device) loadMeta() error {
	into := map[string]any{
		"identity": &d.id, "tokens": &d.tok, "counter": &d.count, "sight": &d.sight, "schema": &d.schema,
	}
	err := d.store.Load(tableMeta, func(key, value []byte) error {
		if v, ok := into[string(key)]; ok {
			return json.Unmarshal(value, v)
		}
		return nil
	})
	if err == nil && d.id.Format > storeFormat {
		return fmt.Errorf("the store is of form %d, this app knows %d", d.id.Format, storeFormat)
	}
	return err
}

func (d *Device) loadEntries() error {
	err := d.store.Load(tableEntries, func(_, value []byte) error {
		en := &entry{}
		if err := json.Unmarshal(value, en); err != nil {
			return fmt.Errorf("an entry of the outbox: %w", err)
		}
		d.byID[en.Mutation.ID] = en
		if en.Verdict == nil {
			d.outbox = append(d.outbox, en)
		} else {
			d.acked = append(d.acked, en)
		}
		if en.Verdict == nil || en.Verdict.Showing {
			d.touch(en)
		}
		return nil
	})
	slices.SortFunc(d.outbox, byN) // a mutation that was taken back lies before those typed earlier
	return err
}

func byN(a, b *entry) int { return cmp.Compare(a.Mutation.N, b.Mutation.N) }

func (d *Device) loadRefused() error {
	return d.store.Load(tableRefused, func(_, value []byte) error {
		r := &RefusedMutation{}
		d.refused = append(d.refused, r)
		return json.Unmarshal(value, r)
	})
}

func (d *Device) loadBases() error {
	d.base = newShelf(d.sight.Slot, d.sight.BaseEpoch)
	if err := d.base.load(d.store); err != nil || !d.sight.Resync {
		return err
	}
	d.fresh = newShelf(d.sight.otherSlot(), d.sight.FreshEpoch)
	return d.fresh.load(d.store)
}

func (d *Device) loadPages() error {
	return d.store.Load(tablePages, func(key, value []byte) error {
		page := &wire.PullAnswer{}
		text, whole := unseal(value)
		if !whole || !bytes.Equal(key, orderKey(uint64(len(d.pages)))) || json.Unmarshal(text, page) != nil {
			d.badPages = true
		}
		d.pages = append(d.pages, page)
		return nil
	})
}
