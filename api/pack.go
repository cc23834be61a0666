package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	stdsync "sync"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"roadbook/errs"
	"roadbook/sync/wire"
)

// minPackedBytes is the answer that is worth compressing: less fits into one
// packet anyway.
const minPackedBytes = 1 << 10

// packed compresses answers for clients that ask for it, with zstd rather than
// gzip if they leave the choice. Fast levels: the last few percent would cost
// more time than the network saves.
func packed(h http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(
		gzhttp.MinSize(minPackedBytes),
		gzhttp.PreferZstd(true),
		gzhttp.CompressionLevel(gzip.BestSpeed),
		gzhttp.ZstdCompressionLevel(int(zstd.SpeedFastest)),
	)
	if err != nil {
		panic(err) // the options are constants
	}
	return wrap(h)
}

// maxUnpacking is how many bodies are decompressed at once, each to
// wire.MaxPushBytes at the most. It is work for the processor alone, so more
// would only hold more memory.
const maxUnpacking = 4

// unpacker decompresses bodies, which are all in memory and short, to texts,
// which may try to be long. Its decoders are shared and keep no window: what
// they have written is their window.
type unpacker struct {
	seats chan struct{} // as many unpack at once
	small *zstd.Decoder // into as much memory as it is given
	large *zstd.Decoder // up to wire.MaxPushBytes
	gzips *stdsync.Pool // of *gzip.Reader
}

func newUnpacker() unpacker {
	return unpacker{
		seats: make(chan struct{}, maxUnpacking),
		small: newDecoder(zstd.WithDecodeAllCapLimit(true)),
		large: newDecoder(),
		gzips: &stdsync.Pool{New: func() any { return new(gzip.Reader) }},
	}
}

// newDecoder takes any window up to that of RFC 9659, 8 MiB, which happens to
// be the length of the longest body. A larger one asks for memory that no body
// of ours needs, so it is answered as a body that is too large.
func newDecoder(options ...zstd.DOption) *zstd.Decoder {
	d, err := zstd.NewReader(nil, append(options,
		zstd.WithDecoderConcurrency(0), // one for each processor; more have to wait
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(wire.MaxPushBytes),
		zstd.WithDecoderMaxWindow(wire.MaxPushBytes),
	)...)
	if err != nil {
		panic(err) // the options are constants
	}
	return d
}

// body decompresses sent. The result is at most one byte longer than maxBody.
func (u unpacker) body(encoding string, sent []byte, maxBody int64) (meant []byte, err error) {
	if encoding != "" {
		u.seats <- struct{}{}
		defer func() { <-u.seats }()
	}
	switch encoding {
	case "gzip":
		meant, err = u.gzip(sent, maxBody)
	case "zstd":
		meant, err = u.zstd(sent, maxBody)
	default:
		return sent, nil
	}
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return nil, errTooLarge(maxBody).Because(err)
	}
	if err != nil {
		return nil, coded("api.body", errs.Invalid, "malformed").Because(fmt.Errorf("%s: %w", encoding, err))
	}
	return meant, nil
}

func (u unpacker) gzip(sent []byte, maxBody int64) ([]byte, error) {
	r, _ := u.gzips.Get().(*gzip.Reader)
	defer u.gzips.Put(r)
	if err := r.Reset(bytes.NewReader(sent)); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxBody+1))
}

func (u unpacker) zstd(sent []byte, maxBody int64) ([]byte, error) {
	if maxBody > wire.MaxPullBytes {
		return u.large.DecodeAll(sent, nil)
	}
	return u.small.DecodeAll(sent, make([]byte, 0, maxBody))
}
