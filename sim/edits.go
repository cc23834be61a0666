package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	device "roadbook/clients/go"
	"roadbook/record"
)

// wish is one edit as a script says it: "edit a3 name=v17 tags+b points*2".
type wish struct {
	op    record.Op
	kind  *record.Kind
	id    record.ID
	parts []part
}

// part is one field of it: = sets, + and - add and remove elements, * counts, &
// puts a line at the end of a text.
type part struct {
	field string
	sign  byte
	raw   json.RawMessage
	rows  func(json.RawMessage) json.RawMessage // of a list: what becomes of what is on the screen
}

// origin is what all ids of a history follow from, together with its seed.
var origin = record.MustID("0190aaaa-0000-7000-8000-000000000000")

func (w *World) derive(reason string) record.ID {
	return origin.Derive(fmt.Sprintf("%d %s", w.seed, reason))
}

// idOf is the record that a name means: a person's login, a unit, "x", "q"
// or "r" and the id of a conflict, a request or a reserve, or what a script calls a record.
func (w *World) idOf(name string) record.ID {
	if noted[name[0]] {
		if id, err := record.ParseID(name[1:]); err == nil {
			return id
		}
	}
	return w.derive("record " + name)
}

// kinds are those of the records whose names begin with a letter.
var kinds = map[byte]string{
	'a': "account", 'c': "contact", 'p': "visit_plan", 't': "task", 'o': "opportunity", 'x': "conflict", 'q': "request", 'r': "reserve",
	'b': "budget", 's': "series",
	'm': "merge_redirect", 'd': "duplicate",
}

// noted are the letters of what the server makes: the id follows.
var noted = map[byte]bool{'x': true, 'q': true, 'r': true, 'm': true, 'd': true}

func (w *World) kindOf(name string) string {
	switch {
	case slices.Contains(logins, name):
		return "user"
	case slices.Contains(units, name):
		return "unit"
	}
	return kinds[name[0]]
}

// wishes reads the edits of a step.
func (w *World) wishes(args []string) ([]wish, error) {
	var out []wish
	for words := range splitSeq(args, ";") {
		if len(words) < 2 {
			return nil, fmt.Errorf("an edit is what, which record, and fields: %q", words)
		}
		name := words[1]
		e := wish{op: record.Op(words[0]), id: w.idOf(name), kind: w.schema.Kind(w.kindOf(name))}
		if e.kind == nil {
			return nil, fmt.Errorf("what kind of record is %q?", name)
		}
		if e.op == record.OpCreate && w.names[e.id] == "" {
			w.names[e.id] = name
			if w.step.No > 0 && e.kind.Scope == "" {
				w.births = append(w.births, name)
			}
		}
		for _, text := range words[2:] {
			p, err := w.part(e.kind, text)
			if err != nil {
				return nil, err
			}
			e.parts = append(e.parts, p)
		}
		out = append(out, e)
	}
	return out, nil
}

func splitSeq(args []string, sep string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		for {
			at := slices.Index(args, sep)
			if at < 0 {
				yield(args)
				return
			}
			if !yield(args[:at]) {
				return
			}
			args = args[at+1:]
		}
	}
}

func (w *World) part(kind *record.Kind, text string) (part, error) {
	at := strings.IndexAny(text, "=+-*&")
	if at < 1 {
		return part{}, fmt.Errorf("a field is name=value, name+element, name-element, name*count or name&line: %q", text)
	}
	p := part{field: text[:at], sign: text[at]}
	f := kind.Field(p.field)
	if f == nil {
		return p, fmt.Errorf("%s has no field %q", kind.Name, p.field)
	}
	value := text[at+1:]
	if isList(f) {
		p.rows = func(list json.RawMessage) json.RawMessage { return w.withRow(list, p.sign, value) }
		return p, nil
	}
	if f.Policy != record.Set {
		p.raw = w.raw(f, value)
		return p, nil
	}
	elems := []json.RawMessage{}
	for e := range strings.SplitSeq(value, ",") {
		if e != "-" { // of nothing
			elems = append(elems, w.raw(f, e))
		}
	}
	p.raw = encode(elems)
	return p, nil
}

// raw is a value in JSON, by the field's type.
func (w *World) raw(f *record.Field, text string) json.RawMessage {
	switch f.Type {
	case "user", "reference":
		if text != "-" {
			return encode(w.idOf(text))
		}
	case "number":
		return json.RawMessage(text)
	case "place":
		return json.RawMessage(fmt.Sprintf(`{"lat":30.%s1,"lng":120.5,"crs":"wgs84"}`, text))
	case "bool":
		return json.RawMessage(text)
	}
	if text == "-" {
		return json.RawMessage("null")
	}
	return encode(text)
}

func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts, ids and lists of them
	}
	return b
}

// draft does to a device's draft what the wish says.
func (e *wish) draft(dr *device.Draft, shown device.View) {
	for _, p := range e.parts {
		if p.rows != nil {
			dr.Set(p.field, p.rows(dr.View().Raw(p.field)))
			continue
		}
		switch p.sign {
		case '=':
			dr.Set(p.field, p.raw)
		case '+', '-':
			var elems []any
			for _, raw := range elements(p.raw) {
				elems = append(elems, raw)
			}
			if p.sign == '+' {
				dr.Add(p.field, elems...)
			} else {
				dr.Remove(p.field, elems...)
			}
		case '&':
			dr.Set(p.field, encode(strings.TrimPrefix(shown.Text(p.field)+"\n", "\n")+text(p.raw)))
		case '*':
			dr.Inc(p.field, number(p.raw))
		}
	}
}

// typed has a device type the wish.
func (e *wish) typed(t *device.Typing) {
	switch e.op {
	case record.OpCreate:
		values := device.Values{}
		for _, p := range e.parts {
			values[p.field] = p.raw
		}
		t.CreateAs(e.kind.Name, e.id, values)
	case record.OpEdit:
		shown, _ := t.Get(e.id)
		t.Edit(e.kind.Name, e.id, func(dr *device.Draft) { e.draft(dr, shown) })
	case record.OpDelete:
		t.Delete(e.kind.Name, e.id)
	case record.OpRestore:
		t.Restore(e.kind.Name, e.id)
	}
}

// edit is the wish as the server itself would write it.
func (e *wish) edit() record.Edit {
	out := record.Edit{Op: e.op, Kind: e.kind.Name, ID: e.id}
	for _, p := range e.parts {
		v := record.Value{Field: p.field, Raw: p.raw}
		switch p.sign {
		case '=':
			out.Set = append(out.Set, v)
		case '+':
			out.Add = append(out.Add, v)
		case '-':
			out.Remove = append(out.Remove, v)
		case '*':
			out.Inc = append(out.Inc, v)
		}
	}
	return out
}

func elements(raw json.RawMessage) (out []json.RawMessage) {
	_ = json.Unmarshal(raw, &out) // what is no list has no elements
	return out
}

func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s) // what is no text says nothing
	return s
}

func number(raw json.RawMessage) (n int64) {
	_ = json.Unmarshal(raw, &n) // what is no number counts nothing
	return n
}
