package pages

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"unique"

	"roadbook/access"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/history"
	"roadbook/sync/views"
	"roadbook/sync/wire"
	"roadbook/version"
)

// Limits of what is read once for all who listen. More than that is not news
// but an import, and is pulled.
const (
	maxStretch     = 500   // rows of the log
	maxStretchRows = 5_000 // rows of the index
)

// Seat is a device that is up to date and listens: where it stands, and what
// it holds. It does not change; what is told makes another.
type Seat struct {
	*sitter
	place  Cursor
	cursor string
	upto   record.Seq // nothing between its place and here was for it
}

// sitter is what of a seat stays as it is.
type sitter struct {
	who     access.Caller
	replica version.Replica
	id      record.ReplicaID
	person  store.Person
	grants  []store.Grant
	scopes  []record.ScopeID // of the grants, sorted
	views   views.List
	sight   unique.Handle[string]
	latest  record.Seq // since when it is to hold all of this
	pins    bool
}

// Cursor is where the device stands.
func (s *Seat) Cursor() string { return s.cursor }

// Upto is how far the device has been told everything that is for it.
func (s *Seat) Upto() record.Seq { return s.upto }

// Scopes are those that the device holds, sorted. They are not to be changed.
func (s *Seat) Scopes() []record.ScopeID { return s.scopes }

// Sit is a pull of a device that goes on to listen. There is no seat for one
// that has more to pull.
func (m *Maker) Sit(ctx context.Context, who access.Caller, r *wire.PullRequest) ([]byte, *Seat, error) {
	p, out, err := m.pull(ctx, who, r)
	if err != nil || !p.done {
		return out, nil, err
	}
	s := &Seat{sitter: p.sitter(r.Replica), place: p.next, cursor: m.writeCursor(who, p.next), upto: p.head.Seq}
	if wire.Quiet(out) { // it need not be sent, so the device stays where it is
		s.place, s.cursor = p.old, r.Cursor
	}
	return out, s, nil
}

// sitter is what a page has found out of the device.
func (p *page) sitter(replica version.Replica) *sitter {
	s := &sitter{
		who: p.who, replica: replica, id: p.replica,
		person: store.Person{ID: p.who.Person, Roles: p.actor.Roles, Active: p.actor.Active},
		grants: slices.AppendSeq(make([]store.Grant, 0, len(p.live)), maps.Values(p.live)), views: p.m.sights.share(p.views),
		scopes: slices.Sorted(maps.Keys(p.live)),
	}
	for i := range s.grants {
		g := &s.grants[i]
		g.Name = unique.Make(g.Name).Value() // many hold the same
		s.pins = s.pins || g.Holder == p.who.Device
	}
	s.sight, s.latest = sightText(p.views.Now()), p.latest()
	return s
}

// Stretch is a piece of the log of an org with everything that it says to
// anybody: read once, told to many.
type Stretch struct {
	From record.Seq
	head store.Head

	index   map[record.ScopeID][]store.IndexRow
	records map[record.ID]store.Row
	entries map[record.ReplicaID][]store.Entry
	settled map[record.ReplicaID]bool // something that was parked has been settled
	shown   map[record.ID]bool        // devices that are shown something else than before
	rights  bool                      // somebody's rights have changed, or the schema
	common
}

// Head is where the stretch ends.
func (st *Stretch) Head() record.Seq { return st.head.Seq }

// Stretch reads what has happened in some scopes since a place in the log. It
// is nil if that is more than should be told unasked.
func (m *Maker) Stretch(ctx context.Context, org record.OrgID, from record.Seq, scopes []record.ScopeID) (*Stretch, error) {
	st := &Stretch{
		From: from, index: map[record.ScopeID][]store.IndexRow{}, records: map[record.ID]store.Row{},
		entries: map[record.ReplicaID][]store.Entry{}, settled: map[record.ReplicaID]bool{}, shown: map[record.ID]bool{},
	}
	err := m.Store.Snapshot(ctx, org, func(tx store.Tx, head store.Head) error {
		st.head = head
		st.rights = head.Granted > from || head.Schema > from
		if head.Seq-from > maxStretch || head.Seq <= from {
			st = nil
			return nil
		}
		if _, err := m.Schemas.At(ctx, org, tx, head.Schema); err != nil { // so that it is known
			return err
		}
		rows, err := tx.IndexSince(ctx, scopes, from, head.Seq, maxStretchRows)
		if err != nil {
			return err
		}
		if len(rows) == maxStretchRows {
			st = nil
			return nil
		}
		return st.read(ctx, tx, rows)
	})
	return st, err
}

