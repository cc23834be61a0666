// Command roadbook is the server and what an operator needs around it. It is
// the only place that reads the clock, chance and the environment; everything
// else is handed them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithCancel(context.WithoutCancel(signals))
	context.AfterFunc(signals, func() {
		stop() // the first signal asks for an orderly end, the second has its usual effect
		end()
	})
	os.Exit(realMain(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
