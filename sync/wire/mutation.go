package wire

import (
	"errors"
	"slices"
	"strconv"

	"roadbook/record"
	"roadbook/version"
)

// content reads what a mutation says. Its text has been checked.
func (r *pushReader) content(m *record.Mutation, members record.Values) flaw {
	bad := flaw{code: codeStamp, at: "stamp"} // until there is one
	var edits []byte
	for _, v := range members {
		if record.IsNull(v.Raw) {
			continue
		}
		code := ""
		switch v.Field {
		case "stamp":
			m.Stamp, code = r.stamp(v.Raw)
			bad = flaw{}
		case "schema":
			m.Schema, code = r.name(v.Raw)
		case "after":
			code = r.after(m, v.Raw)
		case "again":
			code = r.again(m, v.Raw)
		case "edits":
			edits = v.Raw
		}
		if code != "" {
			return flaw{code: code, at: v.Field}
		}
	}
	if bad.code != "" {
		return bad
	}
	return r.edits(m, edits)
}

func (r *pushReader) edits(m *record.Mutation, raw []byte) flaw {
	if raw == nil {
		return flaw{code: codeEmpty, at: "edits"}
	}
	list, err := record.AppendList(r.list[:0], raw, record.MaxEdits)
	switch {
	case errors.Is(err, record.ErrTooMany):
		return flaw{code: codeEdits, at: "edits"}
	case err != nil:
		return flaw{code: codeMember, at: "edits"}
	case len(list) == 0:
		return flaw{code: codeEmpty, at: "edits"}
	}
	r.list = list
	m.Edits = make([]record.Edit, len(list))
	for i, one := range list {
		if bad := r.edit(&m.Edits[i], one); bad.code != "" {
			bad.at = "edits[" + strconv.Itoa(i) + "]" + bad.at
			return bad
		}
	}
	return flaw{}
}

func (r *pushReader) edit(e *record.Edit, raw []byte) flaw {
	members, err := r.names.AppendValues(r.inner[:0], raw)
	if err != nil {
		return flaw{code: cutCode(err)}
	}
	r.inner = members
	for _, v := range members {
		if record.IsNull(v.Raw) {
			continue
		}
		if code := r.editMember(e, v); code != "" {
			return flaw{code: code, at: "." + v.Field}
		}
	}
	switch {
	case !slices.Contains(ops, e.Op):
		return flaw{code: codeOp, at: ".op"}
	case e.Kind == "":
		return flaw{code: codeMember, at: ".kind"}
	case e.ID.IsZero():
		return flaw{code: codeID, at: ".id"}
	}
	if e.Op == record.OpDelete || e.Op == record.OpRestore {
		return bare(e)
	}
	return flaw{}
}

var ops = []record.Op{record.OpCreate, record.OpEdit, record.OpDelete, record.OpRestore}

// bare makes sure that e has no values. A delete and a restore are of a whole
// record; values with them would be lost in silence.
func bare(e *record.Edit) flaw {
	switch {
	case len(e.Set) > 0:
		return flaw{code: codeMember, at: ".set"}
	case len(e.Add) > 0:
		return flaw{code: codeMember, at: ".add"}
	case len(e.Remove) > 0:
		return flaw{code: codeMember, at: ".remove"}
	case len(e.Inc) > 0:
		return flaw{code: codeMember, at: ".inc"}
	case len(e.Base) > 0:
		return flaw{code: codeMember, at: ".base"}
	}
	return flaw{}
}

func (r *pushReader) editMember(e *record.Edit, v record.Value) (code string) {
	switch v.Field {
	case "op":
		var op string
		op, code = r.name(v.Raw)
		e.Op = record.Op(op)
	case "kind":
		e.Kind, code = r.name(v.Raw)
	case "id":
		var ok bool
		if e.ID, ok = record.RawID(v.Raw); !ok {
			return codeID
		}
	case "seen":
		e.Seen, code = r.vector(v.Raw)
	case "set":
		e.Set, code = r.values(v.Raw)
	case "add":
		e.Add, code = r.values(v.Raw)
	case "remove":
		e.Remove, code = r.values(v.Raw)
	case "inc":
		e.Inc, code = r.values(v.Raw)
	case "base":
		e.Base, code = r.values(v.Raw)
	}
	return code
}

// name reads short text of the mutation.
func (r *pushReader) name(raw []byte) (s, code string) {
	s, ok := shortText(&r.names, raw, MaxName)
	if !ok {
		return "", codeMember
	}
	return s, ""
}

// slabValues is how many values are allocated at a time.
const slabValues = 256

