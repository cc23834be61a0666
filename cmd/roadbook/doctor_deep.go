package main

import (
	"context"
	"slices"

	"roadbook/config"
	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync"
)

// mostTold is how many faults of one sort are told one by one. All are counted.
const mostTold = 20

// inspect compares what the server has worked out with the records and logs of
// all orgs that it follows from.
func (d *doctor) inspect(ctx context.Context, pool *people.Pool) {
	engine := newEngine(pool, make([]byte, config.KeyBytes), observers{log: d.logger(d.cfg)}, nil) // it signs nothing
	defer engine.Close()
	orgs, err := store.LogEnds(ctx, pool)
	if err != nil {
		d.fail("deep", err)
		return
	}
	for _, o := range orgs {
		wrong, err := d.inspectOrg(ctx, engine, o.Org, d.repair)
		if err == nil && wrong > 0 && d.repair {
			_, err = d.inspectOrg(ctx, engine, o.Org, false)
		}
		if err != nil {
			d.fail("deep", err)
		}
	}
}

// inspectOrg looks at one org, and says how much was wrong. What was mended is
// no fault; whether it holds, the next look says.
func (d *doctor) inspectOrg(ctx context.Context, engine *sync.Engine, org record.OrgID, mend bool) (wrong int, err error) {
	counts := map[sync.Wrong]int{}
	mended := 0
	done, err := engine.Inspect(ctx, org, mend, func(f sync.Finding) {
		counts[f.What]++
		wrong++
		if f.Mended {
			mended++
		}
		switch n := counts[f.What]; {
		case n > mostTold:
		case f.Mended:
			d.say("mended %-9s %s", f.What, f.Text)
		default:
			d.say("wrong %-10s %s", f.What, f.Text)
		}
	})
	if err != nil {
		return wrong, err
	}
	for _, what := range sorted(counts) {
		if n := counts[what]; n > mostTold {
			d.say("      %-10s and %s more", what, thousands(n-mostTold))
		}
	}
	switch wrong {
	case 0:
		d.ok("deep", "org %d: %s rows of the log, %s records, %s memberships, %s rows of the index, %s of look-ups, %s who hold something",
			org, thousands(done.Rows), thousands(done.Records), thousands(done.Members), thousands(done.Index), thousands(done.Lookups),
			thousands(done.People))
	case mended:
		d.say("note  %-10s org %d: %s faults were mended; it is looked at once more", "deep", org, thousands(wrong))
	default:
		d.fail("deep", d.advice(org, wrong-mended, counts))
	}
	if done.Moving {
		d.say("note  %-10s org %d: the server is at work on subtrees or look-ups, which were left out; look again when it is through", "deep", org)
	}
	return wrong, nil
}

func (d *doctor) advice(org record.OrgID, wrong int, counts map[sync.Wrong]int) error {
	const op = "roadbook.doctor"

	if counts[sync.WrongLog]+counts[sync.WrongRecord] > 0 {
		return errs.New(op, errs.Invalid, "org %d: %s faults. What is wrong of the log or of records cannot be worked out from anything "+
			"else: find out whose hands were at the database, and restore a backup from before", org, thousands(wrong))
	}
	if d.repair {
		return errs.New(op, errs.Invalid, "org %d: %s faults are left although they were mended: please report them", org, thousands(wrong))
	}
	return errs.New(op, errs.Invalid, "org %d: %s faults, all of which follow from records and log: “roadbook doctor --deep --repair” "+
		"mends them", org, thousands(wrong))
}

func sorted(counts map[sync.Wrong]int) []sync.Wrong {
	var all []sync.Wrong
	for what := range counts {
		all = append(all, what)
	}
	slices.Sort(all)
	return all
}
