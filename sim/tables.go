package sim

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"roadbook/record"
	"roadbook/version"
)

// All SQL of this package. It reads the tables of the line directly and shares
// nothing with the code that it is compared with.

// tables are an org's rows at one head.
type tables struct {
	head    record.Seq
	records map[record.ID]*row
	order   []*row                              // by id
	scopes  map[record.ScopeID]string           // names
	grants  map[record.ID]map[string]record.Seq // by holder and scope: since when
	actors  map[record.ID]actor
	pinned  map[string]bool // the scopes of accounts that some device pins
}

// row is a record as SQL has it.
type row struct {
	id, owner, parent, root record.ID
	kind                    *record.Kind
	deleted                 bool
	month                   record.Month
	seq                     record.Seq
	scopes                  []record.ScopeID
	entered                 []record.Seq
	text                    string
	fields                  record.Values
}

type actor struct {
	roles  []string
	active bool
}

func (r *row) ref(field string) record.ID {
	id, err := record.ParseID(r.fields.Text(field))
	if err != nil {
		return record.NoID
	}
	return id
}

func (r *row) texts(field string) (out []string) {
	_ = json.Unmarshal(r.fields.Get(field), &out) // what is no list has none
	return out
}

const (
	sqlHead    = `SELECT seq FROM heads WHERE org = $1`
	sqlRecords = `SELECT id, owner, coalesce(parent, '00000000-0000-0000-0000-000000000000'), root, kind, state, month, seq,
	                     scopes, entered, fields::text FROM records WHERE org = $1 ORDER BY id`
	sqlScopes = `SELECT id, name FROM scopes WHERE org = $1`
	sqlGrants = `SELECT g.holder, s.name, g.since FROM grants g JOIN scopes s ON s.org = g.org AND s.id = g.scope
	              WHERE g.org = $1 AND g.until IS NULL`
	sqlActors = `SELECT id, roles, active FROM actors WHERE org = $1`
	sqlLog    = `SELECT seq, n, stamp, replica, person, id, hash, result, body, outcome, coalesce(twin, 0), chain, high
	               FROM mutations WHERE org = $1 AND seq > $2 ORDER BY seq`
	sqlReplicas = `SELECT id, coalesce(parent, 0), coalesce(fork, 0) FROM replicas WHERE org = $1`
	sqlMembers  = `SELECT scope, rec, rank FROM members WHERE org = $1`
	sqlIndex    = `SELECT DISTINCT ON (scope, rec) scope, rec, seq, mark, op, kind, month
	                 FROM scope_index WHERE org = $1 ORDER BY scope, rec, seq DESC, op`
	sqlRescopes = `SELECT count(*) FROM rescopes WHERE org = $1`
)

// read reads the tables, unless nothing was committed since they were read
// last.
func (w *World) read() (*tables, error) {
	if w.tables != nil && w.tables.head == w.replay.head {
		return w.tables, nil
	}
	t := &tables{
		head: w.replay.head, records: map[record.ID]*row{}, scopes: map[record.ScopeID]string{},
		grants: map[record.ID]map[string]record.Seq{}, actors: map[record.ID]actor{}, pinned: map[string]bool{},
	}
	b := &pgx.Batch{}
	b.Queue(sqlRecords, w.org).Query(w.readRecords(t))
	b.Queue(sqlScopes, w.org).Query(t.readScopes)
	b.Queue(sqlGrants, w.org).Query(t.readGrants)
	b.Queue(sqlActors, w.org).Query(t.readActors)
	if err := w.pool.SendBatch(w.ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("reading the tables: %w", err)
	}
	w.tables = t
	return t, nil
}

func (w *World) readRecords(t *tables) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			r := &row{}
			var kind, state int16
			err := rows.Scan((*[16]byte)(&r.id), (*[16]byte)(&r.owner), (*[16]byte)(&r.parent), (*[16]byte)(&r.root),
				&kind, &state, &r.month, &r.seq, &r.scopes, &r.entered, &r.text)
			if err != nil {
				return err
			}
			r.kind, r.deleted = w.schema.KindNo(kind), state != 0
			if w.tables != nil && w.tables.records[r.id] != nil && w.tables.records[r.id].text == r.text {
				r.fields = w.tables.records[r.id].fields
			} else if r.fields, err = record.ParseValues([]byte(r.text)); err != nil {
				return err
			}
			t.records[r.id] = r
			t.order = append(t.order, r)
		}
		return rows.Err()
	}
}

