package store

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// What PostgreSQL sends is read as it is; what has another shape is refused
// and never read past its end.
func TestDecoder(t *testing.T) {
	t.Parallel()

	three := []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0, 1, 0}
	read := func(format int16, raw []byte) (got []int32, err error) {
		d := decoder{formats: []pgconn.FieldDescription{{Format: format}}, raw: [][]byte{raw}}
		d.array(0, 4, func(b []byte) { got = append(got, be32(b)) })
		return got, d.err
	}
	got, err := read(pgx.BinaryFormatCode, three)
	require.NoError(t, err)
	require.Equal(t, []int32{7, 256}, got)
	got, err = read(pgx.BinaryFormatCode, make([]byte, 12))
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = read(pgx.TextFormatCode, three)
	require.ErrorIs(t, err, errShape)
	for cut := range three {
		_, err := read(pgx.BinaryFormatCode, three[:cut])
		if cut != 12 { // twelve bytes of zero dimensions would be empty; these have one
			require.ErrorIs(t, err, errShape, "%d bytes", cut)
		}
	}

	d := decoder{formats: make([]pgconn.FieldDescription, 3), raw: [][]byte{{0, 5}, {0, 0, 0, 0, 0, 0, 0, 9}, nil}}
	for i := range d.formats {
		d.formats[i].Format = pgx.BinaryFormatCode
	}
	id := record.MustID("0190aaaa-0000-7000-8000-000000000001")
	require.EqualValues(t, 5, d.int16(0))
	require.EqualValues(t, 9, d.int64(1))
	d.id(2, &id)
	require.True(t, id.IsZero(), "null is no id")
	require.NoError(t, d.err)
	d.int64(0)
	require.ErrorIs(t, d.err, errShape)
}
