package demo

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"roadbook/record"
	"roadbook/version"
)

// work is an item and when it is done, counted from midnight.
type work struct {
	Item
	at time.Duration
}

// create is the work of making a record.
func (o *Org) create(person record.ID, kind string, id record.ID, at time.Duration, f *form) work {
	return o.edit(record.OpCreate, person, kind, id, at, f)
}

func (o *Org) edit(op record.Op, person record.ID, kind string, id record.ID, at time.Duration, f *form) work {
	return work{at: at, Item: Item{Person: person, Mutation: record.Mutation{
		ID:    mutationID(id, at, op),
		Stamp: version.StampAt(o.Midnight.Add(at)),
		Edits: []record.Edit{{Op: op, Kind: kind, ID: id, Set: f.set}},
	}}}
}

// form collects the values of a record in their canonical form. What is empty
// is left out.
type form struct {
	o   *Org
	set record.Values
}

func (o *Org) form(fields int) *form {
	return &form{o: o, set: make(record.Values, 0, fields)}
}

// made says whose the record is and since when.
func (f *form) made(owner record.ID, at time.Duration) *form {
	return f.id("owner", owner).time("created_at", at)
}

func (f *form) raw(name string, value []byte) *form {
	f.set = append(f.set, record.Value{Field: name, Raw: value})
	return f
}

func (f *form) text(name, value string) *form {
	if value == "" {
		return f
	}
	return f.raw(name, quote(value))
}

func (f *form) id(name string, id record.ID) *form { return f.text(name, id.String()) }

func (f *form) number(name string, n int) *form {
	return f.raw(name, strconv.AppendInt(nil, int64(n), 10))
}

func (f *form) yes(name string, is bool) { f.raw(name, strconv.AppendBool(nil, is)) }

func (f *form) time(name string, at time.Duration) *form { return f.raw(name, f.o.instant(at)) }

// date is the day on which something falls, by the calendar of the org.
func (f *form) date(name string, day int) *form {
	return f.text(name, f.o.Midnight.AddDate(0, 0, day).Format(time.DateOnly))
}

// list is the value of a set, sorted and each element once.
func (f *form) list(name string, elements ...string) *form {
	if len(elements) == 0 {
		return f
	}
	b := []byte{'['}
	for i, e := range slices.Compact(slices.Sorted(slices.Values(elements))) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, quote(e)...)
	}
	return f.raw(name, append(b, ']'))
}

// instant is a time as a JSON string; the demo counts in whole seconds.
func (o *Org) instant(at time.Duration) json.RawMessage {
	return o.Midnight.Add(at).UTC().AppendFormat(make([]byte, 0, 22), `"2006-01-02T15:04:05Z"`)
}

// amount is so many fen as money.
func amount(fen int) json.RawMessage {
	b := append(make([]byte, 0, 48), `{"amount":"`...)
	b = strconv.AppendInt(b, int64(fen/100), 10)
	b = append(b, '.', byte('0'+fen/10%10), byte('0'+fen%10))
	return append(b, `","currency":"CNY"}`...)
}

// quote writes a JSON string in canonical form, as record/field has it. The
// words of the demo need no escapes but that of a line break.
func quote(s string) []byte {
	s = strings.ReplaceAll(s, "\n", `\n`)
	b := append(make([]byte, 0, len(s)+2), '"')
	return append(append(b, s...), '"')
}
