package wire

import "roadbook/record"

// What the frames of the live socket are, by their member t.
const (
	LiveWake    = "wake"    // there is something new; pull
	LiveChanges = "changes" // the page that a pull from a cursor would get
	LiveNotify  = "notify"  // something to show, such as an approval
	LiveCursor  = "cursor"  // a device says how far it is
	LivePing    = "ping"    // a device asks whether anybody is there
)

// Wake tells a device that the log goes at least up to Seq.
type Wake struct {
	T   string     `json:"t"`
	Seq record.Seq `json:"seq"`
}

// LiveRequest is what a device sends over the socket.
type LiveRequest struct {
	T      string `json:"t"`
	Cursor string `json:"cursor,omitempty"`
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
