package conflicts_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/version"
)

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
		p.read[w.by] = max(p.read[w.by], w.n) // his own too: it is not the same whether he has typed or read it
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
	from   json.RawMessage            // of a field with versions: what stood there by what he had read
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
		write := &conflicts.Write{Seen: seen(w), Server: !onlyAsks(w)}
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
	write.At = func(field string, _ record.Seq) (json.RawMessage, error) {
		if versioned(field) {
			return s.screen(write, field), nil
		}
		return image[field], nil
	}
	write.Stood = func(field string) (json.RawMessage, error) { return s.stood(write, field), nil }
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
	done := step{typed: w, write: write, report: report, rec: next, image: after}
	for _, v := range w.edit.Set {
		if versioned(v.Field) {
			done.from = s.stood(write, v.Field)
		}
	}
	s.steps = append(s.steps, done)
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
