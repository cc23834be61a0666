package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/store/pg"
	"roadbook/version"
)

// A replica's number is random, so that no restore of the database can give it
// out twice, and positive. Its name is the number in base 32 in a fixed width:
// names then sort as numbers do, which merging relies on.
const (
	replicaDigits = "0123456789abcdefghijklmnopqrstuv"
	replicaWidth  = 7 // 31 bits, five in each
)

// ReplicaName is a replica's name on the wire.
func ReplicaName(id record.ReplicaID) version.Replica {
	var name [replicaWidth]byte
	rest := uint32(id)
	for i := replicaWidth - 1; i >= 0; i-- {
		name[i] = replicaDigits[rest&31]
		rest >>= 5
	}
	return version.Replica(name[:])
}

// ReplicaNo is the number of a name. It is false for what no replica is called.
func ReplicaNo(name version.Replica) (record.ReplicaID, bool) {
	if len(name) != replicaWidth {
		return 0, false
	}
	var no uint64
	for i := range replicaWidth {
		var digit byte
		switch c := name[i]; {
		case c >= '0' && c <= '9':
			digit = c - '0'
		case c >= 'a' && c <= 'v':
			digit = c - 'a' + 10
		default:
			return 0, false
		}
		no = no<<5 | uint64(digit)
	}
	if no < 1 || no > 1<<31-1 {
		return 0, false
	}
	return record.ReplicaID(no), true
}

// Querier is a pool, a connection or a transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Replica is a replica as its device must know it: how far it has been judged.
type Replica struct {
	ID     record.ReplicaID
	Name   version.Replica
	N      uint64    // last number judged
	LastID record.ID // of mutation N; none before the first
}

// maxDraws is how often a number is drawn before something else must be wrong:
// with 10,000 replicas in an org one draw in 200,000 meets one.
const maxDraws = 8

// Two claims for one device queue here, so that both get the same replica.
var replicasQueue = pg.Statement("replicas_queue", `
	SELECT pg_advisory_xact_lock(hashtextextended($2::uuid::text, $1::int))`)

var replicasNewest = pg.Statement("replicas_newest", `
	SELECT r.id, r.n, r.last
	  FROM replicas r
	 WHERE r.org = $1 AND r.device = $2 AND NOT r.online
	 ORDER BY r.made DESC
	 LIMIT 1`)

var replicasInsert = pg.Statement("replicas_insert", `
	INSERT INTO replicas (org, id, device, person)
	VALUES ($1, $2, $3, $4)
	ON CONFLICT (org, id) DO NOTHING`)

// ClaimReplica finds the newest replica of a device, or makes one if it has
// none or asks for a fresh one. draw gives random numbers; one that is taken is
// drawn again.
func ClaimReplica(
	ctx context.Context, tx pgx.Tx, org record.OrgID, device, person record.ID, fresh bool, draw func() int32,
) (Replica, error) {
	if _, err := tx.Exec(ctx, replicasQueue, org, device); err != nil {
		return Replica{}, pg.Classify(fmt.Errorf("queueing for the replicas of device %s: %w", device, err))
	}
	if !fresh {
		newest, found, err := NewestReplica(ctx, tx, org, device)
		if found || err != nil {
			return newest, err
		}
	}
	for range maxDraws {
		id := drawReplica(draw)
		tag, err := tx.Exec(ctx, replicasInsert, org, id, device, person)
		if err != nil {
			return Replica{}, pg.Classify(fmt.Errorf("adding replica %d: %w", id, err))
		}
		if tag.RowsAffected() == 1 {
			return Replica{ID: id, Name: ReplicaName(id)}, nil
		}
	}
	return Replica{}, errs.New("store.ClaimReplica", errs.Busy, "no replica number was free; try again").Coded("replica")
}

var replicasOnline = pg.Statement("replicas_online", `
	SELECT r.id
	  FROM replicas r
	 WHERE r.org = $1 AND r.device = $2 AND r.online AND r.person = $3`)

var replicasInsertOnline = pg.Statement("replicas_insert_online", `
	INSERT INTO replicas (org, id, device, person, online)
	VALUES ($1, $2, $3, $4, true)
	ON CONFLICT (org, id) DO NOTHING`)

// OnlineReplica is the replica under which a device writes while it is online,
// made when it is first asked for.
func (s *Store) OnlineReplica(
	ctx context.Context, org record.OrgID, device, person record.ID, draw func() int32,
) (id record.ReplicaID, err error) {
	err = s.pool.QueryRow(ctx, replicasOnline, org, device, person).Scan(&id)
	if !errors.Is(err, pgx.ErrNoRows) {
		return id, pg.Classify(err)
	}
	err = pg.InTx(ctx, s.pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, replicasQueue, org, device); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, replicasOnline, org, device, person).Scan(&id)
		for range maxDraws {
			if !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			if _, err := tx.Exec(ctx, replicasInsertOnline, org, drawReplica(draw), device, person); err != nil {
				return err
			}
			err = tx.QueryRow(ctx, replicasOnline, org, device, person).Scan(&id)
		}
		return err
	})
	return id, err
}

