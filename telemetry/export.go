package telemetry

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exportWithin bounds one delivery to the collector.
const exportWithin = 10 * time.Second

// Export says where spans go.
type Export struct {
	Endpoint string            // the collector, http://host:4318; empty: nowhere
	Headers  map[string]string // that it wants
	Service  string            // under which name
	Ratio    float64           // of traces that are kept, 0 to 1
	Revision string            // of the program
}

// OpenTracer makes a tracer whose spans go to a collector by OTLP over HTTP,
// or none at all if there is no endpoint. A collector that does not answer
// costs spans and nothing else.
func OpenTracer(ctx context.Context, e Export) (*Tracer, error) {
	if e.Endpoint == "" {
		return nil, nil //nolint:nilnil // a nil tracer is one that does nothing
	}
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(strings.TrimRight(e.Endpoint, "/")+"/v1/traces"),
		otlptracehttp.WithHeaders(e.Headers),
		otlptracehttp.WithTimeout(exportWithin),
	)
	if err != nil {
		return nil, err
	}
	return NewTracer(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(e.Ratio))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", e.Service),
			attribute.String("service.version", e.Revision),
		)),
	), nil
}
