package sync

import (
	"context"
	"log/slog"
	"time"

	"roadbook/record"
	"roadbook/telemetry"
)

// watch follows one gathering for the operator: its span, with a step each
// below it, its time, and a line of the log. It decides nothing, and each part
// of it may be missing.
type watch struct {
	e     *Engine
	org   record.OrgID
	began time.Time
	ctx   context.Context
	taken bool

	gather, step telemetry.Span
}

// watch begins to follow.
func (e *Engine) watch(ctx context.Context, org record.OrgID) *watch {
	return &watch{e: e, org: org, began: e.Now(), ctx: ctx}
}

// take follows the jobs too. A gathering belongs to the trace of the first push
// that is in it; the others are linked with it.
func (w *watch) take(jobs []*job) {
	for _, j := range jobs {
		if w.taken {
			w.gather.Link(j.span)
			continue
		}
		w.taken = true
		w.ctx, w.gather = w.e.Tracer.Start(j.span.In(w.ctx), "gather")
	}
}

// enter ends one step and begins the next.
func (w *watch) enter(step string) context.Context {
	w.step.End(nil)
	ctx, span := w.e.Tracer.Start(w.ctx, step)
	w.step = span
	return ctx
}

// landed counts what is on the disk now, before anybody is told, which is the
// last step.
func (w *watch) landed(g *gathering) {
	w.enter("wake")
	took := w.e.Now().Sub(w.began)
	w.gather.Count("mutations", g.size)
	w.gather.Count("pushes", len(g.jobs))
	w.e.Metrics.Committed(took, g.size)
	for _, j := range g.jobs {
		w.e.count(j.outcomes)
	}
	if log := w.e.Log; log != nil && g.sealed != nil && log.Enabled(w.ctx, slog.LevelDebug) {
		log.LogAttrs(w.ctx, slog.LevelDebug, "commit",
			slog.Int(telemetry.KeyOrg, int(w.org)), slog.Int64(telemetry.KeySeq, int64(g.sealed.Head.Seq)),
			slog.Int(telemetry.KeyN, g.size), slog.Duration(telemetry.KeyTook, took))
	}
}

// end is the end, or the end of an attempt: who answers for one that failed
// says why.
func (w *watch) end(err error) {
	w.step.End(err)
	w.gather.End(err)
}

// count adds up what became of mutations.
func (e *Engine) count(outcomes []record.Outcome) {
	if e.Metrics == nil {
		return
	}
	var n [4]int
	for i := range outcomes {
		o := &outcomes[i]
		switch {
		case o.Repeated:
			n[telemetry.Repeated]++
			continue // its clashes were counted the first time
		case o.Result == record.Refused:
			n[telemetry.Refused]++
		case o.Result == record.Merged:
			n[telemetry.Merged]++
		default:
			n[telemetry.Applied]++
		}
		for _, c := range o.Clashes {
			e.Metrics.Clashed(c.Kind)
		}
	}
	for o, some := range n {
		e.Metrics.Judged(telemetry.Outcome(o), some)
	}
}
