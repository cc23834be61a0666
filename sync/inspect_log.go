package sync

import (
	"bytes"
	"fmt"
	"strings"

	"roadbook/record"
	"roadbook/store"
	"roadbook/version"
)

// head compares the row that orders the org with what it sums up.
func (i *inspection) head() error {
	var found []Finding
	lost := false
	err := i.e.Store.Snapshot(i.ctx, i.org, func(tx store.Tx, head store.Head) error {
		found = nil
		f, err := tx.Follows(i.ctx)
		if err != nil {
			return err
		}
		behind, err := tx.ReplicasBehind(i.ctx)
		if err != nil {
			return err
		}
		lost = head.Seq > f.Seq
		found = headFaults(head, f)
		for _, b := range behind {
			dot := version.Dot{Replica: store.ReplicaName(b.Replica), N: b.N}
			found = append(found, wrongHead(fmt.Sprintf("the log has %s, and the next would be judged as number %d", dot, b.Known+1)))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if i.mend && (len(found) > 0) {
		if _, err := i.e.Store.MendHead(i.ctx, i.org); err != nil {
			return err
		}
	}
	for _, f := range found {
		f.Mended = i.mend
		i.tell(f)
	}
	if lost {
		i.say(WrongLog, "the log ends before its head: rows at its end are lost; restore a backup")
	}
	return nil
}

func headFaults(head store.Head, f store.Follows) (found []Finding) {
	switch {
	case head.Seq < f.Seq:
		found = append(found, wrongHead("the head is at "+head.Seq.String()+", and the log goes to "+f.Seq.String()))
	case head.Seq == f.Seq && !bytes.Equal(head.Chain, f.Chain):
		found = append(found, wrongHead("the head has another hash than the log's last row"))
	case head.Seq == f.Seq && head.High != f.High:
		found = append(found, wrongHead("the head has another highest stamp than the log's last row"))
	}
	if head.Granted < f.Granted {
		found = append(found, wrongHead("grants changed at "+f.Granted.String()+", and the head says "+head.Granted.String()))
	}
	if head.Schema != f.Schema {
		found = append(found, wrongHead("the schema is that of "+f.Schema.String()+", and the head says "+head.Schema.String()))
	}
	if f.Epoch != "" && head.Epoch != f.Epoch {
		found = append(found, wrongHead("the epoch is "+f.Epoch+", and the head says "+head.Epoch))
	}
	if head.Parked != f.Parked {
		found = append(found, wrongHead("the head counts other mutations that are parked than there are"))
	}
	return found
}

func wrongHead(text string) Finding { return Finding{What: WrongHead, Text: text} }

// log follows the log from its first row: that no row is missing but where an
// epoch began, that each is as it was written, and that the highest stamp so far
// is. After a fault it goes on from what the row says, so that one is told once.
func (i *inspection) log() error {
	at := linked{chain: make([]byte, 32)}
	for more := true; more; {
		var n int
		var lost []store.Orphan
		begin := at
		err := i.e.Store.Snapshot(i.ctx, i.org, func(tx store.Tx, head store.Head) error {
			at = begin
			rows, err := tx.EntriesAfter(i.ctx, at.seq, i.atOnce)
			if n = len(rows); err != nil {
				return err
			}
			epochs, err := tx.Epochs(i.ctx)
			if err != nil {
				return err
			}
			for k := range rows {
				at = i.link(at, &rows[k], epochs)
			}
			lost, err = i.lostCreates(tx, head, rows)
			return err
		})
		if err != nil {
			return err
		}
		i.done.Rows += n
		i.lost = append(i.lost, lost...)
		more = n == i.atOnce
	}
	return nil
}

type linked struct {
	seq   record.Seq
	high  version.Stamp
	chain []byte
}

func (i *inspection) link(at linked, e *store.Linked, epochs []store.Epoch) linked {
	if e.Seq != at.seq+1 && !begins(at.seq, e.Seq, epochs) {
		i.say(WrongLog, "behind row %d comes row %d, and no epoch begins there: rows are lost", at.seq, e.Seq)
	}
	if !bytes.Equal(e.Link(at.chain), e.Chain) {
		i.say(WrongLog, "row %d is not what was written, or not what was before it", e.Seq)
	}
	if e.High != version.Later(at.high, e.Stamp) {
		i.say(WrongLog, "row %d has another highest stamp than the rows up to it", e.Seq)
	}
	if strings.HasPrefix(string(e.Body), `[{"op":"epoch"`) != begins(at.seq, e.Seq, epochs) {
		i.say(WrongLog, "row %d and the list of epochs do not agree on whether one begins there", e.Seq)
	}
	return linked{e.Seq, e.High, e.Chain}
}

// begins reports whether an epoch begins with a row behind the end of the last.
func begins(end, seq record.Seq, epochs []store.Epoch) bool {
	for _, e := range epochs {
		if e.Began == seq && e.From == end {
			return true
		}
	}
	return false
}