// read fetches what the rows of the index speak of, and the log itself.
func (st *Stretch) read(ctx context.Context, tx store.Tx, rows []store.IndexRow) error {
	var ids []record.ID
	for _, r := range rows {
		st.index[r.Scope] = append(st.index[r.Scope], r)
		ids = append(ids, r.Rec)
	}
	slices.SortFunc(ids, func(a, b record.ID) int { return bytes.Compare(a[:], b[:]) })
	recs, err := tx.Records(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	for _, r := range recs {
		st.records[r.ID] = r
	}
	entries, err := tx.EntriesBetween(ctx, st.From, st.head.Seq)
	if err != nil {
		return err
	}
	for _, e := range entries {
		st.entries[e.Replica] = append(st.entries[e.Replica], e)
		if e.Replica == st.head.Server {
			st.look(e.Body)
			if as := history.Typed(&e); as.Replica != e.Replica {
				st.settled[as.Replica] = true
			}
		}
	}
	return st.survey()
}

// look finds the device that a row of the log shows something else.
func (st *Stretch) look(body []byte) {
	const before = `[{"op":"view","id":"`
	if id, err := record.ParseID(string(body[min(len(body), len(before)):min(len(body), len(before)+36)])); err == nil &&
		bytes.HasPrefix(body, []byte(before)) {
		st.shown[id] = true
	}
}

// Tell appends the frame with the page that a pull from where a device stands
// would answer, and says where it stands then. Nothing is appended if there is
// nothing for the device. ok is false if what was read for all is not enough
// for this one.
func (m *Maker) Tell(ctx context.Context, dst []byte, s *Seat, st *Stretch, most int) (frame []byte, next *Seat, ok bool) {
	if st.rights || st.shown[s.who.Device] || st.settled[s.id] || s.place.epoch != st.head.Epoch || s.upto < st.From {
		return dst, nil, false
	}
	next = &Seat{sitter: s.sitter, place: s.place, cursor: s.cursor, upto: st.head.Seq}
	if !s.concerned(st) {
		return dst, next, true
	}
	var room [160]byte
	durable := m.Durable(s.who.Org, st.head)
	key, like := s.key(room[:0], st, durable)
	if like {
		if a, made := st.find(key); made {
			return m.tellAlike(dst, a, next, s, st), next, true
		}
	}
	p, err := m.openPage(ctx, told{s, st}, st.head, s.who, &wire.PullRequest{
		Replica: s.replica, Cursor: s.cursor, MaxBytes: most,
	})
	if err != nil {
		return dst, nil, false
	}
	if err := p.compose(); err != nil {
		return dst, nil, false
	}
	page, err := p.text()
	if err != nil || !p.done || len(page) > most {
		return dst, nil, false
	}
	like = like && p.next == s.place.after(st) && p.answer.Durable == durable
	if wire.Quiet(page) {
		if like {
			st.keep(key, nil, "")
		}
		return dst, next, true
	}
	next.place, next.cursor = p.next, m.writeCursor(s.who, p.next)
	if like {
		st.keep(key, page, next.cursor)
	}
	return wire.AppendChanges(dst, s.cursor, page), next, true
}

// tellAlike tells a device what was made for another that is like it.
func (m *Maker) tellAlike(dst []byte, a alike, next, s *Seat, st *Stretch) []byte {
	if a.before == nil {
		return dst
	}
	next.place = s.place.after(st)
	next.cursor = m.writeCursor(s.who, next.place)
	dst = append(wire.AppendChanges(dst, s.cursor, a.before), next.cursor...)
	return append(dst, a.behind...)
}

// concerned reports whether a stretch may have something for the device.
func (s *Seat) concerned(st *Stretch) bool {
	if len(st.entries[s.id]) > 0 {
		return true
	}
	for scope := range both(s.scopes, st.scopes) {
		if len(st.index[scope]) > 0 {
			return true
		}
	}
	return false
}

// errAsk says that something must be asked of the database after all.
var errAsk = errors.New("this was not read for all")

// told is where a page finds what was read once for all, and what is known of
// the device.
type told struct {
	*Seat
	*Stretch
}

func (t told) IndexSince(_ context.Context, scopes []record.ScopeID, pos, _ record.Seq, _ int) ([]store.IndexRow, error) {
	var rows []store.IndexRow
	for _, scope := range scopes {
		for _, r := range t.index[scope] {
			if r.Seq > pos {
				rows = append(rows, r)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b store.IndexRow) int {
		if a.Seq != b.Seq {
			return int(a.Seq - b.Seq)
		}
		return bytes.Compare(a.Rec[:], b.Rec[:])
	})
	return rows, nil
}

func (t told) Records(_ context.Context, ids []record.ID) ([]store.Row, error) {
	rows := make([]store.Row, 0, len(ids))
	for _, id := range ids {
		r, known := t.records[id]
		if !known {
			return nil, errAsk
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (t told) EntriesSince(context.Context, record.ReplicaID, record.Seq) ([]store.Entry, error) {
	return slices.Clone(t.entries[t.id]), nil
}

func (t told) Chain(context.Context, record.Seq) ([]byte, error) { return nil, errAsk }

func (t told) Standing(_ context.Context, a store.Asking) (store.Standing, error) {
	if a.At != t.place.Proven() {
		return store.Standing{}, errAsk
	}
	return store.Standing{
		Writers: []store.Writer{{ID: t.id, Device: t.who.Device, Person: t.who.Person}},
		People:  []store.Person{t.person}, Grants: t.grants, Views: t.views, Chain: t.place.chain[:],
	}, nil
}

func (t told) SettledSince(context.Context, record.ReplicaID, record.Seq) ([]store.Told, error) {
	return nil, nil // Tell has looked
}

func (t told) WritersOf(context.Context, record.ID) ([]store.Writer, error) { return nil, errAsk }

func (t told) Epochs(context.Context) ([]store.Epoch, error) { return nil, errAsk }

func (t told) Schema(context.Context, record.Seq) (*record.Schema, error) { return nil, errAsk }

func (t told) PinsOf(context.Context, record.ID) ([]store.Pin, error) { return nil, errAsk }

func (t told) Entry(context.Context, record.Seq) (store.Entry, error) { return store.Entry{}, errAsk }

func (t told) Fill(context.Context, []store.Place, int, func(int, *store.Row) (bool, error)) (int, error) {
	return 0, errAsk
}

func (t told) HeldIn(context.Context, record.ScopeID, []uint8) ([]store.Held, error) {
	return nil, errAsk
}

func (t told) Held(context.Context, []record.ScopeID) (map[record.ScopeID][]store.Held, error) {
	return nil, errAsk
}
