// Package history is what the log keeps of a mutation: what was typed, what
// stood there before, and the verdict. A commit writes it; whoever asks later
// what became of something, or what somebody had before him, reads it back.
package history

import (
	"encoding/json"
	"strconv"

	"roadbook/record"
)

// Edit is one edit as the log keeps it: what was typed, what stood there
// before, and the record's seq before, by which its history is walked.
type Edit struct {
	Edit   *record.Edit
	P      record.Seq
	Was    record.Values
	Server bool // the engine did this, nobody typed it
	Buried bool // it met a delete that wins

	// Received is what the server's clock said to a record that is new. It is in the
	// row so that logs of two lives that are the same to the last byte have made the
	// same records.
	Received json.RawMessage
}

func (b *Edit) append(out []byte) []byte {
	e := b.Edit
	out = append(out, `{"op":"`...)
	out = append(out, e.Op...)
	out = append(out, `","kind":`...)
	out = record.AppendString(out, e.Kind)
	out = append(out, `,"id":"`...)
	out = record.AppendID(out, e.ID)
	out = append(out, '"')
	if b.P != 0 {
		out = append(out, `,"p":"`...)
		out = strconv.AppendInt(out, int64(b.P), 10)
		out = append(out, '"')
	}
	for _, part := range []struct {
		name   string
		values record.Values
	}{{"set", e.Set}, {"add", e.Add}, {"remove", e.Remove}, {"inc", e.Inc}, {"was", b.Was}} {
		if len(part.values) > 0 {
			out = append(out, `,"`+part.name+`":`...)
			out = part.values.AppendJSON(out)
		}
	}
	if b.Server {
		out = append(out, `,"by":"server"`...)
	}
	if b.Buried {
		out = append(out, `,"buried":true`...)
	}
	if b.Received != nil {
		out = append(out, `,"received":`...)
		out = append(out, b.Received...)
	}
	return append(out, '}')
}

// size is about how long its text is.
func (b *Edit) size() int {
	n := 160
	for _, values := range []record.Values{b.Edit.Set, b.Edit.Add, b.Edit.Remove, b.Edit.Inc, b.Was} {
		for _, v := range values {
			n += len(v.Field) + len(v.Raw) + 4
		}
	}
	return n
}

// Text is the edits of a mutation as a row of the log has them.
func Text(edits []Edit) []byte {
	size := 2
	for i := range edits {
		size += edits[i].size()
	}
	out := append(make([]byte, 0, size), '[')
	for i := range edits {
		if i > 0 {
			out = append(out, ',')
		}
		out = edits[i].append(out)
	}
	return append(out, ']')
}
