package sieve_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record/match"
	"roadbook/record/match/sieve"
	"roadbook/record/shipped"
)

var salt = sieve.Salt{1, 2, 3}

// customer is the keys of one of many customers: a name, a telephone number, a
// tax number.
func customer(i int) []match.Key {
	values := map[string][]string{
		"name": {fmt.Sprintf("第%d超市有限公司", i)}, "phones": {fmt.Sprintf("138%08d", i)}, "tax_no": {fmt.Sprintf("91310000MA%08d", i)},
	}
	return shipped.Schema().Kind("account").Match.Of(func(field string) []string { return values[field] })
}

func customers(from, to int) (keys []string) {
	for i := from; i < to; i++ {
		for _, k := range customer(i) {
			keys = append(keys, k.Index())
		}
	}
	return keys
}

// O-19: 200,000 customers fit into a megabyte, none of them is missed, and of
// those that are not there as many seem to be as is promised.
func TestSieve_twoHundredThousandCustomers(t *testing.T) {
	t.Parallel()

	const there, probes = 200_000, 100_000
	made, err := sieve.New(salt, customers(0, there))
	require.NoError(t, err)
	text, err := made.Bytes()
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), 1<<20)
	s, err := sieve.Read(text)
	require.NoError(t, err)

	for i := range there / 10 {
		for _, k := range customer(i * 10) {
			require.True(t, s.May(k), "customer %d", i)
		}
	}
	wrong, asked := 0, 0
	for i := there; i < there+probes/4; i++ {
		for _, k := range customer(i) {
			if asked++; s.May(k) {
				wrong++
			}
		}
	}
	rate := float64(wrong) / float64(asked)
	t.Logf("%d bytes, %.2f bits a key, %.5f false (of %d)", len(text), float64(len(text))*8/float64(len(customers(0, 1))*there), rate, asked)
	require.InDelta(t, sieve.FalsePositive, rate, 0.001)
}

func TestSieve_saysTheSame(t *testing.T) {
	t.Parallel()

	one, err := sieve.New(salt, append(customers(0, 100), customers(0, 50)...))
	require.NoError(t, err)
	other, err := sieve.New(salt, customers(0, 100))
	require.NoError(t, err)
	a, err := one.Bytes()
	require.NoError(t, err)
	b, err := other.Bytes()
	require.NoError(t, err)
	require.Equal(t, a, b, "so that it has one tag")

	none, err := sieve.New(salt, nil)
	require.NoError(t, err)
	text, err := none.Bytes()
	require.NoError(t, err)
	none, err = sieve.Read(text)
	require.NoError(t, err)
	require.False(t, none.May(customer(1)[0]))
}

func FuzzRead(f *testing.F) {
	s, err := sieve.New(salt, customers(0, 20))
	require.NoError(f, err)
	text, err := s.Bytes()
	require.NoError(f, err)
	f.Add(text)
	f.Add(text[:20])
	f.Fuzz(func(_ *testing.T, b []byte) {
		if s, err := sieve.Read(b); err == nil {
			s.May(customer(3)[0])
		}
	})
}
