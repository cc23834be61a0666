package wire

import (
	"encoding/json"

	"roadbook/record"
	"roadbook/version"
)

// What the frames of the live socket are, by their member t.
const (
	LiveWake    = "wake"    // there is something new; pull
	LiveChanges = "changes" // the page that a pull from a cursor would get
	LiveNotify  = "notify"  // something to show, such as an approval
	LiveCursor  = "cursor"  // a device says how far it is
	LivePing    = "ping"    // a device asks whether anybody is there
	LivePong    = "pong"    // somebody is
)

// Wake tells a device that the log goes at least up to Seq.
type Wake struct {
	T   string     `json:"t"`
	Seq record.Seq `json:"seq"`
}

// LiveRequest is what a device sends over the socket. Replica is whose
// outcomes a page tells; without it, those of the device's newest.
type LiveRequest struct {
	T       string          `json:"t"`
	Cursor  string          `json:"cursor,omitempty"`
	Replica version.Replica `json:"replica,omitempty"`
}

// LiveAnswer is what the server sends, when it is not yet known what.
type LiveAnswer struct {
	T   string     `json:"t"`
	Seq record.Seq `json:"seq"`
}

// LivePage is a page that comes by itself, for devices whose cursor is From.
// AppendChanges writes it.
type LivePage struct {
	T    string `json:"t"`
	From string `json:"from"`
	PullAnswer
}

// AppendChanges appends the frame that carries a page, as Finish wrote it, to
// devices whose cursor is from.
func AppendChanges(dst []byte, from string, page []byte) []byte {
	dst = record.AppendString(append(dst, `{"t":"changes","from":`...), from)
	return append(append(dst, ','), page[1:]...)
}

// quietBytes is more than a page has that tells nothing.
const quietBytes = 2 << 10

// Quiet reports whether a page, as Finish wrote it, tells a device nothing but
// how far it is: no changes, no verdicts, nothing that it loses, and nothing
// that is still on its way.
func Quiet(page []byte) bool {
	if len(page) > quietBytes {
		return false
	}
	var p struct {
		DropScopes json.RawMessage   `json:"drop_scopes"`
		Withdraw   json.RawMessage   `json:"withdraw"`
		Changes    []json.RawMessage `json:"changes"`
		Outcomes   json.RawMessage   `json:"outcomes"`
		Schema     json.RawMessage   `json:"schema"`
		Digests    json.RawMessage   `json:"digests"`
		Complete   bool              `json:"complete"`
		Filling    bool              `json:"filling"`
	}
	if json.Unmarshal(page, &p) != nil {
		return false
	}
	said := len(p.DropScopes) + len(p.Withdraw) + len(p.Changes) + len(p.Outcomes) + len(p.Schema) + len(p.Digests)
	return said == 0 && p.Complete && !p.Filling
}
