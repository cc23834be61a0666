package main

import (
	"context"
	"errors"

	"roadbook/demo"
	"roadbook/errs"
)

const seedHelp = `
The records are the demo's, in another number: people, accounts and half a year
of work. Every one of them goes through the same checks as a phone's. The 40
people can sign in as in the demo, with the password that everybody knows.

Interrupted, it goes on where it was when it is given again. An org that is
whole is left as it is: choose another name for another size. The server must
not run on the same data, unless the database is one of yours.`

func runSeed(ctx context.Context, c *console, args []string) error {
	set := c.flags("seed", seedHelp)
	records := set.Int("records", 42_000, "how many records, from about 2,000 to 10,000,000")
	name := set.String("org", "measure", "the org's name at sign-in")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if *records < 1 || *records > 10_000_000 {
		return errors.New("--records must be from 1 to 10,000,000")
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
	key, err := installationKey(cfg, in.folder)
	if err != nil {
		return err
	}
	engine := newEngine(in.pool, key, observers{log: c.logger(cfg)}, nil)
	defer engine.Close()

	f := &founder{pool: in.pool, people: newPeople(in.pool, key), engine: engine, tell: c.progress(20)}
	start := now()
	made, err := f.found(ctx, *name, demo.Scale(*records))
	if err != nil {
		return err
	}
	if made == 0 {
		return errs.New("roadbook.seed", errs.Clash, "there is an org %s already, and it is whole: choose another name with --org", *name)
	}
	took := now().Sub(start)
	c.say("the org %s has %s records, made in %.1f s (%s a second); sign in as in the demo",
		*name, thousands(made), took.Seconds(), thousands(int(float64(made)/took.Seconds())))
	return nil
}
