package sync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/store"
	"roadbook/version"
)

// logRow is a row of the log as SQL has it.
type logRow struct {
	seq      record.Seq
	n        uint64
	replica  record.ReplicaID
	id       record.ID
	stamp    version.Stamp // effective
	accepted bool
	twin     bool
	edits    []loggedEdit
	clashes  []place
}

type loggedEdit struct {
	Op     record.Op     `json:"op"`
	Kind   string        `json:"kind"`
	ID     record.ID     `json:"id"`
	P      record.Seq    `json:"p"`
	Set    record.Values `json:"set"`
	Add    record.Values `json:"add"`
	Remove record.Values `json:"remove"`
	Inc    record.Values `json:"inc"`
	Was    record.Values `json:"was"`
	By     string        `json:"by"`
	Buried bool          `json:"buried"`
}

// replay is what follows from the log alone, read from its first row by rules
// so simple that they can be seen to be right.
type replay struct {
	s       *story
	line    map[record.ReplicaID]store.Writer
	text    map[place]string // what a field holds by its history
	vague   map[place]bool   // history does not say: a group was set back to what somebody saw
	count   map[place]int64  // sums of counters
	largest map[place]string // of fields that keep the larger
	first   map[place]string // of fields that keep the first
	high    map[record.Seq]version.Stamp
	last    map[record.ReplicaID]version.Stamp
	elems   map[place]map[string][]dot // of sets
	writes  map[record.ID][]dot        // of records, and of what was hung under them
	deleted map[record.ID]bool
	dots    map[record.ID]dot // of mutations
	twins   map[record.ReplicaID][]dot
}

type dot struct {
	replica record.ReplicaID
	n       uint64
	seq     record.Seq
}

// checkEnd judges the whole history.
func (s *story) checkEnd() {
	rows := s.log()
	s.checkJudged(rows)
	r := &replay{
		s: s, line: s.writers(), text: map[place]string{}, vague: map[place]bool{}, count: map[place]int64{}, largest: map[place]string{}, first: map[place]string{},
		high: map[record.Seq]version.Stamp{}, last: map[record.ReplicaID]version.Stamp{},
		elems: map[place]map[string][]dot{}, writes: map[record.ID][]dot{}, deleted: map[record.ID]bool{}, dots: map[record.ID]dot{}, twins: map[record.ReplicaID][]dot{},
	}
	for _, row := range rows {
		switch {
		case !row.accepted || s.typedBy[row.id] == nil:
		case row.twin:
			r.twins[row.replica] = append(r.twins[row.replica], r.dots[row.id])
		default:
			r.row(row)
		}
		r.high[row.seq] = version.Later(r.high[row.seq-1], row.stamp)
		r.last[row.replica] = version.Later(r.last[row.replica], row.stamp)
	}
	all := s.records()
	r.check(all)
	s.checkScopes(all)
	s.checkIndex(all)
	s.checkGrants(all)
}

// log reads all rows.
func (s *story) log() []logRow {
	var out []logRow
	for _, e := range s.entries() {
		out = append(out, s.logRow(e))
	}
	return out
}

func (s *story) logRow(e store.Entry) logRow {
	row := logRow{
		seq: e.Seq, n: e.N, replica: e.Replica, id: e.ID, stamp: e.Stamp, twin: e.Twin != 0,
		accepted: e.Result == record.Applied || e.Result == record.Merged,
	}
	if s.typedBy[e.ID] != nil {
		require.NoError(s.t, json.Unmarshal(e.Body, &row.edits))
	}
	if e.Outcome != nil {
		var keep struct{ Clashes []record.Clash }
		require.NoError(s.t, json.Unmarshal(e.Outcome, &keep))
		for _, c := range keep.Clashes {
			row.clashes = append(row.clashes, place{c.ID, c.Field})
		}
	}
	return row
}

// writers are all replicas of the org.
func (s *story) writers() map[record.ReplicaID]store.Writer {
	rows, err := s.pool.Query(context.Background(),
		`SELECT id, coalesce(parent, 0), coalesce(fork, 0) FROM replicas WHERE org = $1`, s.org)
	require.NoError(s.t, err)
	out := map[record.ReplicaID]store.Writer{}
	var w store.Writer
	_, err = pgx.ForEachRow(rows, []any{&w.ID, &w.Parent, &w.Fork}, func() error {
		out[w.ID] = w
		return nil
	})
	require.NoError(s.t, err)
	return out
}

// checkJudged makes sure that everything typed was judged, and once.
func (s *story) checkJudged(rows []logRow) {
	judged := map[record.ID]int{}
	for _, row := range rows {
		if !row.twin {
			judged[row.id]++
		}
	}
	for id, ty := range s.typedBy {
		require.LessOrEqual(s.t, judged[id], 1, "%s typed %s: judged twice", ty.who, s.words(ty.edits))
		require.True(s.t, judged[id] == 1 || ty.excused, "%s typed %s: lost", ty.who, s.words(ty.edits))
	}
}

