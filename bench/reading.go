package bench

import (
	"context"
	"time"

	"roadbook/record"
	"roadbook/version"
)

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// takeStart is how long a server takes from its start to its first answered
// pull, over a database that is warm.
func takeStart(ctx context.Context, w *world) ([]Row, error) {
	p, err := w.signIn(ctx, login(0))
	if err != nil {
		return nil, err
	}
	first, err := p.sync(ctx, "", "")
	if err != nil {
		return nil, err
	}
	var took []float64
	var idle, own []float64
	for range w.Runs {
		w.halt()
		begun := w.Now()
		if err := w.serve(ctx); err != nil {
			return nil, err
		}
		mb, err := w.resident()
		if err != nil {
			return nil, err
		}
		mine, err := w.memory("RssAnon:")
		if err != nil {
			return nil, err
		}
		if _, err := p.sync(ctx, first.cursor, ""); err != nil {
			return nil, err
		}
		took, idle, own = append(took, ms(w.Now().Sub(begun))), append(idle, mb), append(own, mine)
	}
	start, memory := row("start to first answered pull", "ms", took...), row("memory of an idle server", "MB", idle...)
	return []Row{
		start.target("< 500", start.Value < 500), memory.target("< 60", memory.Value < 60),
		row("of it the server's own, without the program's file", "MB", own...),
	}, nil
}

// takeFirstSync is an empty device that fills.
func takeFirstSync(ctx context.Context, w *world) ([]Row, error) {
	small, err := w.firstSync(ctx, "lead", w.Size.Team*w.Size.PerRep)
	if err != nil {
		return nil, err
	}
	large, err := w.firstSync(ctx, "director", w.Size.Region*w.Size.PerRep)
	return append(small, large...), err
}

func (w *world) firstSync(ctx context.Context, user string, records int) ([]Row, error) {
	p, err := w.signIn(ctx, user)
	if err != nil {
		return nil, err
	}
	if _, err := w.selectTime(ctx, records); err != nil { // makes the table
		return nil, err
	}
	var took, limit, rate, copied []float64
	var zipped synced
	for range w.Runs {
		plain, err := w.selectTime(ctx, records)
		if err != nil {
			return nil, err
		}
		got, err := p.sync(ctx, "", "")
		if err != nil {
			return nil, err
		}
		out, err := w.copyRate(ctx, records)
		if err != nil {
			return nil, err
		}
		took, limit = append(took, ms(got.took)), append(limit, ms(plain))
		rate, copied = append(rate, float64(got.records)/got.took.Seconds()), append(copied, out)
	}
	if zipped, err = p.sync(ctx, "", "zstd"); err != nil {
		return nil, err
	}
	name := "first sync of " + figure(float64(records)) + " records"
	if user == "director" {
		r := row(name, "records/s", rate...).beside("COPY out", copied)
		return []Row{r.target("≥ 0.50", r.Ratio >= 0.5).note("%s ms in all, %d records, %.1f MB plain, %.2f MB zstd",
			figure(median(took)), zipped.records, float64(zipped.plain)/1e6, float64(zipped.bytes)/1e6)}, nil
	}
	r := row(name, "ms", took...).beside("plain SELECT", limit)
	size := row("its bytes, compressed", "MB", float64(zipped.bytes)/1e6)
	return []Row{
		r.target("≤ 40", r.Value <= 40).note("%d records, %.1f MB plain", zipped.records, float64(zipped.plain)/1e6),
		size.target("≤ 1.6", size.Value <= 1.6),
	}, nil
}

// takeDelta is a device that has everything and asks for 100 changed records,
// one field of each.
func takeDelta(ctx context.Context, w *world) ([]Row, error) {
	lead, err := w.signIn(ctx, "lead")
	if err != nil {
		return nil, err
	}
	director, err := w.signIn(ctx, "director")
	if err != nil {
		return nil, err
	}
	held, err := lead.sync(ctx, "", "")
	if err != nil {
		return nil, err
	}
	all, err := director.sync(ctx, "", "")
	if err != nil {
		return nil, err
	}
	if err := w.changeHundred(ctx); err != nil {
		return nil, err
	}
	var few, many []float64
	var zipped synced
	for range 10 * w.Runs {
		a, err := lead.sync(ctx, held.cursor, "zstd")
		if err != nil {
			return nil, err
		}
		b, err := director.sync(ctx, all.cursor, "zstd")
		if err != nil {
			return nil, err
		}
		few, many, zipped = append(few, ms(a.took)), append(many, ms(b.took)), a
	}
	small, large := figure(float64(w.Size.Team*w.Size.PerRep)), figure(float64(w.Size.Region*w.Size.PerRep))
	of10k, of100k := row("delta of 100 out of "+small, "ms", few...), row("delta of 100 out of "+large, "ms", many...)
	size := row("its bytes, compressed", "KB", float64(zipped.bytes)/1000)
	of100k = of100k.beside("out of "+small, []float64{of10k.Value})
	return []Row{
		of10k.target("≤ 2", of10k.Value <= 2), of100k.target("≤ 2, ≤ 1.2 ×", of100k.Value <= 2 && of100k.Ratio <= 1.2),
		size.target("≤ 4", size.Value <= 4),
	}, nil
}

// changeHundred changes one field of 100 accounts of the first rep.
func (w *world) changeHundred(ctx context.Context) error {
	p, err := w.signIn(ctx, login(0))
	if err != nil {
		return err
	}
	edits := make([]record.Edit, min(100, w.Size.Accounts))
	for i := range edits {
		edits[i] = record.Edit{
			Op: record.OpEdit, Kind: "account", ID: w.accounts[0][i], Seen: version.Vector{version.Log: uint64(w.head)},
			Set: record.Values{}.With("short_name", text("新简称")),
		}
	}
	frame, err := p.frame(edits)
	if err != nil {
		return err
	}
	return p.push(ctx, frame)
}
