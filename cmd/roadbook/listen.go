package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"roadbook/errs"
)

// listen takes the address, or says who has it.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	const op = "roadbook.listen"

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE) && answers(ctx, addr, "/healthz"):
		return nil, errs.New(op, errs.Busy, "a Roadbook serves on %s already: use that one, stop it, or choose another "+
			"address in ROADBOOK_ADDR", addr)
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, errs.New(op, errs.Busy, "another program listens on %s: stop it, or choose another address, for "+
			"example ROADBOOK_ADDR=127.0.0.1:8081", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, errs.New(op, errs.Denied, "this user may not listen on %s: choose a port from 1024 on in "+
			"ROADBOOK_ADDR", addr)
	}
	return nil, errs.New(op, errs.Invalid, "Roadbook cannot listen on %s: name an address of this machine in "+
		"ROADBOOK_ADDR", addr).Because(err)
}

// answers reports whether a Roadbook answers there that all is well.
func answers(ctx context.Context, addr, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, urlOf(addr)+path, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	var condition struct{ Status string }
	err = json.NewDecoder(io.LimitReader(answer.Body, 1<<10)).Decode(&condition)
	return err == nil && answer.StatusCode == http.StatusOK && condition.Status == "ok"
}

// urlOf is where a browser on this machine finds what listens on addr.
func urlOf(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(strings.ToLower(host), port)
}
