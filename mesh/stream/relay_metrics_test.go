package stream

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"eventprospect/mesh/outbox"
)

// relayed gives what the instruments tell now: by their name, and the attribute error.type if there is one.
func relayed(t *testing.T, reader *sdkmetric.ManualReader) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					values[m.Name+errorTypeOf(p.Attributes)] += float64(p.Value)
				}
			case metricdata.Gauge[int64]:
				values[m.Name] = float64(data.DataPoints[0].Value)
			case metricdata.Gauge[float64]:
				values[m.Name] = data.DataPoints[0].Value
			}
		}
	}
	return values
}

func errorTypeOf(attributes attribute.Set) string {
	value, ok := attributes.Value("error.type")
	if !ok {
		return ""
	}
	return " " + value.AsString()
}

func TestTheRelayTellsWhatItSendsAndWhatWaits(t *testing.T) {
	t.Parallel()
	b, q, room, reader := newBroker(t), &queue{}, outbox.NewRoom(0), sdkmetric.NewManualReader()
	tell := telling(t, quiet(t))
	tell.Metrics = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	relay, err := NewRelay(q, b.cfg, "/thing", tell, WithRoom(room))
	if err != nil {
		t.Fatal(err)
	}
	relay.poll = time.Hour // only the look at the start
	b.troubled(1, func(asked *kmsg.ProduceRequest) (kmsg.Response, error) {
		return refusing(asked, always(kerr.TopicAuthorizationFailed)), nil
	})
	addAll(q, 1, 0, 7)
	b.away(true)
	start(t, relay.Run)
	eventually(t, "the room knows", func() bool { return room.Backlog().Count == 7 })
	for range 3 {
		got := relayed(t, reader)
		if age := time.Since(message("a", 0).Time).Seconds(); got["outbox.waiting"] != 7 || got["outbox.oldest.age"] < age-patience.Seconds() || got["outbox.oldest.age"] > age {
			t.Errorf("%v, want 7 since %v s", got, age)
		}
	}
	q.mu.Lock()
	if q.looks != 1 {
		t.Errorf("the outbox was looked at %d times: a scrape must not", q.looks)
	}
	q.mu.Unlock()
	b.away(false)
	eventually(t, "all are done", q.isEmpty)
	eventually(t, "it is counted", func() bool {
		got := relayed(t, reader)
		// A new relay begins with one message.
		return got["messaging.client.sent.messages"] == 7 && got["messaging.client.sent.messages TOPIC_AUTHORIZATION_FAILED"] == 1 &&
			got["outbox.waiting"] == 0 && got["outbox.oldest.age"] == 0
	})
}

func TestErrorType(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"":                    nil,
		"NOT_ENOUGH_REPLICAS": fmt.Errorf("wrapped: %w", kerr.NotEnoughReplicas),
		"timeout":             fmt.Errorf("wrapped: %w", kgo.ErrRecordTimeout),
		"canceled":            fmt.Errorf("wrapped: %w", context.Canceled),
		"_OTHER":              errors.New("127.0.0.1:40001 is gone"),
	} {
		if got := errorType(err); got != want {
			t.Errorf("%v is of type %q, want %q", err, got, want)
		}
	}
}
