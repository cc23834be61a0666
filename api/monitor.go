package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"

	"github.com/gin-gonic/gin"

	"roadbook/errs"
)

// recognise lets a monitor in: with the token, if there is one, or else from this
// very machine. To everybody else there is nothing here.
func (s *Server) recognise(c *gin.Context) {
	if s.MetricsToken == "" {
		if !isLocal(c.Request) {
			s.noRoute(c)
		}
		return
	}
	token, err := bearer(c.GetHeader("Authorization"))
	if err == nil && !same(token, s.MetricsToken) {
		err = coded("api.recognise", errs.Anonymous, "token")
	}
	if err != nil {
		s.fail(c, err)
	}
}

// forwarding are the headers of a proxy that stands on this machine: what
// comes through it comes from anywhere.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

func isLocal(r *http.Request) bool {
	for _, h := range forwarding {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// same compares in a time that tells nothing, not even the length.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// metrics is what a monitor reads.
func (s *Server) metrics(context.Context, *call) (*reply, error) {
	body, contentType, err := s.Metrics.Text()
	if err != nil {
		return nil, errs.New("api.metrics", errs.Internal, "the metrics could not be gathered").Because(err)
	}
	return &reply{contentType: contentType, body: body}, nil
}
