package wire

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/version"
)

// Limits of a comparison.
const (
	MaxCheckBytes  = 8 << 20 // its body: the sums of 2,000 scopes, or 100,000 records by id and seq
	MaxCheckScopes = 2000    // scopes named at once: a manager of a thousand reps has as many
)

// CheckRequest compares what a device holds with what it must hold. The first
// question has the sums of all its scopes; the answer says which parts differ,
// and from which place the device goes on once these are mended. The further
// ones name what it has in such parts, some at a time.
type CheckRequest struct {
	Replica  version.Replica   `json:"replica"`
	Cursor   string            `json:"cursor"`          // its own, which may be too old; then the one of the first answer
	Sight    string            `json:"sight,omitempty"` // as the last page that had one said
	Want     *Want             `json:"want,omitempty"`
	MaxBytes int               `json:"max_bytes,omitempty"`
	Sums     map[string]Sums   `json:"sums,omitempty"`
	Leaves   map[string]Leaved `json:"leaves,omitempty"`
}

// Leaved is what a device has in some leaves of a scope.
type Leaved struct {
	At   Bits                     `json:"at"`
	Have map[record.ID]record.Seq `json:"have"`
}

// Sums are the sums of a scope's leaves. They travel as base64url of eight
// bytes each, big-endian.
type Sums [Leaves]uint64

// Add counts a record by its Sum.
func (s *Sums) Add(id record.ID, sum uint64) { s[Leaf(id)] += sum }

// Unlike are the leaves in which two differ.
func (s *Sums) Unlike(o *Sums) (b Bits) {
	for i := range s {
		if s[i] != o[i] {
			b.Set(uint8(i))
		}
	}
	return b
}

// MarshalText writes them down.
func (s Sums) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, 8*Leaves)
	for _, sum := range s {
		raw = binary.BigEndian.AppendUint64(raw, sum)
	}
	return base64.RawURLEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText takes no more and no less than all of them.
func (s *Sums) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.AppendDecode(nil, text)
	if err != nil || len(raw) != 8*Leaves {
		return fmt.Errorf("the sums of a scope are %d bytes as base64url", 8*Leaves)
	}
	for i := range s {
		s[i] = binary.BigEndian.Uint64(raw[8*i:])
	}
	return nil
}

// Bits are some of a scope's leaves, as 64 hexadecimal digits: leaf 0 is the
// highest bit of the first.
type Bits [Leaves / 8]byte

// AllLeaves are all of them.
func AllLeaves() (b Bits) {
	for i := range b {
		b[i] = 0xff
	}
	return b
}

// Set takes a leaf in.
func (b *Bits) Set(leaf uint8) { b[leaf/8] |= 0x80 >> (leaf % 8) }

// Clear takes a leaf out.
func (b *Bits) Clear(leaf uint8) { b[leaf/8] &^= 0x80 >> (leaf % 8) }

// Has reports whether a leaf is among them.
func (b Bits) Has(leaf uint8) bool { return b[leaf/8]&(0x80>>(leaf%8)) != 0 }

// IsZero reports whether there is none.
func (b Bits) IsZero() bool { return b == Bits{} }

// List are the leaves in order.
func (b Bits) List() []uint8 {
	var list []uint8
	for i := range Leaves {
		if b.Has(uint8(i)) {
			list = append(list, uint8(i))
		}
	}
	return list
}

// MarshalText writes them down.
func (b Bits) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b[:]), nil }

// UnmarshalText reads what MarshalText writes.
func (b *Bits) UnmarshalText(text []byte) error {
	if len(text) != 2*len(b) {
		return fmt.Errorf("leaves are %d hexadecimal digits", 2*len(b))
	}
	if _, err := hex.Decode(b[:], text); err != nil {
		return fmt.Errorf("leaves are %d hexadecimal digits", 2*len(b))
	}
	return nil
}

// ReadCheck reads a comparison. It is asked seldom, so it is read in the
// ordinary way.
func ReadCheck(body []byte) (*CheckRequest, error) {
	bad := func(code, field, detail string) error {
		err := errs.New("wire.ReadCheck", errs.Invalid,
			"The app asked for something that the server does not understand. Please update the app.").Coded(code)
		if field != "" {
			err = err.Of(errs.Field{Field: field, Detail: detail})
		}
		return err
	}
	if code := check(body, MaxCheckBytes); code != "" {
		return nil, bad(code, "", "")
	}
	r := &CheckRequest{}
	if err := json.Unmarshal(body, r); err != nil {
		return nil, bad(codeMember, "", "")
	}
	switch {
	case r.Replica == "" || len(r.Replica) > MaxName:
		return nil, bad("replica", "replica", "every comparison names the replica it is for")
	case len(r.Sums) > MaxCheckScopes || len(r.Leaves) > MaxCheckScopes:
		return nil, bad("scopes", "sums", fmt.Sprintf("at most %d scopes at once", MaxCheckScopes))
	case r.MaxBytes < 0 || r.MaxBytes > MaxPageBytes:
		return nil, bad("max_bytes", "max_bytes", fmt.Sprintf("a whole number up to %d is expected", MaxPageBytes))
	case r.Want != nil && (len(r.Want.Pins) > MaxPins || len(r.Want.Kinds) > MaxKinds):
		return nil, bad("want", "want", fmt.Sprintf("at most %d pins and %d kinds", MaxPins, MaxKinds))
	}
	if r.MaxBytes == 0 {
		r.MaxBytes = DefaultPageBytes
	}
	return r, nil
}
