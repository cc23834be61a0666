package device

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// packFrom is how long a body must be to be sent compressed: a shorter one
// fits into one packet of the network as it is.
const packFrom = 1 << 10

// packers are writers of gzip. Each is larger than most of what it packs, and
// a bench has thousands of devices, so all of them share a few.
var packers = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// pack compresses a body if that is worth it, and says how, for
// Content-Encoding.
func pack(body []byte) (sent []byte, encoding string) {
	if len(body) <= packFrom {
		return body, ""
	}
	w, _ := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	var b bytes.Buffer
	w.Reset(&b)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return b.Bytes(), "gzip"
}

// unpack reads a body to its end.
func unpack(res *http.Response) ([]byte, error) {
	body := io.Reader(res.Body)
	switch res.Header.Get("Content-Encoding") {
	case "gzip":
		gz, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = gz
	case "zstd":
		zs, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(maxAnswerBytes))
		if err != nil {
			return nil, err
		}
		defer zs.Close()
		body = zs
	}
	text, err := io.ReadAll(io.LimitReader(body, maxAnswerBytes+1))
	if err == nil && len(text) > maxAnswerBytes {
		err = errors.New("the answer is too long")
	}
	return text, err
}
