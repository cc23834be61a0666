package conflicts_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/version"
)

// shop is a kind with a field of each policy, a map, and a group of two.
func shop(onDelete record.OnDelete) *record.Kind {
	s := &record.Schema{Version: "1", Kinds: []*record.Kind{{Name: "shop", No: 1, OnDelete: onDelete, Fields: []*record.Field{
		{Name: "name", Type: "text", Policy: record.LWW},
		{Name: "stage", Type: "text", Policy: record.LWWAsk},
		{Name: "tags", Type: "tags", Policy: record.Set},
		{Name: "size", Type: "choice", Policy: record.Set, Choices: []string{"S", "M"}},
		{Name: "points", Type: "number", Policy: record.Counter},
		{Name: "last", Type: "number", Policy: record.Max},
		{Name: "first", Type: "number", Policy: record.Min},
		{Name: "check_in", Type: "text", Policy: record.Once},
		{Name: "score", Type: "text", Policy: record.Server},
		{Name: "answers", Type: "map", Policy: record.LWW},
		{Name: "street", Type: "text", Policy: record.LWWAsk, Group: "place"},
		{Name: "point", Type: "text", Policy: record.LWWAsk, Group: "place"},
	}}}}
	if err := s.Check(); err != nil {
		panic(err)
	}
	return s.Kinds[0]
}

var anyShop = shop(record.Revive)

// vector is what somebody has read, writer by writer.
type vector map[record.ReplicaID]uint64

// typed is an edit as somebody typed it, whenever it arrives.
type typed struct {
	by    record.ReplicaID
	n     uint64
	clock int64      // what his clock said, right or wrong
	read  vector     // what he had read of the others
	place record.Seq // the same as a place in the log, if it arrives in the order drawn
	edit  record.Edit
}

func (w *typed) String() string {
	return fmt.Sprintf("%d:%d at %d read %v %s set%s add%s remove%s inc%s", w.by, w.n, w.clock, w.read, w.edit.Op,
		w.edit.Set.AppendJSON(nil), w.edit.Add.AppendJSON(nil), w.edit.Remove.AppendJSON(nil), w.edit.Inc.AppendJSON(nil))
}

// base is the place in the log of the record's making, which everybody has
// read. It gave no field a value.
const base record.Seq = 1

// phone is a replica in miniature. Its clock says what it likes; to make its
// stamps honest is for the server.
type phone struct {
	name   record.ReplicaID
	n      uint64
	read   vector
	place  record.Seq
	outbox []*typed
}

func (p *phone) pull(log []*typed) {
	p.read, p.place = vector{}, base+record.Seq(len(log))
	for _, w := range log {
		if w.by != p.name {
			p.read[w.by] = max(p.read[w.by], w.n)
		}
	}
}

func (p *phone) write(clock int64) *typed {
	p.n++
	w := &typed{by: p.name, n: p.n, clock: clock, read: maps.Clone(p.read), place: p.place}
	p.outbox = append(p.outbox, w)
	return w
}

func (p *phone) push(log []*typed) []*typed {
	log = append(log, p.outbox...)
	p.outbox = nil
	return log
}

// editor draws what somebody types.
type editor func(*rapid.T, *typed) record.Edit

// drawHistory lets three phones type, push and pull in any order, on clocks
// that may run backwards. The answer is in order of arrival, and no longer
// than asked.
func drawHistory(t *rapid.T, most int, edit editor) []*typed {
	phones := []*phone{{name: 1, place: base}, {name: 2, place: base}, {name: 3, place: base}}
	var log []*typed
	for range rapid.IntRange(2, most).Draw(t, "writes") {
		p := rapid.SampledFrom(phones).Draw(t, "phone")
		if rapid.Bool().Draw(t, "pulls first") {
			p.pull(log)
		}
		w := p.write(rapid.Int64Range(0, 3).Draw(t, "clock"))
		w.edit = edit(t, w)
		if w.edit.Op == record.OpCreate { // it has seen nothing but its author's own
			w.read, w.place = vector{}, 0
		}
		if rapid.Bool().Draw(t, "pushes") {
			log = p.push(log)
		}
	}
	for _, p := range phones {
		log = p.push(log)
	}
	return log
}

