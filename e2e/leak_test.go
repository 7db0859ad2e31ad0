package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"eventprospect/e2e/client"
)

// searchForLeaks looks for the names of people, and for tokens, in the log, in the traces and on the topics.
func searchForLeaks(t *testing.T, w *world, names []string) {
	t.Helper()
	secrets := append(names, w.Tokens()...)
	if len(secrets) < len(names)+3 {
		t.Fatalf("%d names, and %d tokens", len(names), len(w.Tokens()))
	}
	searchIn(t, "the log", []string{w.log.String()}, secrets)
	var spans []string
	for _, span := range w.spans.Ended() {
		spans = append(spans, textOf(span))
	}
	searchIn(t, "the traces", spans, secrets)
	searchIn(t, "the topics", records(t, w.system.Kafka, w.topic, w.topic+".dlq"), secrets)
}

func searchIn(t *testing.T, where string, texts, secrets []string) {
	t.Helper()
	size := 0
	for _, text := range texts {
		size += len(text)
		for _, secret := range secrets {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s: %q is in %s", where, secret, text[max(0, at-200):min(len(text), at+200)])
			}
		}
	}
	if size == 0 {
		t.Errorf("there is nothing in %s to search in", where)
	}
	t.Logf("searched %d bytes of %s for %d secrets", size, where, len(secrets))
}

// textOf is all that a span tells.
func textOf(span sdktrace.ReadOnlySpan) string {
	return fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Links(), span.Status(), span.SpanContext().TraceState())
}

// records reads all that is on some topics now: keys, values and headers.
func records(t *testing.T, broker string, topics ...string) []string {
	t.Helper()
	kafka, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	defer cancel()
	ends := endsOf(ctx, t, kafka, topics)
	var all []string
	for int64(len(all)) < ends {
		fetches := kafka.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			all = append(all, fmt.Sprintf("%s %s %q", r.Key, r.Value, r.Headers))
		})
	}
	return all
}

// endsOf counts the records of some topics.
func endsOf(ctx context.Context, t *testing.T, kafka *kgo.Client, topics []string) int64 {
	t.Helper()
	ends, err := kadm.NewClient(kafka).ListEndOffsets(ctx, topics...)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	ends.Each(func(end kadm.ListedOffset) { total += end.Offset })
	return total
}