// values cuts an object of values out of the slab that all edits share.
func (r *pushReader) values(raw []byte) (record.Values, string) {
	if cap(r.slab)-len(r.slab) < slabValues/8 {
		r.slab = make(record.Values, 0, slabValues)
	}
	start := len(r.slab)
	all, err := r.names.AppendValues(r.slab, raw)
	if err != nil {
		return nil, cutCode(err)
	}
	r.slab = all
	return all[start:len(all):len(all)], ""
}

func (r *pushReader) vector(raw []byte) (version.Vector, string) {
	entries, err := r.names.AppendValues(r.least[:0], raw)
	if err != nil {
		return nil, cutCode(err)
	}
	r.least = entries
	seen := make(version.Vector, len(entries))
	for _, e := range entries {
		n, ok := whole(unquoted(e.Raw))
		if !ok || n < 0 || e.Field == "" || len(e.Field) > MaxName {
			return nil, codeMember
		}
		seen[version.Replica(e.Field)] = uint64(n)
	}
	return seen, ""
}

func (r *pushReader) stamp(raw []byte) (version.Stamp, string) {
	members, err := r.names.AppendValues(r.least[:0], raw)
	if err != nil {
		return version.Stamp{}, cutCode(err)
	}
	r.least = members
	ms, c := int64(-1), int64(0)
	for _, v := range members {
		ok := true
		switch v.Field {
		case "ms":
			ms, ok = clamped(v.Raw)
		case "c":
			c, ok = clamped(v.Raw)
		}
		if !ok {
			return version.Stamp{}, codeMember
		}
	}
	s := version.Stamp{MS: ms, C: uint16(c)}
	if int64(s.C) != c || s.Check() != nil {
		return version.Stamp{}, codeStamp
	}
	return s, ""
}

// after reads the mutations whose fate m shares: n of this replica, or ids.
func (r *pushReader) after(m *record.Mutation, raw []byte) (code string) {
	list, err := record.AppendList(nil, raw, MaxAfter)
	switch {
	case errors.Is(err, record.ErrTooMany):
		return codeAfter
	case err != nil:
		return codeMember
	}
	for _, one := range list {
		n, isNumber := exact(one)
		_, isID := record.RawID(one)
		if !isID && (!isNumber || n < 1) {
			return codeMember
		}
	}
	m.After = list
	return ""
}

// again reads the proof that m was judged before. One that cannot be read
// breaks the mutation: without it, it would be taken for a new one.
func (r *pushReader) again(m *record.Mutation, raw []byte) (code string) {
	members, err := record.ParseValues(raw)
	if err != nil {
		return cutCode(err)
	}
	a := &record.Again{}
	for _, v := range members {
		if record.IsNull(v.Raw) {
			continue
		}
		switch v.Field {
		case "stamp":
			a.Stamp, code = r.stamp(v.Raw)
		case "over":
			a.Over, code = r.over(v.Raw)
		case "seq":
			n, ok := whole(unquoted(v.Raw))
			if a.Seq = record.Seq(n); !ok || n < 0 {
				code = codeMember
			}
		case "epoch":
			a.Epoch, code = r.name(v.Raw)
		case "receipt":
			var ok bool
			if a.Receipt, ok = shortText(nil, v.Raw, MaxReceipt); !ok {
				code = codeMember
			}
		case "result":
			var result string
			result, code = r.name(v.Raw)
			a.Result = record.Result(result)
		case "dot":
			a.Dot, code = r.dot(v.Raw)
		case "apart":
			if a.Apart = string(v.Raw) == "true"; !a.Apart && string(v.Raw) != "false" {
				code = codeMember
			}
		}
		if code != "" {
			return code
		}
	}
	m.Again = a
	return ""
}

// dot reads the name of a mutation.
func (r *pushReader) dot(raw []byte) (d version.Dot, code string) {
	members, err := record.ParseValues(raw)
	if err != nil {
		return d, cutCode(err)
	}
	name, code := r.name(members.Get("replica"))
	n, ok := whole(members.Get("n"))
	if code == "" && (!ok || n < 1) {
		code = codeMember
	}
	return version.Dot{Replica: version.Replica(name), N: uint64(n)}, code
}

func (r *pushReader) over(raw []byte) (map[record.ID]version.Vector, string) {
	members, err := record.ParseValues(raw)
	if err != nil {
		return nil, cutCode(err)
	}
	over := make(map[record.ID]version.Vector, len(members))
	for _, v := range members {
		id, err := record.ParseID(v.Field)
		if err != nil {
			return nil, codeMember
		}
		seen, code := r.vector(v.Raw)
		if code != "" {
			return nil, code
		}
		over[id] = seen
	}
	return over, ""
}
