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
	Device record.ID
	Token  string
}

// Answer is what a channel says of one address.
type Answer struct {
	Err    error         // nil: it was taken
	Gone   bool          // nobody will be there any more
	Again  bool          // it was not taken, and may be later
	After  time.Duration // and not before
	Silent bool          // it did not answer: nobody knows whether it was taken
}

// Channel is a way to devices. It answers for each address, in their order.
type Channel interface {
	Name() string
	Send(ctx context.Context, m Message, to []Address) []Answer
}