// ready lists what may arrive next: of each phone its next number, if all that
// its author had read is there.
func ready(history []*typed, arrived vector) []*typed {
	var next []*typed
	for _, w := range history {
		there := arrived[w.by] == w.n-1
		for r, n := range w.read {
			there = there && arrived[r] >= n
		}
		if there {
			next = append(next, w)
		}
	}
	return next
}

// drawOrder lets the same writes arrive in another order.
func drawOrder(t *rapid.T, history []*typed) []*typed {
	arrived, order := vector{}, []*typed(nil)
	for range history {
		w := rapid.SampledFrom(ready(history, arrived)).Draw(t, "arrives")
		arrived[w.by] = w.n
		order = append(order, w)
	}
	return order
}

// orders lists every order in which the writes may arrive.
func orders(history []*typed) [][]*typed {
	var all [][]*typed
	var extend func(arrived vector, order []*typed)
	extend = func(arrived vector, order []*typed) {
		if len(order) == len(history) {
			all = append(all, slices.Clone(order))
			return
		}
		for _, w := range ready(history, arrived) {
			more := maps.Clone(arrived)
			more[w.by] = w.n
			extend(more, append(order, w))
		}
	}
	extend(vector{}, nil)
	return all
}

// The two ways to say what an author had read: a place in the log, which holds
// for the order drawn, and the writers one by one, which holds for any.
func byPlace(w *typed) conflicts.Seen { return conflicts.Seen{Log: w.place} }
func byName(w *typed) conflicts.Seen  { return conflicts.Seen{Dots: w.read} }

// step is one arrival: the write with its honest stamp, what settling it came
// to, and the record after it.
type step struct {
	typed  *typed
	write  *conflicts.Write
	report conflicts.Report
	rec    *record.Record
	image  map[string]json.RawMessage // of the group, as its author had it on his screen when he had typed
}

// server is the log in miniature.
type server struct {
	rec   *record.Record
	steps []step
}

// settle lets writes arrive at a server.
func settle(t require.TestingT, arrived []*typed, seen func(*typed) conflicts.Seen) []step {
	s := &server{rec: &record.Record{Kind: anyShop, Seq: base}}
	for _, w := range arrived {
		write := &conflicts.Write{Seen: seen(w), Server: true}
		write.By = s.stamp(w, write)
		_, err := s.apply(w, write)
		require.NoError(t, err, "%v", w)
	}
	return s.steps
}

// stamp makes a time honest: above the author's last, and above the highest in
// the log of all that he had read.
func (s *server) stamp(w *typed, write *conflicts.Write) record.Writer {
	by := record.Writer{Replica: w.by, N: w.n, Stamp: version.Stamp{MS: w.clock}, Seq: base + 1 + record.Seq(len(s.steps))}
	for _, past := range s.steps {
		o := past.write.By
		if o.Replica == w.by || o.Seq <= write.Seen.Log || write.Seen.Dots[o.Replica] >= o.N {
			by.Stamp = version.Later(by.Stamp, o.Stamp.Next())
		}
	}
	return by
}

func (s *server) apply(w *typed, write *conflicts.Write) (conflicts.Report, error) {
	image := s.image(write)
	write.At = func(field string, _ record.Seq) (json.RawMessage, error) { return image[field], nil }
	next := s.rec.Clone()
	report, err := conflicts.Apply(next, &w.edit, write)
	if err != nil {
		return report, err
	}
	next.Seq = write.By.Seq
	after := maps.Clone(image)
	for _, v := range w.edit.Set {
		if sets(w, v.Field) {
			after[v.Field] = v.Raw
		}
	}
	s.rec = next
	s.steps = append(s.steps, step{w, write, report, next, after})
	return report, nil
}

