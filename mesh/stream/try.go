package stream

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// late is from which age on a record's span tells it.
const late = time.Minute

// try makes one attempt and returns what became of each record. An attempt under way is finished even if the process is stopping, unless
// it takes long.
func (c *Consumer) try(items []*item) []error {
	records, spans := make([]*kgo.Record, len(items)), make([]trace.Span, len(items))
	ctx := context.Background()
	for n, i := range items {
		var traced context.Context
		traced, spans[n] = c.tracer.WithProcessSpan(i.record)
		describe(spans[n], i.record)
		records[n] = i.record
		if len(items) == 1 { // what many share belongs to the trace of none
			ctx = context.WithoutCancel(traced)
		}
	}
	began := time.Now()
	results := c.call(ctx, records)
	c.counts.processed(time.Since(began), results)
	for n, err := range results {
		if err != nil {
			spans[n].RecordError(errors.New("record not applied"))
		}
		spans[n].End()
	}
	return results
}

// call calls the handler. A result that can't be is the same as a failure of all.
func (c *Consumer) call(ctx context.Context, records []*kgo.Record) (results []error) {
	ctx, cancel := context.WithTimeout(ctx, handleTimeout)
	defer cancel()
	defer context.AfterFunc(c.draining, cancel)()
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("panic while records were applied", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			results = all(len(records), fmt.Errorf("panic: %v", p))
		}
	}()
	results = c.handle(ctx, records)
	switch len(results) {
	case len(records):
		return results
	case 0:
		return all(len(records), nil)
	}
	return all(len(records), fmt.Errorf("%d results for %d records", len(results), len(records)))
}

func all(n int, err error) []error {
	results := make([]error, n)
	for i := range results {
		results[i] = err
	}
	return results
}

// describe says on a span what is unusual about its record: that it comes late, or again from the DLQ. It is in the trace of the
// request that caused it all the same.
func describe(span trace.Span, record *kgo.Record) {
	if !span.IsRecording() {
		return
	}
	if created, err := time.Parse(time.RFC3339Nano, headerOf(record, "ce_time")); err == nil {
		if age := time.Since(created); age > late {
			span.SetAttributes(attribute.Float64("messaging.message.age", age.Seconds()))
		}
	}
	if replayed := headerOf(record, HeaderReplayed); replayed != "" {
		span.SetAttributes(attribute.String("messaging.message.replayed", replayed))
	}
}

// headerOf gives the first value of a header; "" if there is none.
func headerOf(record *kgo.Record, key string) string {
	for _, h := range record.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
