// Package wire is the protocol in bytes: the frames that devices and servers
// exchange, read strictly where they are known and tolerantly where they are
// not. Server, socket and SDK share it, and its golden files are the contract.
package wire

import (
	"encoding/json"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/version"
)

// Limits of a frame.
const (
	MaxPush      = 500     // mutations in one push
	MaxPushBytes = 8 << 20 // its body, decompressed
	MaxDepth     = 32      // nesting inside a mutation, itself included
	MaxLineage   = 64      // replicas that one device has been
	MaxAfter     = 100     // mutations that one follows: it replaces pending values, two per edit
	MaxName      = 128     // bytes of a replica, an epoch, a schema version or a kind
	MaxReceipt   = 512     // bytes of a receipt, with room for a longer MAC than today's

	MaxPullBytes     = 64 << 10 // a pull's body: twenty pins and all kinds are under 40 KB
	DefaultPageBytes = 900_000  // under the 1 MB that a mini-program stores under one key
	MaxPageBytes     = 4 << 20
	MaxPins          = 20
	MaxKinds         = 256
	MaxWaitMS        = 25_000 // below what proxies and mini-programs cut
)

// LoginRequest is what a person signs in with.
type LoginRequest struct {
	Org      string     `json:"org"`
	User     string     `json:"user"`
	Password string     `json:"password"`
	Device   DeviceInfo `json:"device"`
	Fresh    bool       `json:"fresh,omitempty"` // ask for a new replica
}

// DeviceInfo says what device it is. Install is made with the local store and
// dies with it.
type DeviceInfo struct {
	Install  string `json:"install"`
	Kind     string `json:"kind"` // phone, mini, web, connector
	Platform string `json:"platform,omitempty"`
	App      string `json:"app,omitempty"`
}

// LoginAnswer is what a device needs to begin.
type LoginAnswer struct {
	AccessToken  string          `json:"access_token"`
	ExpiresIn    int             `json:"expires_in"`
	RefreshToken string          `json:"refresh_token"`
	Actor        Actor           `json:"actor"`
	Device       record.ID       `json:"device"`
	Replica      version.Replica `json:"replica"`
	NextN        uint64          `json:"next_n"`
	JudgedID     string          `json:"judged_id"`
	Epoch        string          `json:"epoch"`
	Schema       string          `json:"schema"`
	ServerTime   time.Time       `json:"server_time"`
}

// Actor is who has signed in.
type Actor struct {
	ID    record.ID `json:"id"`
	Name  string    `json:"name"`
	Roles []string  `json:"roles"`
}

// RefreshRequest asks for new tokens.
type RefreshRequest struct {
	RefreshToken string `json:"refresh_token"`
	Install      string `json:"install,omitempty"`
}

// RefreshAnswer carries them.
type RefreshAnswer struct {
	AccessToken  string    `json:"access_token"`
	ExpiresIn    int       `json:"expires_in"`
	RefreshToken string    `json:"refresh_token"`
	ServerTime   time.Time `json:"server_time"`
}

// Push is a device's outbox on its way.
type Push struct {
	Replica   version.Replica   `json:"replica"`
	Epoch     string            `json:"epoch,omitempty"`
	Prev      string            `json:"prev"` // id of the mutation before the first; "" before n 1
	SentMS    int64             `json:"sent_ms,omitempty"`
	Schema    string            `json:"schema,omitempty"`
	Cursor    string            `json:"cursor,omitempty"`  // where the device stands: proves what it has seen to a server that has lost it
	Lineage   []Ancestor        `json:"lineage,omitempty"` // what the replica was before, oldest first: for a server that has lost it
	Mutations []record.Mutation `json:"mutations"`
}

// Ancestor is a replica that a device was, and the last number that is its own.
type Ancestor struct {
	Replica version.Replica `json:"replica"`
	Last    uint64          `json:"last"`
}

// PushAnswer is what became of it.
type PushAnswer struct {
	Outcomes   []record.Outcome `json:"outcomes"`
	NextN      uint64           `json:"next_n"`
	Durable    Durable          `json:"durable"`
	High       version.Stamp    `json:"high"`
	Epoch      string           `json:"epoch"`
	ServerTime time.Time        `json:"server_time"`
}

// Durable is the position of the log that is known to be on a second machine
// or in the archive.
type Durable struct {
	Epoch string     `json:"epoch"`
	Seq   record.Seq `json:"seq"`
}

