package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"roadbook/api/crowd"
	"roadbook/errs"
)

// slackBytes is how much longer than its content a compressed body may be:
// what cannot be compressed grows a little.
const slackBytes = 64 << 10

// limit bounds what a request may send, and for how long. Nothing is read yet:
// a stranger's body on a route that needs a right costs us nothing.
func (s *Server) limit(maxBody int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		if maxBody == 0 {
			return
		}
		if _, err := encodingOf(c.Request.Header); err != nil {
			c.Header("Accept-Encoding", "zstd, gzip") // RFC 9110, 12.5.3
			s.fail(c, err)
			return
		}
		if c.Request.ContentLength > maxBody+slackBytes {
			s.fail(c, errTooLarge(maxBody))
			return
		}
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxBody+slackBytes)
		if err := setReadDeadline(c, after(c, bodySilence)); err != nil {
			s.fail(c, err)
		}
	}
}

// readBody returns the decompressed body. Both lengths are limited, as sent
// and as meant, so that no small body becomes a large one in memory; and share
// limits what all requests hold together.
func (s *Server) readBody(c *gin.Context, maxBody int64, share *crowd.Share) ([]byte, error) {
	if maxBody == 0 {
		return nil, nil
	}
	encoding, err := encodingOf(c.Request.Header)
	if err != nil {
		return nil, err
	}
	sent, err := io.ReadAll(share.Reader(pace(c)))
	if err != nil {
		return nil, readError(err, maxBody)
	}
	// The deadline would end the request that waits for its answer.
	if err := setReadDeadline(c, time.Time{}); err != nil {
		return nil, err
	}
	meant, err := s.unpack.body(encoding, sent, maxBody)
	if err != nil {
		return nil, err
	}
	if int64(len(meant)) > maxBody {
		return nil, errTooLarge(maxBody)
	}
	if encoding != "" {
		err = share.Take(len(meant))
	}
	return meant, err
}

// encodingOf is gzip, zstd or nothing.
func encodingOf(h http.Header) (string, error) {
	named := strings.ToLower(strings.TrimSpace(strings.Join(h.Values("Content-Encoding"), ",")))
	switch named {
	case "", "identity":
		return "", nil
	case "gzip", "x-gzip":
		return "gzip", nil
	case "zstd":
		return "zstd", nil
	}
	return "", coded("api.body", errs.Invalid, "encoding")
}

func errTooLarge(maxBody int64) *errs.Error {
	err := errs.New("api.body", errs.Invalid, "The request is too large; the most is %d KiB, decompressed.", maxBody>>10)
	return err.Coded("size")
}

// readError says why a body did not arrive.
func readError(err error, maxBody int64) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge(maxBody)
	}
	if _, ok := errors.AsType[*crowd.Full](err); ok {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return coded("api.body", errs.Busy, "slow").Because(err)
	}
	return coded("api.body", errs.Busy, "cut").Because(err)
}