// image is the group as an author had it on his screen before he typed: what
// the greatest of the writes that he knew had left there.
func (s *server) image(write *conflicts.Write) map[string]json.RawMessage {
	known := step{write: &conflicts.Write{}, image: map[string]json.RawMessage{}}
	for _, past := range s.steps {
		if moves(past.typed, "street") && write.Covers(past.write.By) && conflicts.Compare(past.write.By, known.write.By) > 0 {
			known = past
		}
	}
	return known.image
}

func last(steps []step) step { return steps[len(steps)-1] }

// settled is what everybody sees of a record: the values that are there.
func settled(r *record.Record) map[string]string {
	values := map[string]string{}
	for _, s := range r.Slots {
		if raw := r.Raw(s.Field); raw != nil {
			values[s.Field] = string(raw)
		}
	}
	return values
}

// winners are the writes that stand in the fields, without their places.
func winners(r *record.Record) map[string]record.Writer {
	by := map[string]record.Writer{}
	for _, s := range r.Slots {
		s.By.Seq = 0
		by[s.Field] = s.By
	}
	return by
}

// lost are the values of a field that were replaced or not taken, as history
// and the clashes tell.
func lost(steps []step, field string) []string {
	var values []string
	for _, s := range steps {
		values = append(values, string(s.report.Was.Get(field)))
		for _, c := range s.report.Clashes {
			if c.Field.Name == field {
				values = append(values, string(c.Lost))
			}
		}
	}
	return values
}

// law is a property of a history.
type law struct {
	name  string
	holds func(t *rapid.T, history []*typed)
}

// laws checks each law on histories of its own.
func laws(t *testing.T, edit editor, all ...law) {
	t.Helper()
	for _, l := range all {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()

			rapid.Check(t, func(t *rapid.T) { l.holds(t, drawHistory(t, 10, edit)) })
		})
	}
}

// deterministic: the same writes in the same order come to the same, to the
// last byte, and nothing that was handed in has changed.
var deterministic = law{"the same input gives the same answer", func(t *rapid.T, history []*typed) {
	before := fmt.Sprint(history)

	once, again := settle(t, history, byPlace), settle(t, history, byPlace)

	require.Equal(t, before, fmt.Sprint(history))
	for i := range once {
		require.Equal(t, once[i].rec, again[i].rec)
		require.Equal(t, once[i].report, again[i].report)
	}
}}

// placeOrName: {"log": s} and the same spelled out always get the same verdict.
var placeOrName = law{"a place in the log says the same as its writers by name", func(t *rapid.T, history []*typed) {
	place, name := settle(t, history, byPlace), settle(t, history, byName)

	for i := range place {
		require.Equal(t, place[i].write.By, name[i].write.By, "the stamp of %v", history[i])
		require.Equal(t, place[i].report, name[i].report, "the verdict on %v", history[i])
		require.Equal(t, place[i].rec, name[i].rec)
	}
}}

// anyOrder: order of arrival changes nothing of what a view shows.
func anyOrder[V any](view func(*record.Record) V) law {
	return law{"order of arrival changes nothing", func(t *rapid.T, history []*typed) {
		otherwise := drawOrder(t, history)

		one, other := settle(t, history, byPlace), settle(t, otherwise, byName)

		require.Equal(t, view(last(one).rec), view(last(other).rec), "%v\n%v", history, otherwise)
	}}
}

// repeatedAtOnce: a write that comes twice running is one.
var repeatedAtOnce = law{"what comes twice running counts once", func(t *rapid.T, history []*typed) {
	for _, s := range settle(t, history, byPlace) {
		again := s.rec.Clone()

		_, err := conflicts.Apply(again, &s.typed.edit, s.write)

		require.NoError(t, err)
		require.Equal(t, s.rec.Slots, again.Slots)
	}
}}

// repeatedEver: nor does it matter what came in between.
func repeatedEver[V any](view func(*record.Record) V) law {
	return law{"what comes again later changes nothing", func(t *rapid.T, history []*typed) {
		steps := settle(t, history, byPlace)
		for _, s := range steps {
			again := last(steps).rec.Clone()

			_, err := conflicts.Apply(again, &s.typed.edit, s.write)

			require.NoError(t, err)
			require.Equal(t, view(last(steps).rec), view(again), "%v came again", s.typed)
		}
	}}
}

