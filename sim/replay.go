package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"roadbook/record"
	"roadbook/version"
)

// loggedEdit is one edit as the log keeps it.
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

// replay follows the log from its first row by rules so simple that they can
// be seen to be right, and judges each commit on the way.
type replay struct {
	w     *World
	head  record.Seq
	chain []byte
	seqs  []record.Seq    // of its rows
	high  []version.Stamp // at each
	truth *truth
	line  map[record.ReplicaID]ancestor
	last  map[record.ReplicaID]version.Stamp

	judged   map[record.ID]int
	settled  map[record.ID]int // of those that were parked
	dots     map[record.ID]dot
	twins    map[record.ReplicaID][]dot
	text     map[place]string          // what a field holds by its history
	onBehalf map[place]record.ID       // the mutation by which the server has put it there
	vague    map[place]bool            // history does not say: a group was set back to what somebody saw
	words    map[place][]string        // of long texts
	doubted  map[place][]string        // words of texts that may be there or not
	replaced map[place]map[string]bool // words that somebody took out, also before they came
	taken    map[place][]taken         // steps of a process that nobody has replaced
	stands   map[place][]stood         // and where that has left it, from where on
	count    map[place]int64           // sums of counters
	extreme  map[place]string          // of fields that keep the largest or the smallest
	first    map[place]string          // of fields that keep the first
	elems    map[place]map[string][]dot
	writes   map[record.ID][]dot // of records, and of what was hung under them
	deleted  map[record.ID]bool
	opened   map[record.ID]bool       // conflicts
	horizon  record.Seq               // of the row that moved it last
	calls    int64                    // counted by all, where customers become one
	resolved map[record.ID]dot        // conflicts, by who has decided them
	granted  map[record.ID]record.Seq // reserves
	put      int64                    // into budgets
	spent    int64                    // from reserves
}

type dot struct {
	replica record.ReplicaID
	n       uint64
	seq     record.Seq
}

func newReplay(w *World) *replay {
	return &replay{
		w: w, chain: make([]byte, sha256.Size), seqs: []record.Seq{0}, high: []version.Stamp{{}}, truth: newTruth(w),
		line: map[record.ReplicaID]ancestor{}, last: map[record.ReplicaID]version.Stamp{},
		judged: map[record.ID]int{}, settled: map[record.ID]int{}, dots: map[record.ID]dot{}, twins: map[record.ReplicaID][]dot{},
		text: map[place]string{}, onBehalf: map[place]record.ID{}, vague: map[place]bool{}, count: map[place]int64{}, words: map[place][]string{}, doubted: map[place][]string{}, replaced: map[place]map[string]bool{},
		taken: map[place][]taken{}, stands: map[place][]stood{}, extreme: map[place]string{},
		first: map[place]string{}, elems: map[place]map[string][]dot{}, writes: map[record.ID][]dot{},
		deleted: map[record.ID]bool{}, opened: map[record.ID]bool{}, resolved: map[record.ID]dot{}, granted: map[record.ID]record.Seq{},
	}
}

// follow reads and judges what was committed since it last did.
func (r *replay) follow() error {
	rows, err := r.w.logSince(r.head)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := r.row(row); err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) row(row *logRow) error {
	if row.seq != r.head+1 && !strings.HasPrefix(row.body, `[{"op":"epoch"`) {
		r.w.finds("the log has a gap between %d and %d", r.head, row.seq)
	}
	r.head = row.seq
	if strings.HasPrefix(row.body, `[{"op":"horizon"`) {
		r.horizon = row.seq
	}
	if r.chain = row.link(r.chain); !bytes.Equal(r.chain, row.chain) {
		r.w.finds("the chain breaks at %d", row.seq)
	}
	if _, known := r.line[row.replica]; !known {
		var err error
		if r.line, err = r.w.replicas(); err != nil {
			return err
		}
	}
	if err := row.read(r.w.typed); err != nil {
		return err
	}
	if row.twin == 0 {
		if r.judged[row.id]++; r.judged[row.id] > 1 {
			r.w.finds("%s is judged twice", r.w.typed[row.id])
		}
	}
	row.parked = row.result == parkedNo
	r.waits(row)
	r.settles(row)
	switch {
	case row.result == refusedNo, row.parked, r.w.typed[row.id] == nil:
	case row.twin != 0:
		r.twins[row.replica] = append(r.twins[row.replica], r.dots[row.id])
	case r.w.alike:
		r.sums(row)
		r.judges(row)
	default:
		r.accepted(row)
	}
	high := version.Later(r.high[len(r.high)-1], row.stamp)
	r.seqs, r.high = append(r.seqs, row.seq), append(r.high, high)
	if high != row.high {
		r.w.finds("the running maximum of stamps at %d is %v, not %v", row.seq, row.high, high)
	}
	r.last[row.replica] = version.Later(r.last[row.replica], row.stamp)
	return nil
}

