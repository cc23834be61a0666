// Command testpg looks after the PostgreSQL that tests share: start prints its
// address, stop ends it. Tests start it by themselves, and it stops when nobody
// has tested for a quarter of an hour.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"roadbook/store/pg/pgtest"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "testpg:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 {
		switch args[0] {
		case "start":
			dsn, err := pgtest.Start(ctx)
			if err == nil {
				fmt.Println(dsn)
			}
			return err
		case "stop":
			return pgtest.Stop(ctx)
		}
	}
	return errors.New("say start or stop")
}
