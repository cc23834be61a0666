package store

import (
	"encoding/binary"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"roadbook/record"
)

var errShape = errors.New("a row has another shape than was asked for")

func be32(b []byte) int32 { return int32(binary.BigEndian.Uint32(b)) }
func be64(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

// decoder reads the columns of a row in PostgreSQL's binary format. The first
// that has another shape is kept in err, and nothing is read of it.
type decoder struct {
	formats []pgconn.FieldDescription
	raw     [][]byte
	err     error
}

// column is the bytes of a column, which must be so many; nil if it is null.
func (d *decoder) column(i, size int) []byte {
	if i >= len(d.raw) || d.formats[i].Format != pgx.BinaryFormatCode || d.raw[i] != nil && size > 0 && len(d.raw[i]) != size {
		d.err = errShape
		return nil
	}
	return d.raw[i]
}

func (d *decoder) int16(i int) int16 {
	if b := d.column(i, 2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (d *decoder) int32(i int) int32 {
	if b := d.column(i, 4); b != nil {
		return be32(b)
	}
	return 0
}

func (d *decoder) int64(i int) int64 {
	if b := d.column(i, 8); b != nil {
		return be64(b)
	}
	return 0
}

func (d *decoder) id(i int, id *record.ID) {
	*id = record.NoID
	copy(id[:], d.column(i, len(id)))
}

// array hands out the elements of a flat array without nulls, each so many
// bytes. Its form: dimensions, whether there are nulls, type, length, lower
// bound, then length and bytes of each element.
func (d *decoder) array(i, size int, each func([]byte)) {
	const head = 20

	b := d.column(i, 0)
	if len(b) == 12 && be32(b) == 0 {
		return // empty
	}
	if len(b) < head || be32(b) != 1 || len(b) != head+int(be32(b[12:]))*(4+size) {
		d.err = errShape
		return
	}
	for b = b[head:]; len(b) > 0; b = b[4+size:] {
		if be32(b) != int32(size) {
			d.err = errShape
			return
		}
		each(b[4 : 4+size])
	}
}
