package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"roadbook/record"
)

// Time and chance enter the program here and nowhere else. Everything below is
// handed these functions, or a simulation's.

func now() time.Time { return time.Now() }

// newID is a UUID of version 7.
func newID() record.ID { return record.ID(uuid.Must(uuid.NewV7())) }

// newToken is 32 random bytes as text that fits a URL.
func newToken() string { return base64.RawURLEncoding.EncodeToString(randomBytes(32)) }

// drawReplica is a random number above zero. Names of replicas must not be
// guessed, so it comes from where keys come from.
func drawReplica() int32 {
	for {
		if n := int32(binary.BigEndian.Uint32(randomBytes(4)) >> 1); n > 0 {
			return n
		}
	}
}

// randomBytes never fails: without chance the process ends.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