// nothingLost: every value that anyone typed is there, in history, or in a
// clash.
var nothingLost = law{"nothing is lost in silence", func(t *rapid.T, history []*typed) {
	steps := settle(t, history, byPlace)

	for _, w := range history {
		for _, v := range w.edit.Set {
			if !record.IsNull(v.Raw) && settled(last(steps).rec)[v.Field] != string(v.Raw) {
				require.Contains(t, lost(steps, v.Field), string(v.Raw), "typed by %v", w)
			}
		}
	}
}}

// toldSo: whose value does not stand when it has arrived is told at once.
var toldSo = law{"whoever loses is told", func(t *rapid.T, history []*typed) {
	for _, s := range settle(t, history, byPlace) {
		for _, v := range s.typed.edit.Set {
			if record.IsNull(v.Raw) || settled(s.rec)[v.Field] == string(v.Raw) {
				continue
			}
			require.True(t, s.report.Merged)
			require.True(t, slices.ContainsFunc(s.report.Clashes, func(c conflicts.Clash) bool {
				return c.Field.Name == v.Field && string(c.Lost) == string(v.Raw) && c.LostBy == s.write.By &&
					string(c.Kept) == cmp.Or(settled(s.rec)[v.Field], "null")
			}), "%v was not told about %s: %v", s.typed, v.Field, s.report.Clashes)
		}
	}
}}

// knowing: to replace what one has read is no clash.
var knowing = law{"only strangers clash", func(t *rapid.T, history []*typed) {
	for _, s := range settle(t, history, byPlace) {
		for _, c := range s.report.Clashes {
			other := c.KeptBy
			if c.KeptBy == s.write.By {
				other = c.LostBy
			}
			require.False(t, s.write.Covers(other), "%v knew %v", s.typed, other)
		}
	}
}}

// notAgain: what somebody had read and replaced never comes back, not even
// for a moment.
func notAgain(writes func(*typed, string) bool) law {
	return law{"what its author had read is never resurrected", func(t *rapid.T, history []*typed) {
		steps := settle(t, history, byPlace)
		for i, now := range steps {
			for _, slot := range now.rec.Slots {
				for _, s := range steps[:i+1] {
					if writes(s.typed, slot.Field) && !s.write.By.Same(slot.By) {
						require.False(t, s.write.Covers(slot.By), "%s of %v stands, which %v had read", slot.Field, slot.By, s.typed)
					}
				}
			}
		}
	}}
}

// sets reports whether an edit gives a field a value or clears it. A create
// with nothing in a field says nothing about it.
func sets(w *typed, field string) bool {
	raw := w.edit.Set.Get(field)
	return raw != nil && (w.edit.Op != record.OpCreate || !record.IsNull(raw))
}

// drawOp is an edit, now and then a create of what is there already.
func drawOp(t *rapid.T) record.Op {
	return rapid.SampledFrom([]record.Op{record.OpEdit, record.OpEdit, record.OpCreate}).Draw(t, "op")
}

// drawText is one of few values, so that people agree at times, one that
// nobody else types, or nothing.
func drawText(t *rapid.T, w *typed) json.RawMessage {
	own := fmt.Sprintf(`"%d:%d"`, w.by, w.n)
	return json.RawMessage(rapid.SampledFrom([]string{own, `"red"`, `"blue"`, `null`}).Draw(t, "value"))
}

// setting draws edits that set one field.
func setting(field string, draw func(*rapid.T, *typed) json.RawMessage) editor {
	return func(t *rapid.T, w *typed) record.Edit {
		return record.Edit{Op: drawOp(t), Set: record.Values{{Field: field, Raw: draw(t, w)}}}
	}
}

func raws(elems []string) json.RawMessage {
	return json.RawMessage("[" + strings.Join(elems, ",") + "]")
}
