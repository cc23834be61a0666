package device_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"roadbook/record"
)

// judge gives the verdict on a mutation, that of the first time if its id was
// judged before.
func (s *server) judge(m *record.Mutation) record.Outcome {
	s.head++
	if o, ok := s.judged[m.ID]; ok {
		o.N, o.Seq = m.N, s.head
		return o
	}
	o := record.Outcome{
		N: m.N, ID: m.ID, Seq: s.head, Result: record.Applied, Stamp: &m.Stamp,
		Receipt: "signed " + s.epoch + " " + m.ID.String(),
	}
	if o.Refusal = s.refusal(m); o.Refusal != nil {
		o.Result = record.Refused
	}
	if o.Result == record.Applied {
		for i := range m.Edits {
			s.edit(&m.Edits[i])
		}
	}
	s.judged[m.ID] = o
	return o
}

func (s *server) refusal(m *record.Mutation) *record.Refusal {
	made := map[record.ID]bool{}
	for _, e := range m.Edits {
		made[e.ID] = made[e.ID] || e.Op == record.OpCreate
		if s.records[e.ID] == nil && !made[e.ID] && s.strict {
			return &record.Refusal{Kind: "missing", Code: "missing"}
		}
	}
	if s.refuse == nil || m.Again != nil {
		return nil
	}
	return s.refuse(m)
}

func (s *server) edit(e *record.Edit) {
	r := s.records[e.ID]
	if r == nil {
		r = &kept{kind: e.Kind, born: s.head, fields: map[string]json.RawMessage{}, at: map[string]record.Seq{}}
		s.records[e.ID] = r
	}
	r.seq = s.head
	switch e.Op {
	case record.OpDelete:
		r.deleted = true
	case record.OpRestore, record.OpCreate:
		r.deleted, r.born = false, s.head
	case record.OpEdit:
	}
	for _, v := range e.Set {
		r.fields[v.Field], r.at[v.Field] = v.Raw, s.head
	}
	for _, v := range e.Inc {
		var now, by int64
		_ = json.Unmarshal(r.fields[v.Field], &now)
		_ = json.Unmarshal(v.Raw, &by)
		r.fields[v.Field], r.at[v.Field] = json.RawMessage(strconv.FormatInt(now+by, 10)), s.head
	}
	for _, v := range e.Add {
		r.set(v, s.head, func(have map[string]bool, elem string) { have[elem] = true })
	}
	for _, v := range e.Remove {
		r.set(v, s.head, func(have map[string]bool, elem string) { delete(have, elem) })
	}
}

func (r *kept) set(v record.Value, at record.Seq, do func(have map[string]bool, elem string)) {
	var now, elems []string
	_ = json.Unmarshal(r.fields[v.Field], &now)
	_ = json.Unmarshal(v.Raw, &elems)
	have := map[string]bool{}
	for _, e := range now {
		have[e] = true
	}
	for _, e := range elems {
		do(have, e)
	}
	text, _ := json.Marshal(append([]string{}, slices.Sorted(maps.Keys(have))...))
	r.fields[v.Field], r.at[v.Field] = text, at
}
