package telemetry

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	prometheusexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

// Metrics makes the instruments of one service, and tells what they measured. There are no globals: who measures is given this.
type Metrics struct {
	metric.MeterProvider
	// Handler tells all of it, in Prometheus' text format or OpenMetrics, as who asks prefers.
	Handler http.Handler

	stop func(context.Context) error
}

// NewMetrics makes the metrics of one service, with those of the Go runtime and of the process.
func NewMetrics(service string) (*Metrics, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := prometheusexporter.New(prometheusexporter.WithRegisterer(registry), prometheusexporter.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter),
		sdkmetric.WithResource(resource.NewSchemaless(semconv.ServiceName(service))))
	return &Metrics{
		MeterProvider: provider, stop: provider.Shutdown,
		Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}),
	}, nil
}

// Stop ends all instruments.
func (m *Metrics) Stop(ctx context.Context) error { return m.stop(ctx) }
