// Package push tells people what they must know when they are not looking.
//
// A notification is a record of theirs: it is committed with or after what has
// caused it, comes to every device by a pull, and is read there without a
// network. What goes through a channel (Firebase, …) is only a knock: an id and a
// short title. Nothing is sent before the commit, nothing is lost when the server
// dies in between, and what one device has read no other is told of any more.
package push

import (
	"context"
	"time"

	"roadbook/record"
)

// MaxTitle is the longest title that is sent, in characters; ours have half as
// many at most.
const MaxTitle = 100

// Message is what a channel carries: no more than a lock screen may show.
type Message struct {
	ID       record.ID // of the notification
	Category string
	Title    string
	Collapse string    // a device shows the last message of each
	Expires  time.Time // after which it is not worth sending; no time is a day
	Read     bool      // it has been read elsewhere: what shows it is to go away, without a sound

	free bool // it is sent however much a device was told
}

// Address is where a channel finds one device.
type Address struct {
	Device  record.ID // or the person himself, if it reaches him and no device in particular
	Token   string
	Receipt string // what the channel gave for what it has shown
}

// Answer is what a channel says of one address.
type Answer struct {
	Err    error         // nil: it was taken
	Gone   bool          // nobody will be there any more
	Again  bool          // it was not taken, and may be later
	After  time.Duration // and not before
	Silent bool          // it did not answer: nobody knows whether it was taken

	Receipt string // by which the channel finds again what it has shown
}

// Channel is a way to devices. It answers for each address, in their order.
type Channel interface {
	Name() string
	Send(ctx context.Context, m Message, to []Address) []Answer
}

// Finder is a channel that finds people by what is known of them, so that no
// device has to name it.
type Finder interface {
	// Find is somebody's address, empty if he has none.
	Find(user *record.Record) string
}
