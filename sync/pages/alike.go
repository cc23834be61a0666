package pages

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
	"unique"

	"roadbook/record"
	"roadbook/sync/views"
	"roadbook/sync/wire"
)

// Most devices that hear of a change hear the same of it: only their cursors
// differ. Those that are alike get one page, which is made for the first of
// them with the code of a pull, and the others get its bytes with their own
// cursors.
//
// Of all that a device is, the page of a stretch can depend on these alone:
//   - what its person sees and it is shown: kinds, months and fields;
//   - which of the scopes that the stretch speaks of it holds;
//   - how its place compares with each place that the stretch speaks of, since
//     a page does nothing with a place but compare;
//   - verdicts on what it has written itself, and on what was parked.
//
// So devices without verdicts are alike if these agree. Since when a device
// holds or is shown something makes no difference once it has been told all of
// that (settled). Whatever else there is, such as pins, has a page of its own.
//
// What a page says of the log is the same for all who are told one stretch: its
// epoch, which must be that of a device's place, its horizon, below which there
// is no page, and its greatest stamp. But how much of the log is durable grows
// while they are told, and whoever is told later is told of more.

// maxCommon is how many bytes of pages a stretch keeps for those who are alike:
// in a team of which everybody is elsewhere there is nothing to share.
const maxCommon = 256 << 10

// common are the pages of a stretch, by who is alike.
type common struct {
	scopes []record.ScopeID // that the stretch speaks of
	places []record.Seq     // that it speaks of

	mu    sync.Mutex
	size  int
	pages map[string]alike
}

// alike is a page for many, cut where the cursor of each belongs.
type alike struct {
	before, behind []byte // both empty: there is nothing for them
}

// survey finds the scopes and places that a stretch speaks of.
func (st *Stretch) survey() (err error) {
	for scope, rows := range st.index {
		st.scopes = append(st.scopes, scope)
		for _, r := range rows {
			st.places = append(st.places, r.Seq, r.Mark)
		}
	}
	for _, r := range st.records {
		st.scopes = append(st.scopes, r.Scopes...)
		st.places = append(append(st.places, r.Seq), r.Entered...)
		if st.places, err = record.AppendSeqs(st.places, r.Meta); err != nil {
			return err
		}
	}
	slices.Sort(st.scopes)
	slices.Sort(st.places)
	st.scopes, st.places = slices.Compact(st.scopes), slices.Compact(st.places)
	st.pages = map[string]alike{}
	return nil
}

// key is the same for devices that are alike. ok is false for one that is like
// nobody.
func (s *Seat) key(dst []byte, st *Stretch, durable wire.Durable) (key []byte, ok bool) {
	if !s.settled() || len(st.entries[s.id]) > 0 || s.place.base < st.head.Horizon || s.place.head < st.head.Schema {
		return nil, false
	}
	at, _ := slices.BinarySearch(st.places, s.place.base+1) // so many are not behind it
	dst = binary.LittleEndian.AppendUint32(dst, uint32(at))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(durable.Seq))
	dst = append(append(dst, durable.Epoch...), 0)
	dst = append(dst, s.sight.Value()...)
	dst = append(dst, 0)
	for scope := range both(s.scopes, st.scopes) {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(scope))
	}
	return dst, true
}

// settled reports whether the device has been told everything that it holds.
func (s *Seat) settled() bool {
	f := s.place.fill
	return !s.pins && s.place.pos == s.place.base && s.place.head == s.place.base && s.place.mid.IsZero() &&
		f == fill{after: f.batch, batch: f.batch} && s.latest <= f.after && max(s.latest, s.views.Now().Seq) <= s.place.head
}

// both are what is in both of two sorted lists; it goes by the shorter one.
func both(a, b []record.ScopeID) func(yield func(record.ScopeID) bool) {
	if len(a) > len(b) {
		a, b = b, a
	}
	return func(yield func(record.ScopeID) bool) {
		for _, scope := range a {
			if _, in := slices.BinarySearch(b, scope); in && !yield(scope) {
				return
			}
		}
	}
}

// after is where a settled device stands that has been told a page of a stretch.
func (c Cursor) after(st *Stretch) Cursor {
	c.base, c.pos, c.head, c.epoch = st.head.Seq, st.head.Seq, st.head.Seq, st.head.Epoch
	copy(c.chain[:], st.head.Chain)
	c.passed = [8]byte{}
	return c
}

// find is the page of those who are alike, if it has been made.
func (c *common) find(key []byte) (alike, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.pages[string(key)]
	return a, ok
}

// keep keeps a page that has been made for one of them.
func (c *common) keep(key, page []byte, cursor string) {
	var a alike
	if page != nil {
		at := bytes.LastIndex(page, []byte(cursor)) // nobody can have written it before it was made
		if at < 0 {
			return
		}
		a = alike{before: page[:at:at], behind: page[at+len(cursor):]}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size+len(page) <= maxCommon {
		c.size += len(page)
		c.pages[string(key)] = a
	}
}

// sightText names what a device is shown and its person sees, so that it can be
// compared. Equal texts are the same memory.
func sightText(v views.View) unique.Handle[string] {
	b := binary.AppendVarint(nil, int64(v.From))
	b = binary.AppendVarint(b, int64(len(v.Kinds)))
	if v.Kinds == nil {
		b[len(b)-1] = 0xff // all, which is not none
	}
	for _, k := range v.Kinds {
		b = binary.AppendVarint(b, int64(k))
	}
	return unique.Make(string(appendSight(b, v.Sight)))
}

func appendSight(b []byte, s views.Sight) []byte {
	for _, kind := range slices.Sorted(maps.Keys(s)) {
		b = binary.AppendVarint(b, int64(kind))
		for _, field := range s[kind] {
			b = append(append(b, field...), 0)
		}
		b = append(b, 0)
	}
	return b
}

// maxSights is how many sights are kept to be shared: there are about as many
// as sets of roles, until a schema changes.
const maxSights = 256

// sights are those that devices have which listen, each once: a sight lists the
// kinds of the schema, and that is most of what an idle socket would keep.
type sights struct {
	mu   sync.Mutex
	list map[unique.Handle[string]]views.Sight
}

// share returns views with the same sights, which others may hold too.
func (c *sights) share(l views.List) views.List {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(views.List, len(l))
	for i, v := range l {
		text := unique.Make(string(appendSight(nil, v.Sight)))
		known, ok := c.list[text]
		if !ok {
			if c.list == nil || len(c.list) >= maxSights {
				c.list = map[unique.Handle[string]]views.Sight{}
			}
			known, c.list[text] = v.Sight, v.Sight
		}
		v.Sight = known
		out[i] = v
	}
	return out
}

// latest is the last place from which on the device is to hold something.
func (p *page) latest() (at record.Seq) {
	for _, g := range p.live {
		at = max(at, g.Since)
	}
	for _, t := range p.turns() {
		for _, seq := range t.all {
			at = max(at, seq)
		}
	}
	return at
}
