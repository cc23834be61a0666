package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"roadbook/store/pg"
)

// batch is statements that are sent in one go, lists already in the form in
// which PostgreSQL reads them. Made by the driver, the lists of one commit cost
// more memory than all the rest of it: a third of the program's time.
type batch struct{ all []queued }

type queued struct {
	sql  pg.SQL
	args []any // a list, or what the driver writes
}

// list is an array as PostgreSQL reads it.
type list []byte

// texts are texts whose bytes are at hand; nil is SQL's null.
type texts [][]byte

// Queue adds a statement.
func (b *batch) Queue(sql pg.SQL, args ...any) {
	for i, arg := range args {
		args[i] = encodeList(arg)
	}
	b.all = append(b.all, queued{sql, args})
}

// begins and commits are statements like any other, so that they travel with
// the rest.
const (
	begins  pg.SQL = "BEGIN"
	commits pg.SQL = "COMMIT"
)

// send sends everything and reads every answer. The first error is that of the
// statement which failed; those behind it were not run.
func (b *batch) send(ctx context.Context, conn *pgx.Conn) error {
	names, params := make([]string, len(b.all)), make([][][]byte, len(b.all))
	for i, q := range b.all {
		prepared, err := conn.Prepare(ctx, q.sql, q.sql)
		if err != nil {
			return err
		}
		names[i] = prepared.Name
		if params[i], err = q.params(conn.TypeMap(), prepared.ParamOIDs); err != nil {
			return err
		}
	}
	size := 0
	for _, of := range params {
		size += 128
		for _, param := range of {
			size += 4 + len(param)
		}
	}
	p := conn.PgConn().StartPipeline(ctx)
	conn.PgConn().Frontend().Send(room(size))
	for i := range names {
		p.SendQueryPrepared(names[i], params[i], binaryFormat, nil)
	}
	err := p.Sync()
	for range names {
		if err != nil {
			break
		}
		var results any
		results, err = p.GetResults()
		if reader, is := results.(*pgconn.ResultReader); is && err == nil {
			_, err = reader.Close()
		}
	}
	return cmp.Or(err, p.Close())
}

// room is no message: it makes the driver's buffer large enough for all that
// comes, which would otherwise grow step by step and be copied at each.
type room int

func (n room) Encode(b []byte) ([]byte, error) { return slices.Grow(b, int(n)), nil }
func (room) Decode([]byte) error               { return errors.New("there is nothing in it") }
func (room) Frontend()                         {}

var binaryFormat = []int16{pgtype.BinaryFormatCode}

func (q *queued) params(types *pgtype.Map, oids []uint32) ([][]byte, error) {
	if len(q.args) != len(oids) {
		return nil, fmt.Errorf("a statement takes %d arguments, not %d: %s", len(oids), len(q.args), q.sql)
	}
	params := make([][]byte, len(q.args))
	for i, arg := range q.args {
		if l, is := arg.(list); is {
			params[i] = l
			continue
		}
		var err error
		if params[i], err = types.Encode(oids[i], pgtype.BinaryFormatCode, arg, nil); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return params, nil
}

// encodeList writes the lists that commits have; everything else is left to the
// driver. One that is nil is null, as the driver has it.
func encodeList(arg any) any {
	switch all := arg.(type) {
	case []int16:
		return fixed(all, pgtype.Int2OID, 2, func(b []byte, v int16) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) })
	case []int32:
		return fixed(all, pgtype.Int4OID, 4, func(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) })
	case []int64:
		return fixed(all, pgtype.Int8OID, 8, func(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) })
	case [][16]byte:
		return fixed(all, pgtype.UUIDOID, 16, func(b []byte, v [16]byte) []byte { return append(b, v[:]...) })
	case []*[16]byte:
		return varied(all, pgtype.UUIDOID, func(v *[16]byte) []byte {
			if v == nil {
				return nil
			}
			return v[:]
		})
	case [][]byte:
		return varied(all, pgtype.ByteaOID, func(v []byte) []byte { return v })
	case texts:
		return varied(all, pgtype.TextOID, func(v []byte) []byte { return v })
	}
	return arg
}

const listHeader = 20

// header begins a list: one dimension counted from 1, in which there may be
// nulls. An empty one has no dimension.
func header(b []byte, oid uint32, n int) []byte {
	if n == 0 {
		return binary.BigEndian.AppendUint32(append(b, 0, 0, 0, 0, 0, 0, 0, 0), oid)
	}
	b = binary.BigEndian.AppendUint32(append(b, 0, 0, 0, 1, 0, 0, 0, 1), oid)
	return append(binary.BigEndian.AppendUint32(b, uint32(n)), 0, 0, 0, 1)
}

func fixed[T any](all []T, oid uint32, size int, add func([]byte, T) []byte) list {
	if all == nil {
		return nil
	}
	b := header(make([]byte, 0, listHeader+len(all)*(4+size)), oid, len(all))
	for _, v := range all {
		b = add(binary.BigEndian.AppendUint32(b, uint32(size)), v)
	}
	return b
}

func varied[T any](all []T, oid uint32, bytes func(T) []byte) list {
	if all == nil {
		return nil
	}
	size := listHeader + 4*len(all)
	for _, v := range all {
		size += len(bytes(v))
	}
	b := header(make([]byte, 0, size), oid, len(all))
	for _, v := range all {
		value := bytes(v)
		if value == nil {
			b = append(b, 0xff, 0xff, 0xff, 0xff) // null
			continue
		}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...)
	}
	return b
}
