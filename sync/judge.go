package sync

import (
	"strconv"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync/wire"
	"roadbook/version"
)

// judge settles one job. An error ends the transaction; what only this job has
// done wrong is the job's.
func (w *work) judge(j *job) error {
	j.outcomes, j.err = nil, nil // a transaction may be run again
	if len(j.muts) > 0 {
		j.outcomes = make([]record.Outcome, 0, len(j.muts))
	}
	defer func() { j.head = w.head }()
	if j.schema != nil {
		return w.setSchema(j.schema)
	}
	if j.run != nil {
		return j.run(w)
	}
	if j.replica == 0 {
		return w.judgeOwn(j)
	}
	writer := w.writers[j.replica]
	if writer == nil {
		if err := w.readmit(j); err != nil {
			return err
		}
		writer = w.writers[j.replica]
	}
	if writer == nil || writer.Person != j.who.Person || writer.Device != j.who.Device || writer.Online != j.online {
		j.err = wire.NotYours(w.head.Epoch)
		return nil
	}
	if j.online {
		return w.judgeOnline(j, writer)
	}
	if err := w.checkPast(j); err != nil || j.err != nil {
		return err
	}
	known, err := w.judgeName(j, writer)
	if err != nil || j.err != nil {
		return err
	}
	for i := range known {
		out, err := w.repeat(&known[i], j.who.Person)
		if err != nil {
			return err
		}
		if isRewritten(&known[i], &j.muts[i]) {
			out = record.Outcome{N: out.N, ID: out.ID, Result: record.Refused, Seq: out.Seq, Repeated: true, Refusal: record.RefusalOf(rewritten())}
		}
		j.outcomes = append(j.outcomes, out)
	}
	for i := len(known); i < len(j.muts); i++ {
		out, err := w.settle(writer, &j.muts[i], j.who.Person)
		if err != nil {
			return err
		}
		j.outcomes = append(j.outcomes, out)
	}
	j.nextN = writer.N + 1
	return nil
}

// judgeOwn settles what the server writes itself, on its own replica.
func (w *work) judgeOwn(j *job) error {
	writer := w.writers[w.head.Server]
	if writer == nil {
		return errs.New("sync.Commit", errs.Internal, "the org has no replica of the server's own")
	}
	for i := range j.muts {
		m := &j.muts[i]
		m.N = writer.N + 1
		if first := w.entries[m.ID]; first != nil && first.Replica == writer.ID && first.Hash == m.Hash {
			out, err := w.repeat(first, j.persons[i])
			if err != nil {
				return err
			}
			j.outcomes = append(j.outcomes, out)
			continue
		}
		out, err := w.settle(writer, m, j.persons[i])
		if err != nil {
			return err
		}
		j.outcomes = append(j.outcomes, out)
	}
	return nil
}

// judgeName compares the names of a push with those judged before: what was
// judged is returned to be answered again, a hole or a fork ends the job. A
// hole is judged before prev, because a server that lost mutations knows no
// predecessor.
func (w *work) judgeName(j *job, writer *store.Writer) ([]store.Entry, error) {
	if len(j.muts) == 0 {
		return nil, nil
	}
	first := j.muts[0].N
	if first > writer.N+1 {
		j.err = hole(writer)
		return nil, nil
	}
	if first == writer.N+1 && j.prev == writer.LastID.String() {
		return nil, nil // what nearly every push is
	}
	from, to := max(first, 2)-1, first+uint64(len(j.muts))-1
	known, err := w.tx.EntriesByDot(w.ctx, writer.ID, from, to)
	if err != nil {
		return nil, err
	}
	known = w.withThisGather(writer, known, from, to)
	prev := ""
	if first > 1 && len(known) > 0 {
		prev, known = known[0].ID.String(), known[1:]
	}
	if prev != j.prev {
		return nil, w.forkFrom(j, writer, max(first, 2)-1, nil) // the one before is not this phone's
	}
	for i := range known {
		if known[i].ID != j.muts[i].ID {
			return nil, w.forkFrom(j, writer, known[i].N, known[:i])
		}
	}
	return known, nil
}

