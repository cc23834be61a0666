// Package sieve is the keys of all customers of an org in about nine bits each,
// for devices that are to warn of a duplicate without a signal. It says that a
// key may be there, or that it is not; what is behind it nobody can read from it.
package sieve

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/FastFilter/xorfilter"

	"roadbook/record/match"
)

// FalsePositive is how often a key that is not there seems to be: one of 256.
const FalsePositive = 1.0 / 256

// MaxBytes is the largest sieve that is read: seven million keys.
const MaxBytes = 8 << 20

const (
	magic    = "RBS1"
	saltSize = 16
	headSize = len(magic) + saltSize
	fuseHead = 28 // of the filter: a seed, four measures, and how many bytes follow
)

// Salt is an org's own: the sieves of two orgs cannot be compared.
type Salt [saltSize]byte

// Sieve is a binary fuse filter (Graf and Lemire, 2022) of 8 bits.
type Sieve struct {
	salt   Salt
	filter *xorfilter.BinaryFuse8 // nil if there is no key
}

// New makes the sieve of some keys in their short form. The same keys make the
// same sieve.
func New(salt Salt, keys []string) (*Sieve, error) {
	b := NewBuilder(salt)
	for _, k := range keys {
		b.Add([]byte(k))
	}
	return b.Sieve()
}

// Builder makes a sieve of very many keys, of which it keeps eight bytes each.
type Builder struct {
	salted []byte // the salt, and room for a key
	prints []uint64
}

// NewBuilder begins a sieve of nothing.
func NewBuilder(salt Salt) *Builder { return &Builder{salted: append(make([]byte, 0, 64), salt[:]...)} }

// Add takes in a key in its short form.
func (b *Builder) Add(key []byte) {
	b.prints = append(b.prints, printOf(append(b.salted, key...)))
}

// Sieve is that of all keys so far.
func (b *Builder) Sieve() (*Sieve, error) {
	salt := Salt(b.salted)
	slices.Sort(b.prints)
	b.prints = slices.Compact(b.prints)
	if len(b.prints) == 0 {
		return &Sieve{salt: salt}, nil
	}
	filter, err := xorfilter.PopulateBinaryFuse8(b.prints)
	if err != nil {
		return nil, fmt.Errorf("a sieve of %d keys: %w", len(b.prints), err)
	}
	return &Sieve{salt: salt, filter: filter}, nil
}

func printOf(salted []byte) uint64 {
	sum := sha256.Sum256(salted)
	return binary.BigEndian.Uint64(sum[:])
}

func (s Salt) print(key string) uint64 { return printOf(append(s[:], key...)) }

// May reports whether some record may have the key.
func (s *Sieve) May(k match.Key) bool {
	return s.filter != nil && s.filter.Contains(s.salt.print(k.Index()))
}

// Bytes is the sieve as it travels.
func (s *Sieve) Bytes() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(magic)
	b.Write(s.salt[:])
	if s.filter == nil {
		return b.Bytes(), nil
	}
	if err := s.filter.Save(&b); err != nil {
		return nil, fmt.Errorf("write a sieve: %w", err)
	}
	return b.Bytes(), nil
}

var errSieve = errors.New("this is no sieve")

// Read reads one, and refuses what it could not look up in.
func Read(b []byte) (*Sieve, error) {
	if len(b) < headSize || len(b) > MaxBytes || string(b[:len(magic)]) != magic {
		return nil, errSieve
	}
	s := &Sieve{salt: Salt(b[len(magic):headSize])}
	body := b[headSize:]
	if len(body) == 0 {
		return s, nil
	}
	if len(body) < fuseHead || uint64(binary.LittleEndian.Uint32(body[fuseHead-4:])) > uint64(len(body)) {
		return nil, errSieve
	}
	rest := bytes.NewReader(body)
	filter, err := xorfilter.LoadBinaryFuse8(rest)
	if err != nil {
		return nil, errSieve
	}
	if _, err := rest.ReadByte(); !errors.Is(err, io.EOF) || !whole(filter) {
		return nil, errSieve
	}
	s.filter = filter
	return s, nil
}

// whole reports whether every key of a filter is looked up within it.
func whole(f *xorfilter.BinaryFuse8) bool {
	length := uint64(f.SegmentLength)
	return length > 0 && length&(length-1) == 0 && f.SegmentLengthMask == f.SegmentLength-1 &&
		uint64(f.SegmentCountLength) == uint64(f.SegmentCount)*length &&
		uint64(f.SegmentCountLength)+2*length <= uint64(len(f.Fingerprints))
}
