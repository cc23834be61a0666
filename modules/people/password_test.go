package people

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
)

func TestHash(t *testing.T) {
	t.Parallel()

	h := hashPassword("correct horse", "chance")
	read, err := parseHash(h.String())

	require.NoError(t, err)
	require.True(t, strings.HasPrefix(h.String(), "$argon2id$v=19$m=19456,t=2,p=1$"), h)
	require.Equal(t, h, read)
	require.True(t, read.matches("correct horse"))
	require.False(t, read.matches("correct horse "))
	require.NotEqual(t, h.salt, hashPassword("correct horse", "other").salt)
	require.False(t, decoy().matches(""))
}

func TestParseHash_damaged(t *testing.T) {
	t.Parallel()

	good := hash{memory: 8, time: 1, threads: 1, salt: []byte("salt"), sum: []byte("sum")}.String()
	for _, text := range []string{
		"",
		"secret",
		strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "t=1", "t=0", 1),
		strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "m=8", "m=-8", 1),
		good[:strings.LastIndex(good, "$")+1],
		good + "!",
		good + "$more",
	} {
		_, err := parseHash(text)
		require.ErrorIs(t, err, errHash, text)
	}
}

// The test takes every seat, and whoever comes next gives up waiting.
func TestService_seat(t *testing.T) {
	t.Parallel()
	s := &Service{seats: make(chan struct{}, hashingAtOnce())}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	leave, err := s.seat(t.Context())
	require.NoError(t, err)
	for range hashingAtOnce() - 1 {
		_, err := s.seat(t.Context())
		require.NoError(t, err)
	}

	_, full := s.seat(impatient)
	leave()
	_, again := s.seat(t.Context())

	require.Equal(t, errs.Busy, errs.KindOf(full))
	require.NoError(t, again)
}

func TestAddressSubject(t *testing.T) {
	t.Parallel()

	tests := []struct {
		remote, want string
	}{
		{"192.0.2.1", "address:192.0.2.1"},
		{"::ffff:192.0.2.1", "address:192.0.2.1"},
		{"2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"},
		{"fe80::1%eth0", "address:fe80::/64"},
		{"", ""},
		{"192.0.2.1:443", ""},
	}
	for _, tt := range tests {
		got, ok := addressSubject(tt.remote)
		require.Equal(t, tt.want, got.name)
		require.Equal(t, tt.want != "", ok)
	}
}