// Problem is every error answer: RFC 9457, with the members that a device acts
// on. Outcomes to IDs are those of a hole and of a fork.
type Problem struct {
	Status    int          `json:"status"`
	Title     string       `json:"title"`
	Detail    string       `json:"detail"`
	Kind      string       `json:"kind"`
	Code      string       `json:"code,omitempty"`
	Fields    []errs.Field `json:"fields,omitempty"`
	RequestID string       `json:"request_id,omitempty"`

	Outcomes []record.Outcome  `json:"outcomes,omitzero"`
	FromN    uint64            `json:"from_n,omitempty"`
	Replica  version.Replica   `json:"replica,omitempty"`
	NextN    uint64            `json:"next_n,omitempty"`
	IDs      map[string]string `json:"ids,omitempty"` // n to id, of the last 64
	Epoch    string            `json:"epoch,omitempty"`
	Judged   map[string]uint64 `json:"judged,omitempty"` // of a log that was restored: how far each replica of this device is known
	Apart    bool              `json:"apart,omitempty"`  // where the device's log and this one part is not known
}

// PullRequest asks for what is new.
type PullRequest struct {
	Replica  version.Replica `json:"replica"`
	Cursor   string          `json:"cursor"`
	MaxBytes int             `json:"max_bytes,omitempty"`
	Want     *Want           `json:"want,omitempty"`
	Digest   bool            `json:"digest,omitempty"`
	WaitMS   int             `json:"wait_ms,omitempty"`
}

// Want is what a device wishes to hold.
type Want struct {
	Pins  []record.ID `json:"pins,omitzero"`  // none at all, if it is empty
	From  string      `json:"from,omitempty"` // the first month, "2026-08"
	Kinds []string    `json:"kinds,omitzero"` // all that the role reads, if it is empty
}

// Gone is why a record leaves a device.
type Gone string

// The two ways to go.
const (
	GoneDeleted Gone = "deleted"
	GoneLeft    Gone = "left"
)

// Change is what a device is told about one record. Exactly one of Gone, Full
// and a partial Set is meant; a change of In alone has none of them, so there
// Set is nil. A Set that is empty says that only hidden fields changed.
type Change struct {
	Kind string        `json:"kind"`
	ID   record.ID     `json:"id"`
	Seq  record.Seq    `json:"seq"`
	Full bool          `json:"full,omitempty"`
	In   []string      `json:"in,omitempty"`
	Set  record.Values `json:"set,omitzero"`
	Gone Gone          `json:"gone,omitempty"`
}

// Withdraw takes fields of a kind away from a device, or all of the kind if it
// names none.
type Withdraw struct {
	Kind   string   `json:"kind"`
	Fields []string `json:"fields,omitempty"`
}

// Digest sums up what a device must hold of one scope: the records, and the
// sum of Sum over them.
type Digest struct {
	Count int    `json:"count"`
	Sum   string `json:"sum"` // 16 hexadecimal digits
}

// PullAnswer is one page.
type PullAnswer struct {
	DropScopes []string          `json:"drop_scopes,omitempty"`
	Withdraw   []Withdraw        `json:"withdraw,omitempty"`
	Want       *Want             `json:"want,omitempty"` // what the device is shown from here on
	Changes    []Change          `json:"changes"`
	Outcomes   []record.Outcome  `json:"outcomes,omitempty"`
	Schema     json.RawMessage   `json:"schema,omitempty"`
	Sight      string            `json:"sight,omitempty"` // stands for what the person may see; with every schema
	Cursor     string            `json:"cursor"`
	Complete   bool              `json:"complete"`
	Filling    bool              `json:"filling"`
	Horizon    record.Seq        `json:"horizon"`
	Epoch      string            `json:"epoch"`
	Durable    Durable           `json:"durable"`
	High       version.Stamp     `json:"high"`
	Digests    map[string]Digest `json:"digests,omitempty"`
	Differ     map[string]Bits   `json:"differ,omitempty"` // of a comparison: by scope, the leaves that are to be mended
	// PinsRefused are those of the accounts asked for that the person may not
	// pin: they are not there, not for him, or no account.
	PinsRefused []record.ID `json:"pins_refused,omitempty"`
	ServerTime  time.Time   `json:"server_time"`
}