// link continues the hash chain by a row.
func (row *logRow) link(chain []byte) []byte {
	h := sha256.New()
	h.Write(chain)
	for _, n := range []uint64{
		uint64(row.seq), row.n, uint64(row.packed), uint64(row.replica), uint64(row.result), uint64(len(row.body)),
	} {
		h.Write(binary.BigEndian.AppendUint64(nil, n))
	}
	for _, b := range [][]byte{row.person[:], row.id[:], row.hash, []byte(row.body)} {
		h.Write(b)
	}
	if row.outcome != nil {
		h.Write([]byte(*row.outcome))
	}
	return h.Sum(nil)
}

func (row *logRow) read(typed map[record.ID]*typing) error {
	if row.outcome != nil {
		var keep struct {
			Clashes []record.Clash
			As      *settledAs
		}
		if err := json.Unmarshal([]byte(*row.outcome), &keep); err != nil {
			return fmt.Errorf("the outcome of row %d of the log: %w", row.seq, err)
		}
		row.clashes, row.as = keep.Clashes, keep.As
	}
	if typed[row.id] != nil || row.as != nil {
		if err := json.Unmarshal([]byte(row.body), &row.edits); err != nil {
			return fmt.Errorf("row %d of the log: %w", row.seq, err)
		}
	}
	return nil
}

// told reports whether a row says that two met at a place.
func (row *logRow) told(at place) bool {
	return slices.ContainsFunc(row.clashes, func(c record.Clash) bool { return c.ID == at.rec && c.Field == at.field })
}

// second reports whether nothing of a write was taken because somebody else had
// decided before.
func (row *logRow) second(at place) bool {
	return slices.ContainsFunc(row.clashes, func(c record.Clash) bool {
		return c.ID == at.rec && c.Field == at.field && c.Code == "decided"
	})
}

// own reports whether a write was its author's, before another write of his.
func (r *replay) own(author, w dot) bool {
	if slices.Contains(r.twins[author.replica], w) {
		return true // his phone has sent the very same mutation, under its own name
	}
	if w.replica == author.replica {
		return w.n <= author.n
	}
	for at := r.line[author.replica]; at.parent != 0; at = r.line[at.parent] {
		if at.parent == w.replica && w.n <= at.fork {
			return true
		}
	}
	return false
}

func (r *replay) knew(author dot, seen version.Vector, w dot) bool {
	return int64(w.seq) <= seen.Seq() || r.own(author, w)
}

// accepted judges a mutation that was applied or merged.
func (r *replay) accepted(row *logRow) {
	author, ty := dot{row.replica, row.n, row.seq}, r.w.typed[row.id]
	r.dots[row.id] = author
	r.w.calls(author.name(), row.id)
	r.checkStamp(row, ty)
	touched := map[record.ID]bool{}
	defer r.truth.keep(row, touched)
	i := 0
	for k := range row.edits {
		e := row.edits[k]
		touched[e.ID] = true
		r.w.unsettles(e.ID)
		r.truth.edit(ty, r.w.schema.Kind(e.Kind), &e)
		var seen version.Vector
		if e.By != "server" {
			if i == len(ty.edits) {
				r.w.finds("the log has edits that nobody typed, at %d", row.seq)
				return
			}
			seen = ty.edits[i].Seen
			i++
		}
		r.edit(row, author, seen, e)
		if e.By != "server" {
			r.promised(ty, e, row.seq)
		}
	}
	if i != len(ty.edits) {
		r.w.finds("the log lacks an edit of %s", ty)
	}
	for _, c := range row.clashes {
		if c.Conflict != nil {
			r.opened[*c.Conflict] = true
		}
	}
}

