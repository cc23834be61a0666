package device

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/match"
	"roadbook/record/match/sieve"
)

// Somebody who enters a customer wants to know whether a colleague has it
// already, and mostly has no signal. So a device keeps the server's sieve: the
// keys of all customers of the org, in which one can ask for a key and read
// nothing.

// How often a sieve is asked for: the server makes one every ten minutes, and
// what it lacks is found online, or when the customer has been entered.
const (
	sieveEvery = time.Hour
	sieveRetry = 10 * time.Minute // when it did not come
)

// Alike is a record that is about the same thing as what somebody is about to
// enter, or may be.
type Alike struct {
	Certain bool      `json:"certain"`
	Fields  []string  `json:"fields"` // that are equal
	Hint    string    `json:"hint"`   // of its name, if the server was asked
	ID      record.ID `json:"id"`     // NoID if it is not for this person, or only the sieve knows of it
}

// sieved is the sieve of a kind, and how it came.
type sieved struct {
	Tag  string    `json:"tag"`
	At   time.Time `json:"at"` // when it was last the newest
	Text []byte    `json:"text"`

	sieve *sieve.Sieve
}

// MaybeKnown says without a network what is alike to a record of these values:
// what the device holds itself, and what others seem to have. That is wrong once
// in 256 times, so it is to be asked online, or to be said with care. asked
// reports whether there was a sieve to ask; without one others may have what
// is not found.
func (d *Device) MaybeKnown(kind string, values Values) (found []Alike, asked bool, err error) {
	set, err := encodeAll(values)
	if err != nil {
		return nil, false, err
	}
	own := d.List(kind)
	d.mu.RLock()
	defer d.mu.RUnlock()
	k := d.schema.matched[kind]
	if k == nil {
		return nil, false, nil
	}
	keys, held := k.MatchesOf(set), map[match.Key]bool{}
	for _, v := range own {
		theirs := k.MatchesOf(v.Values)
		if key, shared := match.Shared(keys, theirs); shared {
			found = append(found, Alike{Certain: key.Certain, Fields: k.Match.Fields(key), ID: v.ID})
		}
		for _, key := range theirs {
			held[key] = true
		}
	}
	s := d.sieves[kind]
	if s == nil {
		return found, false, nil
	}
	for _, key := range keys {
		if !held[key] && s.sieve.May(key) {
			found = append(found, Alike{Certain: key.Certain, Fields: k.Match.Fields(key)})
		}
	}
	return found, true, nil
}

// CheckKnown asks the server what is alike to a record of these values. id is
// the record itself if it was entered already, or NoID.
func (d *Device) CheckKnown(ctx context.Context, kind string, id record.ID, values Values) ([]Alike, error) {
	set, err := encodeAll(values)
	if err != nil {
		return nil, err
	}
	in := struct {
		Kind string        `json:"kind"`
		ID   string        `json:"id,omitempty"`
		Set  record.Values `json:"set"`
	}{Kind: kind, Set: set}
	if !id.IsZero() {
		in.ID = id.String()
	}
	var answer struct{ Found []Alike }
	d.net.Lock()
	defer d.net.Unlock()
	return answer.Found, d.call(ctx, "/v1/duplicates/check", in, &answer)
}

func encodeAll(values Values) (set record.Values, err error) {
	for _, field := range slices.Sorted(maps.Keys(values)) {
		raw, err := encode(values[field])
		if err != nil {
			return nil, errs.New("device.MaybeKnown", errs.Invalid, "the value of %s cannot be written down", field).Coded("value")
		}
		set = set.With(field, raw)
	}
	return set, nil
}

// refreshSieves fetches what has changed of the sieves that the device is to
// keep, if it is time. They are an extra: one that does not come is asked for
// again later, and keeps nothing else away.
func (d *Device) refreshSieves(ctx context.Context) {
	for _, kind := range d.cfg.Known {
		if tag, due := d.sieveDue(kind); due {
			_ = d.refreshSieve(ctx, kind, tag)
		}
	}
}

func (d *Device) sieveDue(kind string) (tag string, due bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.cfg.Now()
	within := func(since time.Time, wait time.Duration) bool {
		passed := now.Sub(since) // the clock of a phone goes back as well
		return passed >= 0 && passed < wait
	}
	s := d.sieves[kind]
	switch {
	case d.schema.matched[kind] == nil, within(d.sieveTried[kind], sieveRetry):
		return "", false
	case s != nil && within(s.At, sieveEvery):
		return "", false
	case s != nil:
		tag = s.Tag
	}
	d.sieveTried[kind] = now
	return tag, true
}

func (d *Device) refreshSieve(ctx context.Context, kind, tag string) error {
	got, err := d.fetch(ctx, "/v1/duplicates/fingerprints?kind="+url.QueryEscape(kind), tag)
	if errs.CodeOf(err) == "unknown_kind" { // it is not for this person any more
		return d.change(func(b *batch) error {
			delete(d.sieves, kind)
			b.delete(tableSieves, []byte(kind))
			return nil
		})
	}
	if err != nil {
		return err
	}
	return d.change(func(b *batch) error {
		s := &sieved{Tag: got.tag, At: d.cfg.Now(), Text: got.text}
		if was := d.sieves[kind]; got.status == http.StatusNotModified && was != nil {
			s.Tag, s.Text = was.Tag, was.Text
		}
		if s.sieve, err = sieve.Read(s.Text); err != nil {
			return err
		}
		d.sieves[kind] = s
		b.putSealed(tableSieves, []byte(kind), s)
		return nil
	})
}

// loadSieves reads what was kept. What is damaged is fetched again.
func (d *Device) loadSieves() error {
	return d.store.Load(tableSieves, func(key, value []byte) error {
		s := &sieved{}
		text, whole := unseal(value)
		err := json.Unmarshal(text, s)
		if err == nil && whole {
			s.sieve, err = sieve.Read(s.Text)
		}
		if err == nil && s.sieve != nil {
			d.sieves[string(key)] = s
		}
		return nil
	})
}
