package people

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"

	"roadbook/errs"
)

// What a password's hash costs: OWASP's figures for argon2id on a machine that
// does other work too. It is about 30 ms of one core, so a stolen table is
// slow to guess from and a sign-in does not hold up a push.
const (
	argonMemoryKiB = 19 << 10
	argonTime      = 2
	argonThreads   = 1 // the cores are for other requests
	saltBytes      = 16
	hashBytes      = 32
)

// hashingAtOnce is how many passwords are hashed at once: on half of the cores,
// 19 MiB each, so that a morning on which everybody signs in leaves the other
// half to those who work. The others wait.
func hashingAtOnce() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// Limits of a password: as many characters as guessing at maxLoginFailures
// per window cannot get through, and as many bytes as a passphrase may need.
const (
	minPasswordRunes = 8
	maxPasswordBytes = 256
)

var errHash = errors.New("a stored password is damaged")

// hash is a password made unreadable, with what it takes to compare.
type hash struct {
	memory, time uint32
	threads      uint8
	salt, sum    []byte
}

// decoy is compared when there is nobody to compare with, so that an unknown
// name takes as long as a wrong password. Nothing matches it.
func decoy() hash {
	return hash{
		memory: argonMemoryKiB, time: argonTime, threads: argonThreads,
		salt: make([]byte, saltBytes), sum: make([]byte, hashBytes),
	}
}

// hashPassword hashes with today's parameters; chance makes the salt.
func hashPassword(password, chance string) hash {
	salt := sha256.Sum256([]byte(chance))
	h := decoy()
	h.salt = salt[:saltBytes]
	h.sum = h.of(password)
	return h
}

func (h hash) of(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.sum)))
}

func (h hash) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.of(password), h.sum) == 1
}

// String is the PHC form, which carries its own parameters: hashes made under
// other ones stay good.
func (h hash) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, h.memory, h.time, h.threads, b64(h.salt), b64(h.sum))
}

func parseHash(text string) (hash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hash{}, errHash
	}
	var h hash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return hash{}, fmt.Errorf("%w: %w", errHash, err)
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	h.sum, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(err1, err2); err != nil {
		return hash{}, fmt.Errorf("%w: %w", errHash, err)
	}
	if h.time < 1 || h.threads < 1 || len(h.sum) == 0 {
		return hash{}, errHash
	}
	return h, nil
}

// seat waits for one of the places at which passwords are hashed. The caller
// gives it back.
func (s *Service) seat(ctx context.Context) (leave func(), err error) {
	select {
	case s.seats <- struct{}{}:
		return func() { <-s.seats }, nil
	case <-ctx.Done():
		return nil, errs.New("people.seat", errs.Busy, "too many people are signing in; try again").
			Coded("sign_in").Because(ctx.Err())
	}
}