// own reports whether a write was its author's, before another write of his.
func (r *replay) own(author, w dot) bool {
	if slices.Contains(r.twins[author.replica], w) {
		return true // his phone has sent the very same mutation, under its own name
	}
	if w.replica == author.replica {
		return w.n <= author.n
	}
	for at := r.line[author.replica]; at.Parent != 0; at = r.line[at.Parent] {
		if at.Parent == w.replica && w.n <= at.Fork {
			return true
		}
	}
	return false
}

func (r *replay) knew(author dot, seen version.Vector, w dot) bool {
	return int64(w.seq) <= seen.Seq() || r.own(author, w)
}

func (r *replay) row(row logRow) {
	author := dot{row.replica, row.n, row.seq}
	r.dots[row.id] = author
	typed := r.s.typedBy[row.id].edits
	require.Positive(r.s.t, row.stamp.Compare(r.last[row.replica]), "the stamp of %d is not after its author's last", row.seq)
	i := 0
	for _, e := range row.edits {
		var seen version.Vector
		if e.By != "server" {
			require.Less(r.s.t, i, len(typed), "the log has edits that nobody typed")
			seen = typed[i].Seen
			require.Positive(r.s.t, row.stamp.Compare(r.high[record.Seq(seen.Seq())]), "the stamp of %d is not after what was seen", row.seq)
			i++
		}
		r.edit(row, author, seen, e)
	}
	require.Len(r.s.t, typed, i, "the log lacks an edit of %s", r.s.words(typed))
}

func (r *replay) edit(row logRow, author dot, seen version.Vector, e loggedEdit) {
	kind := r.s.schema.Kind(e.Kind)
	switch {
	case e.By == "server":
		r.deleted[e.ID] = e.Op == record.OpDelete
		if len(e.Set) > 0 {
			r.writes[e.ID] = append(r.writes[e.ID], author) // a conflict that somebody has decided by writing
		}
		return
	case e.Op == record.OpDelete:
		r.remove(row, author, seen, e)
		return
	case e.Op == record.OpRestore:
		r.writes[e.ID], r.deleted[e.ID] = append(r.writes[e.ID], author), false
		return
	case e.Buried:
		require.True(r.s.t, r.deleted[e.ID], "buried, and not deleted: %s", e.ID)
		return
	}
	require.False(r.s.t, r.deleted[e.ID], "an edit of the tombstone %s was accepted: %s", e.ID, r.s.words(r.s.typedBy[row.id].edits))
	r.writes[e.ID] = append(r.writes[e.ID], author)
	for _, v := range e.Set {
		r.set(row, kind, e, v)
	}
	if e.P == 0 && e.Set.Get("owner") == nil {
		r.vague[place{e.ID, "owner"}] = true // the server fills it in
	}
	for _, v := range e.Was {
		if e.Set.Get(v.Field) == nil {
			r.vague[place{e.ID, v.Field}] = true
		}
	}
	r.elements(author, seen, e)
	for _, v := range e.Inc {
		n, err := strconv.ParseInt(string(v.Raw), 10, 64)
		require.NoError(r.s.t, err)
		r.count[place{e.ID, v.Field}] += n
	}
	was, raw := e.Was.Get(kind.Parent), e.Set.Get(kind.Parent)
	if kind.Parent != "" && raw != nil && (e.P == 0 || was != nil && string(was) != string(raw)) {
		if parent, err := record.ParseID(e.Set.Text(kind.Parent)); err == nil {
			r.writes[parent] = append(r.writes[parent], author)
		}
	}
}

// set follows a field through its history: what stood there before is what the
// rows before have left.
func (r *replay) set(row logRow, kind *record.Kind, e loggedEdit, v record.Value) {
	at, f := place{e.ID, v.Field}, kind.Field(v.Field)
	if f.Policy == record.Once && r.first[at] == "" {
		r.first[at] = norm(string(v.Raw))
	}
	if f.Policy == record.Max && !record.IsNull(v.Raw) {
		r.largest[at] = max(r.largest[at], string(v.Raw))
	}
	if f.Policy != record.LWW && f.Policy != record.LWWAsk || kind.Scope != "" {
		return
	}
	was := e.Was.Get(v.Field)
	took := was != nil || e.P == 0
	other, vague := r.text[at], r.vague[at]
	if took {
		if was != nil && !vague {
			require.Equal(r.s.t, norm(other), norm(string(was)), "the history of %s at %d", at, row.seq)
		}
		r.text[at] = string(v.Raw)
		delete(r.vague, at)
	}
	if !vague {
		r.fair(row, at, norm(string(v.Raw)), norm(other), took)
	}
}

