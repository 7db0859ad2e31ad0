package stream

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"eventprospect/mesh/fault"
)

// measured reads all that was measured, by name and the attributes that matter.
func measured(t *testing.T, reader *sdkmetric.ManualReader) map[string]int64 {
	t.Helper()
	var found metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &found); err != nil {
		t.Fatal(err)
	}
	values := map[string]int64{}
	for _, scope := range found.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					reason, _ := p.Attributes.Value("reason")
					values[m.Name+" "+reason.AsString()] = p.Value
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					partition, _ := p.Attributes.Value("messaging.destination.partition.id")
					values[m.Name+" "+partition.AsString()] = p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					kind, _ := p.Attributes.Value("error.type")
					values[m.Name+" "+kind.AsString()] = int64(p.Count)
				}
			}
		}
	}
	return values
}

func TestWhatIsMeasured(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	b.produce(t, keyed(0, "a1", "n1", "i1", "i2")...)
	b.produce(t, keyed(1, "a1", "f1", "b1", "c1", "f2")...)
	mended := make(chan struct{})
	reader := sdkmetric.NewManualReader()
	c, err := NewConsumer(b.cfg, "group", each(func(_ context.Context, r *kgo.Record) error {
		switch string(r.Key) {
		case "i":
			return fault.New(fault.Invalid, "bad")
		case "n":
			return fault.New(fault.Invalid, "new").Because(ErrNewer)
		case "f":
			select {
			case <-mended:
			default:
				return errors.New("passing")
			}
		}
		return nil
	}), Telemetry{noTraces(t), sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	c.attempts = 1 << 30
	stop := start(t, c.Run)
	eventually(t, "it is measured", func() bool {
		got := measured(t, reader)
		return got["messaging.client.consumed.messages "] == 9 && got["messaging.dlq.messages newer"] == 1 &&
			got["messaging.dlq.messages invalid"] == 2 && got["messaging.process.duration failed"] > 0 &&
			// Behind the record that fails, the others count, too: they come again after a crash.
			got["messaging.consumer.lag 0"] == 0 && got["messaging.consumer.lag 1"] == 4
	})
	close(mended)
	eventually(t, "nothing is left to do", func() bool { return measured(t, reader)["messaging.consumer.lag 1"] == 0 })
	if got := measured(t, reader)["messaging.process.duration "]; got == 0 {
		t.Error("no attempt went well")
	}
	stop()
	if got, there := measured(t, reader)["messaging.consumer.lag 1"]; there {
		t.Error(fmt.Sprint("a lag is told of a partition that was given back: ", got))
	}
}
