package socket

import (
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/gorilla/websocket"

	"roadbook/access"
	"roadbook/errs"
)

// bearer begins the subprotocol in which a browser sends its token, for it
// cannot set a header.
const bearer = "bearer."

// Token is the access token that a request to open a socket carries as its
// subprotocol, or "".
func Token(r *http.Request) string {
	if !websocket.IsWebSocketUpgrade(r) {
		return ""
	}
	for _, p := range websocket.Subprotocols(r) {
		if token, ok := strings.CutPrefix(p, bearer); ok {
			return token
		}
	}
	return ""
}

// Serve opens a socket for somebody, and returns; the socket lives on. After an
// error nothing has been answered.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, who access.Caller) error {
	if !websocket.IsWebSocketUpgrade(r) {
		return notASocket(nil)
	}
	s := &socket{hub: h, who: who, held: true}
	if err := h.join(s); err != nil {
		return err
	}
	var answer http.Header
	if token := Token(r); token != "" {
		answer = http.Header{"Sec-Websocket-Protocol": {bearer + token}}
	}
	conn, err := h.upgrader.Upgrade(w, r, answer)
	if err != nil {
		h.leave(s)
		if wrong, ok := errors.AsType[websocket.HandshakeError](err); ok {
			return notASocket(wrong)
		}
		return nil // the device has gone before it was answered
	}
	if tcp, ok := conn.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // a larger one is only larger
	}
	s.open(conn.NetConn()) // nothing has been read ahead: gorilla refuses who speaks before he is answered
	go s.idle()
	return nil
}

func notASocket(cause error) error {
	return errs.New("socket.Serve", errs.Invalid, "This address is for a websocket.").Coded("upgrade").Because(cause)
}

// refused leaves the answer to whoever called Serve.
func refused(http.ResponseWriter, *http.Request, int, error) {}

func anyOrigin(*http.Request) bool { return true }