func (t *tables) readScopes(rows pgx.Rows) error {
	var id record.ScopeID
	var name string
	_, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		t.scopes[id] = name
		return nil
	})
	return err
}

func (t *tables) readGrants(rows pgx.Rows) error {
	var holder record.ID
	var name string
	var since record.Seq
	_, err := pgx.ForEachRow(rows, []any{(*[16]byte)(&holder), &name, &since}, func() error {
		if t.grants[holder] == nil {
			t.grants[holder] = map[string]record.Seq{}
		}
		t.grants[holder][name] = since
		t.pinned[name] = strings.HasPrefix(name, "account:")
		return nil
	})
	return err
}

func (t *tables) readActors(rows pgx.Rows) error {
	var id record.ID
	var a actor
	_, err := pgx.ForEachRow(rows, []any{(*[16]byte)(&id), &a.roles, &a.active}, func() error {
		t.actors[id] = a
		a.roles = nil
		return nil
	})
	return err
}

// logRow is a row of the log.
type logRow struct {
	seq     record.Seq
	n       uint64
	packed  int64
	stamp   version.Stamp // effective
	high    version.Stamp
	replica record.ReplicaID
	person  record.ID
	id      record.ID
	hash    []byte
	result  int16
	body    string
	outcome *string
	twin    record.Seq
	chain   []byte

	edits   []loggedEdit
	clashes []record.Clash
	as      *settledAs // of a row that says what became of a parked mutation
	parked  bool
}

// settledAs is the name of a mutation that was parked.
type settledAs struct {
	Replica record.ReplicaID
	N       uint64
	ID      record.ID
	Parked  record.Seq
}

// Results of mutations, in the table.
const (
	refusedNo = 2
	parkedNo  = 3
)

// logSince are the rows after a seq.
func (w *World) logSince(after record.Seq) ([]*logRow, error) {
	rows, err := w.pool.Query(w.ctx, sqlLog, w.org, after)
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	return pgx.CollectRows(rows, func(c pgx.CollectableRow) (*logRow, error) {
		r := &logRow{}
		var high int64
		err := c.Scan(&r.seq, &r.n, &r.packed, &r.replica, (*[16]byte)(&r.person), (*[16]byte)(&r.id), &r.hash, &r.result,
			&r.body, &r.outcome, &r.twin, &r.chain, &high)
		r.stamp, r.high = version.Unpack(r.packed), version.Unpack(high)
		return r, err
	})
}

// ancestor is what a replica was before, and the last n that both share.
type ancestor struct {
	id, parent record.ReplicaID
	fork       uint64
}

func (w *World) replicas() (map[record.ReplicaID]ancestor, error) {
	rows, err := w.pool.Query(w.ctx, sqlReplicas, w.org)
	if err != nil {
		return nil, fmt.Errorf("reading the replicas: %w", err)
	}
	out := map[record.ReplicaID]ancestor{}
	var a ancestor
	_, err = pgx.ForEachRow(rows, []any{&a.id, &a.parent, &a.fork}, func() error {
		out[a.id] = a
		return nil
	})
	return out, err
}

// membership is a record in a scope.
type membership struct {
	scope record.ScopeID
	rec   record.ID
}

type indexRow struct {
	seq, mark record.Seq
	op, kind  int16
	month     record.Month
}

// index is who is in what scope by the two tables that pulls look at.
func (w *World) index() (members map[membership]int16, newest map[membership]indexRow, waiting int, err error) {
	members, newest = map[membership]int16{}, map[membership]indexRow{}
	b := &pgx.Batch{}
	b.Queue(sqlMembers, w.org).Query(func(rows pgx.Rows) error {
		var m membership
		var rank int16
		_, err := pgx.ForEachRow(rows, []any{&m.scope, (*[16]byte)(&m.rec), &rank}, func() error {
			members[m] = rank
			return nil
		})
		return err
	})
	b.Queue(sqlIndex, w.org).Query(func(rows pgx.Rows) error {
		var m membership
		var r indexRow
		_, err := pgx.ForEachRow(rows, []any{&m.scope, (*[16]byte)(&m.rec), &r.seq, &r.mark, &r.op, &r.kind, &r.month}, func() error {
			newest[m] = r
			return nil
		})
		return err
	})
	b.Queue(sqlRescopes, w.org).QueryRow(func(r pgx.Row) error { return r.Scan(&waiting) })
	return members, newest, waiting, w.pool.SendBatch(w.ctx, b).Close()
}
