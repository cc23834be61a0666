package pg_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/store/pg"
)

func TestLSN(t *testing.T) {
	t.Parallel()

	for _, text := range []string{"0/0", "0/16B3748", "A/1", "FFFFFFFF/FFFFFFFF"} {
		l, err := pg.ParseLSN(text)
		require.NoError(t, err)
		require.Equal(t, text, l.String())
	}
	for _, text := range []string{"", "1", "0/", "/0", "0/G", "100000000/0", "0/100000000", "-1/0"} {
		_, err := pg.ParseLSN(text)
		require.Error(t, err, text)
	}
}