// drawReplica draws a number and leaves its sign out.
func drawReplica(draw func() int32) record.ReplicaID {
	return max(1, record.ReplicaID(draw()&(1<<31-1)))
}

// NewestReplica is the name under which a device writes now, if it has one.
func NewestReplica(ctx context.Context, q Querier, org record.OrgID, device record.ID) (Replica, bool, error) {
	var r Replica
	var last *record.ID
	err := q.QueryRow(ctx, replicasNewest, org, device).Scan(&r.ID, &r.N, &last)
	if errors.Is(err, pgx.ErrNoRows) {
		return Replica{}, false, nil
	}
	if err != nil {
		return Replica{}, false, pg.Classify(fmt.Errorf("newest replica of device %s: %w", device, err))
	}
	r.Name = ReplicaName(r.ID)
	if last != nil {
		r.LastID = *last
	}
	return r, true, nil
}

// Org is a customer of ours.
type Org struct {
	ID   record.OrgID
	UID  record.ID // ids that follow from others begin here
	Name string
}

var orgsByName = pg.Statement("orgs_by_name", `SELECT o.id, o.uid, o.name FROM orgs o WHERE o.name = $1`)

// OrgByName finds an org by what people type when they sign in. One that is
// not there is missing, code org.
func OrgByName(ctx context.Context, q Querier, name string) (Org, error) {
	var o Org
	err := q.QueryRow(ctx, orgsByName, name).Scan(&o.ID, &o.UID, &o.Name)
	if errors.Is(err, pgx.ErrNoRows) {
		return Org{}, errs.New("store.OrgByName", errs.Missing, "there is no such organisation").Coded("org")
	}
	if err != nil {
		return Org{}, pg.Classify(fmt.Errorf("org by name: %w", err))
	}
	return o, nil
}

// NewOrg is what an org begins with.
type NewOrg struct {
	Name  string
	UID   record.ID
	Epoch string
	Draw  func() int32 // gives a random number for the server's own replica
}

// Everything an org needs before its first commit. The server's replica
// belongs to no device; its person is the org itself.
var orgsInsert = pg.Statement("orgs_insert", `
	WITH org AS (
	     INSERT INTO orgs (uid, name) VALUES ($1, $2)
	     ON CONFLICT (name) DO NOTHING
	     RETURNING id, uid),
	head AS (
	     INSERT INTO heads (org, server, epoch, chain)
	     SELECT o.id, $3, $4, decode(repeat('00', 32), 'hex') FROM org o),
	server AS (
	     INSERT INTO replicas (org, id, device, person)
	     SELECT o.id, $3, '00000000-0000-0000-0000-000000000000', o.uid FROM org o),
	scope AS (
	     INSERT INTO scopes (org, name)
	     SELECT o.id, $5 FROM org o)
	SELECT o.id FROM org o`)

// CreateOrg adds an org with an empty log. A name that is taken is a clash,
// code org; nothing is changed then.
func CreateOrg(ctx context.Context, q Querier, o NewOrg) (record.OrgID, error) {
	var id record.OrgID
	err := q.QueryRow(ctx, orgsInsert, o.UID, o.Name, drawReplica(o.Draw), o.Epoch, record.Catalogue).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, errs.New("store.CreateOrg", errs.Clash, "there is an organisation of this name already").Coded("org")
	}
	if err != nil {
		return 0, pg.Classify(fmt.Errorf("adding an org: %w", err))
	}
	return id, nil
}

// Log is what a device must know of an org's log before it begins.
type Log struct {
	Epoch  string
	Schema string // the version in force; "" before the first
}

var headsLog = pg.Statement("heads_log", `
	SELECT h.epoch, coalesce(s.body ->> 'version', '')
	  FROM heads h
	  LEFT JOIN schemas s ON s.org = h.org AND s.seq = h.schema
	 WHERE h.org = $1`)

// LogOf reads an org's epoch and schema version without holding up its commits.
func LogOf(ctx context.Context, q Querier, org record.OrgID) (Log, error) {
	var l Log
	err := q.QueryRow(ctx, headsLog, org).Scan(&l.Epoch, &l.Schema)
	if errors.Is(err, pgx.ErrNoRows) {
		return Log{}, errs.New("store.LogOf", errs.Missing, "there is no such organisation").Coded("org")
	}
	if err != nil {
		return Log{}, pg.Classify(fmt.Errorf("log of org %d: %w", org, err))
	}
	return l, nil
}

var actorsOne = pg.Statement("actors_one", `
	SELECT a.id, a.name, a.roles, a.active
	  FROM actors a
	 WHERE a.org = $1 AND a.id = $2`)

// ActorOf reads what one person may do now. Somebody who is not known is
// missing, code person.
func ActorOf(ctx context.Context, q Querier, org record.OrgID, person record.ID) (Person, error) {
	var p Person
	err := q.QueryRow(ctx, actorsOne, org, person).Scan(&p.ID, &p.Name, &p.Roles, &p.Active)
	if errors.Is(err, pgx.ErrNoRows) {
		return Person{}, errs.New("store.ActorOf", errs.Missing, "there is no such person").Coded("person")
	}
	if err != nil {
		return Person{}, pg.Classify(fmt.Errorf("person %s: %w", person, err))
	}
	return p, nil
}
