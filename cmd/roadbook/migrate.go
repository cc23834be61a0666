package main

import (
	"context"

	"roadbook/migrations"
)

func runMigrate(ctx context.Context, c *console, args []string) error {
	set := c.flags("migrate", "serve does it too, at every start. Of several servers that start together, one does the work.")
	if err := c.parse(set, args); err != nil {
		return err
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	in, err := c.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer in.close(ctx)
	if err := in.migrate(ctx); err != nil {
		return err
	}
	c.say("the database is at step %d: %s", migrations.Version(), in.database(cfg))
	return nil
}