// maxAhead is how far a phone's clock may be ahead of the server's.
const maxAhead = 2 * time.Minute

// checkStamp works out the effective stamp: as typed, not further ahead of the
// clock than is honest, but after the author's last and after all that he saw.
func (r *replay) checkStamp(row *logRow, ty *typing) {
	if r.w.life > 0 {
		return // what comes back has the one that it got the first time
	}
	want, low := ty.stamp, r.last[row.replica]
	if limit := r.w.clock.Add(maxAhead).UnixMilli(); want.MS > limit {
		want = version.Stamp{MS: limit}
	}
	for _, e := range ty.edits {
		s := record.Seq(e.Seen.Seq())
		at, there := slices.BinarySearch(r.seqs, s)
		if !there {
			r.w.finds("%s has seen %d of a log of %d", ty, s, r.head)
			return
		}
		low = version.Later(low, r.high[at])
	}
	want = version.Later(want, low.Next())
	exact := r.line[row.replica].parent == 0 // one that was relabelled goes on from its parent's last
	if exact && row.stamp != want || row.stamp.Compare(want) < 0 {
		r.w.finds("the stamp of %s at %d is %v, not %v", ty, row.seq, row.stamp, want)
	}
}

func (r *replay) edit(row *logRow, author dot, seen version.Vector, e loggedEdit) {
	kind := r.w.schema.Kind(e.Kind)
	r.decides(row, author, seen, e)
	switch {
	case e.By == "server":
		if e.Op != record.OpEdit {
			r.deleted[e.ID] = e.Op == record.OpDelete
		}
		for _, v := range e.Set {
			at := place{e.ID, v.Field}
			r.text[at], r.onBehalf[at] = string(v.Raw), row.id // a conflict that is opened, or closed
		}
		r.counts(kind, e)
		return
	case e.Op == record.OpDelete:
		r.remove(row, author, seen, e)
		return
	case e.Op == record.OpRestore:
		r.writes[e.ID], r.deleted[e.ID] = append(r.writes[e.ID], author), false
		return
	case e.Buried:
		if !r.deleted[e.ID] {
			r.w.finds("buried, and not deleted: %s at %d", e.ID, row.seq)
		}
		return
	}
	if r.deleted[e.ID] && r.w.life == 0 {
		r.w.finds("an edit of the tombstone %s was accepted at %d", e.ID, row.seq)
	}
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
	r.elements(row, author, seen, kind, e)
	r.hung(author, row.id, kind, e)
}

// hung counts a create or a change that names a parent as an edit of that.
func (r *replay) hung(author dot, typed record.ID, kind *record.Kind, e loggedEdit) {
	was, raw := e.Was.Get(kind.Parent), e.Set.Get(kind.Parent)
	if kind.Parent != "" && raw != nil && (e.P == 0 || was != nil && string(was) != string(raw)) {
		if parent, err := record.ParseID(e.Set.Text(kind.Parent)); err == nil {
			r.writes[parent] = append(r.writes[parent], author)
			note(r.truth.writes, parent, typed)
		}
	}
}

// remove judges a delete: it yields to what its author had not seen.
func (r *replay) remove(row *logRow, author dot, seen version.Vector, e loggedEdit) {
	unseen := slices.ContainsFunc(r.writes[e.ID], func(d dot) bool { return !r.knew(author, seen, d) })
	told := row.told(place{e.ID, "deleted"})
	switch {
	case r.deleted[e.ID]:
	case r.w.schema.Kind(e.Kind).OnDelete == record.DeleteWins:
		r.deleted[e.ID] = true
	case r.w.life > 0: // the truth says what must come of it
		r.deleted[e.ID] = !told
	case unseen && !told:
		r.w.finds("the delete of %s at %d took what its author had not seen", e.ID, row.seq)
	case !unseen && told:
		r.w.finds("the delete of %s at %d yields to what its author had seen", e.ID, row.seq)
	case !unseen:
		r.deleted[e.ID] = true
	}
}

// inGroup reports whether a field merges as one with others.
func inGroup(kind *record.Kind, field string) bool {
	f := kind.Field(field)
	return f != nil && f.Group != ""
}

func isText(raw string) bool { return strings.HasPrefix(raw, `"v`) }
