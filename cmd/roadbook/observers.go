package main

import (
	"context"
	"log/slog"
	"time"

	"roadbook/config"
	"roadbook/errs"
	"roadbook/modules/people"
	"roadbook/record/shipped"
	"roadbook/telemetry"
)

// tracesWithin is what the last spans get to be sent when the server stops.
const tracesWithin = 3 * time.Second

// observers are how the operator sees what goes on. Only the log is always
// there.
type observers struct {
	log     *slog.Logger
	metrics *telemetry.Metrics
	tracer  *telemetry.Tracer
}

// observe makes what a server is observed with.
func (c *console) observe(ctx context.Context, cfg config.Config) (observers, error) {
	o := observers{log: c.logger(cfg), metrics: newMetrics()}
	var err error
	o.tracer, err = telemetry.OpenTracer(ctx, telemetry.Export{
		Endpoint: string(cfg.TraceEndpoint), Headers: cfg.TraceHeaders.Reveal(),
		Service: cfg.TraceService, Ratio: float64(cfg.TraceRatio), Revision: revision(),
	})
	if err != nil {
		return o, errs.New("roadbook.observe", errs.Invalid, "the traces cannot be sent: correct "+
			"OTEL_EXPORTER_OTLP_ENDPOINT, or leave it empty").Because(err)
	}
	return o, nil
}

func newMetrics() *telemetry.Metrics {
	o := telemetry.MetricsOptions{Revision: revision()}
	for _, k := range errs.Kinds() {
		o.Failures = append(o.Failures, string(k))
	}
	for _, k := range shipped.Schema().Kinds {
		o.Kinds = append(o.Kinds, k.Name)
	}
	return telemetry.NewMetrics(o)
}

// watchPool has the metrics show how the connections stand.
func (o observers) watchPool(pool *people.Pool) {
	o.metrics.WatchPool(func() telemetry.Pool {
		s := pool.Stat()
		return telemetry.Pool{
			Max: s.MaxConns(), Used: s.AcquiredConns(), Idle: s.IdleConns(),
			Waits: s.EmptyAcquireCount(), WaitSeconds: s.EmptyAcquireWaitTime().Seconds(),
		}
	})
}

// readyWithin is what a scrape waits for the database at most.
const readyWithin = 3 * time.Second

// watchReady has the metrics show what /readyz says.
func (o observers) watchReady(ctx context.Context, ready func(context.Context) error) {
	o.metrics.WatchReady(func() bool {
		ctx, cancel := context.WithTimeout(ctx, readyWithin)
		defer cancel()
		return ready(ctx) == nil
	})
}

// fault hears of what goes wrong behind nobody's request, whoever says so: the
// engine, the feed, the archive, or what keeps the database tidy.
func (o observers) fault(err error) {
	o.metrics.Fault()
	o.log.Error("behind the requests", telemetry.KeyErr, err)
}

// flush sends the spans that are still here. A collector that is away costs
// them, and no more.
func (o observers) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesWithin)
	defer cancel()
	if err := o.tracer.Close(ctx); err != nil {
		o.log.Warn("the last traces were not sent", telemetry.KeyErr, err)
	}
}