// withThisGather adds what earlier jobs of the same transaction settled.
func (w *work) withThisGather(writer *store.Writer, known []store.Entry, from, to uint64) []store.Entry {
	for _, e := range w.log {
		if e.Replica == writer.ID && e.N >= from && e.N <= to {
			known = append(known, e)
		}
	}
	return known
}

// forkFrom answers that another phone writes under this name: here is a fresh
// one, from the first number that differs on.
func (w *work) forkFrom(j *job, writer *store.Writer, from uint64, matching []store.Entry) error {
	outcomes := []record.Outcome{}
	for i := range matching {
		out, err := w.repeat(&matching[i], j.who.Person)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, out)
	}
	fresh := store.Writer{
		ID: record.ReplicaID(w.e.Draw()), Device: writer.Device, Person: writer.Person,
		Parent: writer.ID, Fork: from - 1, Stamp: writer.Stamp,
	}
	w.forks = append(w.forks, fresh)
	oldest := max(writer.N, keepIDs) - keepIDs + 1
	last, err := w.tx.EntriesByDot(w.ctx, writer.ID, oldest, writer.N)
	if err != nil {
		return err
	}
	ids := make(map[string]string, len(last))
	for _, e := range w.withThisGather(writer, last, oldest, writer.N) {
		ids[strconv.FormatUint(e.N, 10)] = e.ID.String()
	}
	j.err = fork(from, store.ReplicaName(fresh.ID), wire.Problem{Outcomes: outcomes, IDs: ids, Epoch: w.head.Epoch})
	return nil
}

// setSchema puts a schema into force, as one row of the log.
func (w *work) setSchema(s *record.Schema) error {
	writer := w.writers[w.head.Server]
	body, err := s.Stored()
	if err != nil {
		return err
	}
	seq := w.next()
	w.reindex = append(w.reindex, otherLookups(w.schema, s)...)
	w.publish, w.schema, w.head.Schema = s, s, seq
	w.mem = newMemory(0) // what is there knows the old one
	for _, loaded := range []map[record.ID]*record.Record{w.was, w.records} {
		for _, rec := range loaded {
			if rec != nil && s.KindNo(rec.Kind.No) != nil {
				rec.Kind = s.KindNo(rec.Kind.No)
			}
		}
	}
	w.append(writer, &record.Mutation{N: writer.N + 1, ID: w.rowID(writer)}, store.Entry{
		Seq: seq, Stamp: writer.Stamp, Result: record.Applied, Body: append([]byte(`[{"op":"schema","set":`), append(body, "}]"...)...),
	})
	return nil
}

func (w *work) next() record.Seq {
	w.head.Seq++
	return w.head.Seq
}

// rowID names a log row that no device has made.
func (w *work) rowID(writer *store.Writer) record.ID {
	return record.ID{}.Derive(strconv.Itoa(int(w.tx.Org)) + " " + strconv.Itoa(int(writer.ID)) + " " + strconv.FormatUint(writer.N+1, 10))
}

// append adds a row to the log and advances its writer.
func (w *work) append(writer *store.Writer, m *record.Mutation, e store.Entry) {
	w.head.High = version.Later(w.head.High, e.Stamp)
	e.N, e.ID, e.Hash = m.N, m.ID, m.Hash
	e.Replica, e.High, e.Arrived = writer.ID, w.head.High, w.now
	w.log = append(w.log, e)
	if e.Twin != 0 {
		e.ID = w.log[len(w.log)-1].ID
	} else {
		w.entries[e.ID] = &w.log[len(w.log)-1]
	}
	writer.N, writer.LastID, writer.Stamp = e.N, e.ID, version.Later(writer.Stamp, e.Stamp)
	w.pushed = append(w.pushed, writer.ID)
}
