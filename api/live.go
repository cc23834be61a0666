package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"roadbook/access"
	"roadbook/api/words"
	"roadbook/errs"
	"roadbook/record"
)

// Sockets are the devices that listen: a socket.Hub.
type Sockets interface {
	// Serve opens a socket and returns. After an error nothing has been answered.
	Serve(w http.ResponseWriter, r *http.Request, who access.Caller) error
	// SignedOut closes the sockets of a device.
	SignedOut(org record.OrgID, device record.ID)
}

// live opens a socket. It speaks the language of the request that opened it.
func (s *Server) live(c *gin.Context) {
	if s.Sockets == nil {
		s.fail(c, coded("api.live", errs.Busy, "starting"))
		return
	}
	who, lang := caller(c), languageOf(c)
	who.Say = func(r *record.Refusal) *record.Refusal { return words.Refusal(r, lang) }
	if err := s.Sockets.Serve(c.Writer, c.Request, who); err != nil {
		s.fail(c, err)
		return
	}
	c.Status(http.StatusSwitchingProtocols) // for the log; it has been answered
}
