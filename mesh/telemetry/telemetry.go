// Package telemetry gives a process its log, its traces and its metrics.
package telemetry

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/exporters/zipkin" //nolint:staticcheck // deprecated in favour of OTLP, which a Zipkin server takes by an add-on only
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Config says where traces go.
type Config struct {
	// Zipkin is the URL that takes spans (Zipkin v2 API), such as http://localhost:9411/api/v2/spans. Empty: no span is kept, but the
	// trace context is passed on all the same.
	Zipkin string `koanf:"zipkin"`
	// SampleRatio is the share of traces that begin here and are kept, 0 to 1. A trace that began elsewhere keeps its
	// own decision.
	SampleRatio float64 `koanf:"sample_ratio"`
}

// Validate names the first setting that can't work.
func (c Config) Validate() error {
	if c.SampleRatio < 0 || c.SampleRatio > 1 {
		return fmt.Errorf("sample_ratio: %v is not between 0 and 1", c.SampleRatio)
	}
	return nil
}

// Traces makes spans and carries their context. There are no globals: who makes spans is given this.
type Traces struct {
	trace.TracerProvider
	propagation.TextMapPropagator

	stop func(context.Context) error
}

// NewTraces makes the traces of one service. Processors receive every kept span besides Zipkin.
func NewTraces(service string, cfg Config, processors ...sdktrace.SpanProcessor) (*Traces, error) {
	t := &Traces{
		TracerProvider: noop.NewTracerProvider(),
		// W3C Trace Context, and baggage with it.
		TextMapPropagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
		stop:              func(context.Context) error { return nil },
	}
	if cfg.Zipkin != "" {
		exporter, err := zipkin.New(cfg.Zipkin)
		if err != nil {
			return nil, fmt.Errorf("telemetry.zipkin: %w", err)
		}
		processors = append(processors, sdktrace.NewBatchSpanProcessor(exporter))
	}
	if len(processors) == 0 {
		return t, nil
	}
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.SampleRatio))),
		sdktrace.WithResource(resource.NewSchemaless(semconv.ServiceName(service))),
	}
	for _, p := range processors {
		options = append(options, sdktrace.WithSpanProcessor(p))
	}
	provider := sdktrace.NewTracerProvider(options...)
	t.TracerProvider, t.stop = provider, provider.Shutdown
	return t, nil
}

// Stop sends what is still waiting.
func (t *Traces) Stop(ctx context.Context) error { return t.stop(ctx) }

// Traceparent gives the W3C traceparent of the context's span; empty if there is none.
func (t *Traces) Traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// WithTraceparent continues the trace that a traceparent names.
func (t *Traces) WithTraceparent(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}
