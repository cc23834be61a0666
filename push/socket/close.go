package socket

// Close codes say whether to come back: 4000 to 4499 yes, 4500 to 4999 no. A
// client goes by the range, so that it obeys codes that it has never heard of.
const (
	CloseStopping  = 4000 // the server stops: come back, not all at once
	CloseExpired   = 4001 // the token has run out: refresh it, then come back
	CloseFailed    = 4002 // something went wrong on our side: come back later
	CloseSignedOut = 4500 // signed out, or taken out of use: sign in first
	CloseReplaced  = 4501 // the device has opened too many others
	CloseMalformed = 4502 // what was said cannot be read
)

var reasons = map[int]string{
	CloseStopping:  "stopping",
	CloseExpired:   "expired",
	CloseFailed:    "failed",
	CloseSignedOut: "signed out",
	CloseReplaced:  "replaced",
	CloseMalformed: "malformed",
}
