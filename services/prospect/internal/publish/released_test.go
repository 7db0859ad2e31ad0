package publish_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/metric/noop"
	"google.golang.org/protobuf/encoding/protojson"

	"eventprospect/mesh/outbox"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/telemetry"
	"eventprospect/services/prospect/internal/prospect"
	"eventprospect/services/prospect/internal/publish"
)

var update = flag.Bool("update", false, "write the released records that don't exist yet; one that exists is never written again")

// releasedIn is where the released records are: with who must be able to read them.
const releasedIn = "../../../event/internal/consumer/testdata/released"

// shapes are the records that this service publishes now, by the name of their file. A shape that changes gets a new name, for
// the records of the old one are on topics: their file stays.
var shapes = map[string]prospect.Announcement{
	"v1-created": {
		Kind: prospect.Created, ProspectID: "0195f0c8-2222-7000-8000-000000000002", Version: 1,
		Changed: []string{"first_name", "last_name", "filed_work", "id_event"}, FiledWork: "IT", IDEvent: "0195f0c8-3333-7000-8000-000000000003", Time: at,
	},
	"v1-created-bare": {Kind: prospect.Created, ProspectID: "0195f0c8-2222-7000-8000-000000000002", Version: 1, Time: at},
	"v1-updated": {
		Kind: prospect.Updated, ProspectID: "0195f0c8-2222-7000-8000-000000000002", Version: 7,
		Changed: []string{"first_name", "filed_work"}, FiledWork: "IT", IDEvent: "0195f0c8-3333-7000-8000-000000000003", Time: at,
	},
	"v1-deleted": {Kind: prospect.Deleted, ProspectID: "0195f0c8-2222-7000-8000-000000000002", Version: 8, FiledWork: "IT", Time: at},
}

// released is a record in its file.
type released struct {
	Key     string            `json:"key"`
	Headers map[string]string `json:"headers"`
	Value   string            `json:"value"`   // in hexadecimal
	Message json.RawMessage   `json:"message"` // what the value says, as JSON
}

// TestRecordsAreAsReleased compares what goes to Kafka, byte by byte, with what was released.
func TestRecordsAreAsReleased(t *testing.T) {
	t.Parallel()
	encode, _ := encoder(t)
	for name, announcement := range shapes {
		m, err := encode(t.Context(), announcement)
		if err != nil {
			t.Fatal(err)
		}
		m.Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
		wantReleased(t, filepath.Join(releasedIn, name+".json"), describe(t, published(t, m)))
	}
}

func wantReleased(t *testing.T, file string, got released) {
	t.Helper()
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && *update {
		write(t, file, got)
		return
	}
	if err != nil {
		t.Errorf("%v: is the shape new? Then write it with -update", err)
		return
	}
	var want released
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	want.Message, got.Message = compact(t, want.Message), compact(t, got.Message)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: the record is another than the released one; a new shape needs a new name: %s", file, diff)
	}
}

// write makes a file that isn't there yet.
func write(t *testing.T, file string, r released) {
	t.Helper()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write(append(text, '\n')); err != nil || out.Close() != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// compact drops the spaces of a JSON text; protojson sets them at random.
func compact(t *testing.T, text json.RawMessage) json.RawMessage {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func describe(t *testing.T, record *kgo.Record) released {
	t.Helper()
	message, err := protojson.Marshal(decode(t, record.Value))
	if err != nil {
		t.Fatal(err)
	}
	r := released{Key: string(record.Key), Headers: map[string]string{}, Value: hex.EncodeToString(record.Value), Message: compact(t, message)}
	for _, header := range record.Headers {
		r.Headers[header.Key] = string(header.Value)
	}
	return r
}

// published gives the record that a relay makes of a message.
func published(t *testing.T, m outbox.Message) *kgo.Record {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	cfg := stream.Defaults("prospect-events")
	cfg.Brokers, cfg.Partitions = kafka.ListenAddrs(), 1
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	relay, err := stream.NewRelay(&one{message: &m}, cfg, publish.Source, stream.Telemetry{Traces: traces, Metrics: noop.NewMeterProvider(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = relay.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	reader, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.ConsumeTopics(cfg.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for ctx.Err() == nil {
		if records := reader.PollFetches(ctx).Records(); len(records) > 0 {
			return records[0]
		}
	}
	t.Fatal("nothing was published")
	return nil
}

// one is an outbox that holds a single message. Only its relay uses it.
type one struct{ message *outbox.Message }

func (q *one) Claim(context.Context, string, int, time.Duration) ([]outbox.Message, error) {
	if q.message == nil {
		return nil, nil
	}
	return []outbox.Message{*q.message}, nil
}

func (*one) Renew(context.Context, string, []outbox.Message, time.Duration) error { return nil }

func (q *one) Waiting(context.Context) (outbox.Backlog, error) { return outbox.Backlog{}, nil }

func (q *one) Done(context.Context, []outbox.Message) error {
	q.message = nil
	return nil
}
