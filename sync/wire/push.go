package wire

import (
	"encoding/json"
	"errors"
	"strconv"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/version"
)

const opPush = "wire.ReadPush"

// ReadPush reads a push. One bad mutation never blocks its neighbours: as long
// as its n and id can be read it comes back Broken, without edits and without
// a hash, to be refused and to use up its n like any other. The push as a
// whole is refused, with an *errs.Error of kind Invalid, only where that
// cannot be: when the envelope, an n or an id cannot be read (code envelope),
// there are too many mutations or bytes (many, size), or n is not a count
// (n, order).
//
// Names that are not known are ignored everywhere, and a null is the same as
// an absent member. The values in the mutations are checked JSON that shares
// body's memory; what they must be by type is for the schema to say.
func ReadPush(body []byte) (*Push, error) {
	if len(body) > MaxPushBytes {
		return nil, invalid(opPush, codeSize, "")
	}
	r := pushReader{}
	members, err := r.names.AppendValues(nil, body)
	if err != nil {
		return nil, invalid(opPush, codeEnvelope, "").Because(err)
	}
	push := &Push{}
	if at := r.envelope(push, members); at != "" {
		return nil, invalid(opPush, codeEnvelope, at)
	}
	raw := members.Get("mutations")
	if record.IsNull(raw) {
		return push, nil
	}
	list, err := record.AppendList(nil, raw, MaxPush)
	if errors.Is(err, record.ErrTooMany) {
		return nil, invalid(opPush, codeMany, "mutations")
	}
	if err != nil {
		return nil, invalid(opPush, codeEnvelope, "mutations").Because(err)
	}
	if e := r.mutations(push, list); e != nil {
		return nil, e
	}
	return push, nil
}

// pushReader keeps what the mutations of one push can share.
type pushReader struct {
	names   record.Names
	schema  string        // of the push, for mutations that name none
	members record.Values // scratch: of a mutation
	inner   record.Values // scratch: of an edit
	least   record.Values // scratch: of a stamp or a vector
	slab    record.Values // where the values of edits come from
	list    []json.RawMessage
	canon   canon
}

// envelope reads what stands around the mutations, and names what it cannot
// read.
func (r *pushReader) envelope(p *Push, members record.Values) (at string) {
	for _, m := range members {
		if record.IsNull(m.Raw) {
			continue
		}
		ok := true
		switch m.Field {
		case "replica":
			var name string
			name, ok = shortText(&r.names, m.Raw, MaxName)
			p.Replica = version.Replica(name)
		case "epoch":
			p.Epoch, ok = shortText(&r.names, m.Raw, MaxName)
		case "schema":
			p.Schema, ok = shortText(&r.names, m.Raw, MaxName)
		case "prev":
			p.Prev, ok = prev(m.Raw)
		case "sent_ms":
			p.SentMS, ok = exact(m.Raw)
		case "cursor":
			p.Cursor, ok = shortText(&r.names, m.Raw, 2*MaxName) // longer than any that was given
		case "lineage":
			p.Lineage, ok = r.lineage(m.Raw)
		}
		if !ok {
			return m.Field
		}
	}
	r.schema = p.Schema
	if p.Replica == "" {
		return "replica"
	}
	return ""
}

// lineage reads what a replica was before.
func (r *pushReader) lineage(raw []byte) ([]Ancestor, bool) {
	list, err := record.AppendList(nil, raw, MaxLineage)
	if err != nil {
		return nil, false
	}
	out := make([]Ancestor, len(list))
	for i, one := range list {
		members, err := record.ParseValues(one)
		name, code := r.name(members.Get("replica"))
		last, ok := whole(members.Get("last"))
		if err != nil || code != "" || !ok || last < 0 {
			return nil, false
		}
		out[i] = Ancestor{Replica: version.Replica(name), Last: uint64(last)}
	}
	return out, true
}

// prev reads the id of the mutation before the first; empty text is none.
func prev(raw []byte) (string, bool) {
	if string(raw) == `""` {
		return "", true
	}
	id, ok := record.RawID(raw)
	return id.String(), ok
}

// mutations reads them one by one, and checks that their n follow each other.
func (r *pushReader) mutations(p *Push, list []json.RawMessage) *errs.Error {
	p.Mutations = make([]record.Mutation, len(list))
	for i, raw := range list {
		m := &p.Mutations[i]
		if code := r.mutation(m, raw); code != "" {
			return invalid(opPush, code, "mutations["+strconv.Itoa(i)+"]")
		}
		if i > 0 && m.N != p.Mutations[i-1].N+1 {
			return invalid(opPush, codeOrder, "mutations["+strconv.Itoa(i)+"].n")
		}
	}
	return nil
}

// mutation reads one. Only if it cannot be named at all it returns a code.
func (r *pushReader) mutation(m *record.Mutation, raw []byte) (code string) {
	members, bad := r.cut(raw)
	if code = identify(m, members); code != "" {
		return code
	}
	m.Schema = r.schema
	if bad.code == "" {
		bad = r.content(m, members)
	}
	if bad.code == "" {
		var once bool
		if m.Hash, once = r.canon.hash(m); !once {
			bad = flaw{code: codeDuplicate, at: "edits"}
		}
	}
	if bad.code != "" {
		broken := invalid(opPush, bad.code, bad.at)
		*m = record.Mutation{N: m.N, ID: m.ID, Schema: r.schema, Broken: broken}
	}
	return ""
}

// cut checks a mutation's text and cuts it into members, or into what can be
// salvaged of them.
func (r *pushReader) cut(raw []byte) (record.Values, flaw) {
	bad := flaw{code: check(raw, record.MaxMutationBytes)}
	if bad.code == "" {
		members, err := r.names.AppendValues(r.members[:0], raw)
		if err == nil {
			r.members = members
			return members, flaw{}
		}
		bad.code = cutCode(err)
	}
	return record.Salvage(raw), bad
}

// cutCode is why checked text could not be cut into members.
func cutCode(err error) string {
	if errors.Is(err, record.ErrTwice) {
		return codeDuplicate
	}
	return codeMember
}

// identify reads n and id. Members that were salvaged may stand twice; if they
// differ, nobody knows which is meant.
func identify(m *record.Mutation, members record.Values) (code string) {
	named := false
	for _, v := range members {
		switch v.Field {
		case "n":
			n, ok := clamped(v.Raw)
			if !ok || m.N != 0 && m.N != uint64(n) {
				return codeEnvelope
			}
			if n < 1 || n >= maxExact {
				return codeN
			}
			m.N = uint64(n)
		case "id":
			id, ok := record.RawID(v.Raw)
			if !ok || named && id != m.ID {
				return codeEnvelope
			}
			m.ID, named = id, true
		}
	}
	if m.N == 0 || !named {
		return codeEnvelope
	}
	return ""
}
