package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/push/socket"
	"roadbook/sync/wire"
	"roadbook/telemetry"
)

// login signs a person in on a device.
func (s *Server) login(ctx context.Context, in *call) (*reply, error) {
	r, err := decode[wire.LoginRequest](in.body)
	if err != nil {
		return nil, err
	}
	answer, err := s.SignIn.Login(ctx, r, in.ip)
	if err != nil {
		return nil, err
	}
	return encode(answer)
}

// refresh gives new tokens for old.
func (s *Server) refresh(ctx context.Context, in *call) (*reply, error) {
	r, err := decode[wire.RefreshRequest](in.body)
	if err != nil {
		return nil, err
	}
	answer, err := s.SignIn.Refresh(ctx, r)
	if err != nil {
		return nil, err
	}
	return encode(answer)
}

// logout ends the device's tokens. What it holds and has yet to send is its
// own affair.
func (s *Server) logout(ctx context.Context, in *call) (*reply, error) {
	if err := s.SignIn.Logout(ctx, in.who); err != nil {
		return nil, err
	}
	if s.Sockets != nil {
		s.Sockets.SignedOut(in.who.Org, in.who.Device)
	}
	return nil, nil //nolint:nilnil // nothing is answered, and nothing is wrong
}

const callerKey = "roadbook.caller"

// caller is who is asking, or nobody on a public route.
func caller(c *gin.Context) access.Caller {
	value, _ := c.Get(callerKey)
	who, _ := value.(access.Caller)
	return who
}

// authenticate finds out who is asking. A public route does not look at the
// token: signing in must work with an old one in the header.
func (s *Server) authenticate(right access.Right) gin.HandlerFunc {
	return func(c *gin.Context) {
		switch right {
		case access.Public:
			return
		case access.Monitor:
			s.recognise(c)
			return
		}
		token, err := tokenOf(c.Request)
		if err != nil {
			s.fail(c, err)
			return
		}
		ctx := c.Request.Context()
		who, err := s.SignIn.Caller(ctx, token)
		if err != nil {
			s.fail(c, err)
			return
		}
		c.Set(callerKey, who)
		c.Request = c.Request.WithContext(telemetry.With(ctx,
			slog.Int(telemetry.KeyOrg, int(who.Org)),
			slog.String(telemetry.KeyActor, who.Person.String()),
		))
	}
}

// tokenOf finds the access token. A browser that opens a socket cannot set a
// header, so there it may be the subprotocol.
func tokenOf(r *http.Request) (string, error) {
	if token := socket.Token(r); token != "" && r.Header.Get("Authorization") == "" {
		return token, nil
	}
	return bearer(r.Header.Get("Authorization"))
}

func bearer(header string) (string, error) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", coded("api.authenticate", errs.Anonymous, "token")
	}
	return token, nil
}

// permit checks that the caller's roles carry the route's right. What he may
// do with which record is judged further down, by his grants.
func (s *Server) permit(right access.Right) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !access.May(caller(c).Roles, right) {
			s.fail(c, coded("api.permit", errs.Denied, "role"))
		}
	}
}
