package stream

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

const (
	// waitedLong is from when on the span of a publication tells how long its message had waited.
	waitedLong = 10 * time.Second
	// waitedKey is the attribute that does, in seconds.
	waitedKey = "outbox.waited"
)

// waited is a hook after that which begins the span of a publication. The span is a child of the request's, however late it comes.
type waited struct{}

// timeKey is for the time of a record's message in the record's context.
type timeKey struct{}

func withTime(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, timeKey{}, at)
}

// OnProduceRecordBuffered implements kgo.HookProduceRecordBuffered.
func (waited) OnProduceRecordBuffered(record *kgo.Record) {
	at, ok := record.Context.Value(timeKey{}).(time.Time)
	if since := time.Since(at); ok && since >= waitedLong {
		trace.SpanFromContext(record.Context).SetAttributes(attribute.Float64(waitedKey, since.Seconds()))
	}
}