// fair makes sure that nothing was overwritten that was on nobody's screen,
// nothing dropped without a word, and nobody told of a clash with what he knew.
func (r *replay) fair(row logRow, at place, typed, other string, took bool) {
	author, told := r.s.typedBy[row.id], slices.Contains(row.clashes, at)
	by, unique := r.s.wrote[other]
	knew := !unique || author.known[at][by] || by == row.id || r.own(r.dots[row.id], r.dots[by])
	say := func() string {
		return fmt.Sprintf("%v at %d: %s over %s, taken %v, told %v, knew %v", at, row.seq, typed, other, took, told, knew)
	}
	switch {
	case typed == other:
	case !unique:
		require.True(r.s.t, took || told, "dropped without a word: %s", say())
	case knew && slices.Contains(unit, at.field): // another member may be what he did not know
	case knew:
		require.False(r.s.t, told, "told of a clash with what he knew: %s", say())
		require.True(r.s.t, took, "lost to what he had replaced knowingly: %s", say())
	default:
		require.True(r.s.t, told, "overwritten or dropped in silence: %s", say())
	}
}

func norm(raw string) string {
	if raw == "null" {
		return ""
	}
	return raw
}

func (r *replay) elements(author dot, seen version.Vector, e loggedEdit) {
	each := func(vs record.Values, do func(set map[string][]dot, elem string)) {
		for _, v := range vs {
			at := place{e.ID, v.Field}
			if r.elems[at] == nil {
				r.elems[at] = map[string][]dot{}
			}
			var list []json.RawMessage
			require.NoError(r.s.t, json.Unmarshal(v.Raw, &list))
			for _, elem := range list {
				do(r.elems[at], string(elem))
			}
		}
	}
	each(e.Remove, func(set map[string][]dot, elem string) {
		set[elem] = slices.DeleteFunc(set[elem], func(d dot) bool { return r.knew(author, seen, d) })
	})
	each(e.Add, func(set map[string][]dot, elem string) { set[elem] = append(set[elem], author) })
}

// remove judges a delete: it yields to what its author had not seen.
func (r *replay) remove(row logRow, author dot, seen version.Vector, e loggedEdit) {
	unseen := slices.IndexFunc(r.writes[e.ID], func(d dot) bool { return !r.knew(author, seen, d) })
	told := slices.Contains(row.clashes, place{e.ID, "deleted"})
	switch {
	case r.deleted[e.ID]:
	case r.s.schema.Kind(e.Kind).OnDelete == record.DeleteWins:
		r.deleted[e.ID] = true
	case unseen >= 0:
		require.True(r.s.t, told, "the delete of %s at %d took what its author had not seen: %v", e.ID, row.seq, r.writes[e.ID][unseen])
	default:
		require.False(r.s.t, told, "the delete of %s at %d yields to what its author had seen", e.ID, row.seq)
		r.deleted[e.ID] = true
	}
}

// check compares what follows from the log with what the records hold.
func (r *replay) check(all []row) {
	t := r.s.t
	for _, rec := range all {
		if rec.kind.Name == "user" || rec.kind.Name == "unit" || rec.kind.Name == "conflict" {
			continue
		}
		require.Equal(t, r.deleted[rec.id], rec.deleted, "whether %s is deleted", rec.id)
		for _, f := range rec.kind.Fields {
			at, raw := place{rec.id, f.Name}, string(rec.fields.Get(f.Name))
			switch {
			case f.Policy == record.Counter:
				require.Equal(t, r.count[at], number(raw), "the sum of %s", at)
			case f.Policy == record.Max:
				require.Equal(t, r.largest[at], raw, "the largest %s", at)
			case f.Policy == record.Once && r.first[at] != "":
				require.Equal(t, r.first[at], raw, "the first %s", at)
			case f.Policy == record.Set:
				require.ElementsMatch(t, r.members(at), rec.texts(f.Name), "the elements of %s", at)
			case f.Policy != record.LWW && f.Policy != record.LWWAsk: // the others have histories of their own
			case strings.HasPrefix(raw, `"v`) && !r.vague[at]:
				require.Equal(t, r.text[at], raw, "what history says of %s", at)
			}
		}
	}
}

func number(raw string) int64 {
	n, _ := strconv.ParseInt(raw, 10, 64)
	return n
}

// members are the elements that somebody added and nobody removed knowingly.
func (r *replay) members(at place) (out []string) {
	for elem, adds := range r.elems[at] {
		if len(adds) > 0 {
			out = append(out, strings.Trim(elem, `"`))
		}
	}
	slices.Sort(out)
	return out
}
