package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "eventprospect/gen/event/v1"
	eventsv1 "eventprospect/gen/prospect/events/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/stream"
	"eventprospect/meshctl/app"
	"eventprospect/meshctl/internal/console"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is what the tool meets: a Kafka with the topics, and a process that is registry, Event and Prospect service in one.
type world struct {
	t        *testing.T
	kafka    *kfake.Cluster
	client   *kgo.Client
	services *services
	issuer   *meshtest.Issuer
	// environ is that of the tool.
	environ []string
	// at is the console, but for what is written; by default there is no terminal.
	at console.Console
}

const topic, dlq = "prospect-events", "prospect-events.dlq"

func newWorld(t *testing.T) *world {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	created, err := kadm.NewClient(client).CreateTopics(t.Context(), 2, 1, nil, topic, dlq)
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, kafka: fake, client: client, services: &services{}, issuer: meshtest.NewIssuer(t)}
	w.services.address = w.serve().Address
	w.environ = []string{
		"MESHCTL_KAFKA_BROKERS=" + strings.Join(fake.ListenAddrs(), ","), "MESHCTL_REGISTRY=" + w.services.address,
		"MESHCTL_TOKEN=" + w.issuer.Token("admin", "reader"), "MESHCTL_CALLS_TIMEOUT=2s",
	}
	return w
}

func (w *world) serve() *meshtest.Process {
	return meshtest.Run(w.t, "all", meshtest.Config(w.issuer, "", "all"), func(_ context.Context, a *mesh.App, _ mesh.Config) error {
		return a.ServeGRPC(func(s grpc.ServiceRegistrar) {
			registryv1.RegisterRegistryServiceServer(s, w.services)
			eventv1.RegisterRestoreServiceServer(s, w.services)
			prospectv1.RegisterOutboxServiceServer(s, w.services)
		})
	})
}

// run carries out a command line.
func (w *world) run(args ...string) (code int, out, err string) {
	w.t.Helper()
	return w.runIn(w.t.Context(), args...)
}

func (w *world) runIn(ctx context.Context, args ...string) (code int, out, err string) {
	var stdout, stderr bytes.Buffer
	at := w.at
	at.Out, at.Err = &stdout, &stderr
	if at.In == nil {
		at.In = strings.NewReader("")
	}
	code = app.Run(ctx, args, w.environ, at)
	return code, stdout.String(), stderr.String()
}

// must runs a command line that has to end with this code, and gives what it wrote.
func (w *world) must(code int, args ...string) string {
	w.t.Helper()
	got, out, err := w.run(args...)
	if got != code {
		w.t.Fatalf("meshctl %s ended with %d, want %d:\n%s%s", strings.Join(args, " "), got, code, out, err)
	}
	return out
}

// services are the services that the tool calls.
type services struct {
	registryv1.UnimplementedRegistryServiceServer
	eventv1.UnimplementedRestoreServiceServer
	prospectv1.UnimplementedOutboxServiceServer

	address string

	mu sync.Mutex
	// restored are the ids of the events' messages; batches are how many each call brought.
	restored map[string]bool
	batches  []int
	// answers are how the next calls of RestoreEvents end; one that is nil lets it do its work.
	answers []func() error
	// refused is a prospect of which no message is taken, for a rule that isn't in the contract.
	refused string
	outbox  *prospectv1.Outbox // nil: it fails
}

// Watch implements the contract: all services are here.
func (s *services) Watch(r *registryv1.WatchRequest, stream registryv1.RegistryService_WatchServer) error {
	here := &registryv1.Instance{Service: r.GetService(), Id: "1", Address: s.address, Status: registryv1.Instance_UP}
	if err := stream.Send(&registryv1.WatchResponse{Instances: []*registryv1.Instance{here}, Revision: 1, Snapshot: true}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

// RestoreEvents implements the contract in memory.
func (s *services) RestoreEvents(_ context.Context, r *eventv1.RestoreEventsRequest) (*eventv1.RestoreEventsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.answers) > 0 {
		answer := s.answers[0]
		s.answers = s.answers[1:]
		if answer != nil {
			return nil, answer()
		}
	}
	if slices.ContainsFunc(r.GetMessages(), func(m *eventsv1.ProspectEvent) bool { return m.GetProspectId() == s.refused }) {
		return nil, fault.InvalidField("prospect_id", "must not be this one")
	}
	if s.restored == nil {
		s.restored = map[string]bool{}
	}
	answer := &eventv1.RestoreEventsResponse{}
	for _, m := range r.GetMessages() {
		switch {
		case m.GetKind() > eventsv1.ProspectEvent_DELETED:
			answer.NewerCount++
		case s.restored[m.GetId()]:
			answer.PresentCount++
		default:
			s.restored[m.GetId()] = true
			answer.RestoredCount++
		}
	}
	s.batches = append(s.batches, len(r.GetMessages()))
	return answer, nil
}

// GetOutbox implements the contract.
func (s *services) GetOutbox(context.Context, *prospectv1.GetOutboxRequest) (*prospectv1.Outbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outbox == nil {
		return nil, fault.New(fault.Precondition, "no outbox today")
	}
	return s.outbox, nil
}

// event is the n-th good message.
func event(n int) *eventsv1.ProspectEvent {
	return &eventsv1.ProspectEvent{
		Id: fmt.Sprintf("0195f0c8-1111-7000-8000-%012d", n), Kind: eventsv1.ProspectEvent_CREATED, ProspectId: fmt.Sprintf("prospect-%d", n),
		Version: 1, FiledWork: "IT", OccurTime: timestamppb.New(time.Date(2026, 11, 23, 10, 20, 30, 0, time.UTC)),
	}
}

func encode(t *testing.T, m proto.Message) []byte {
	t.Helper()
	value, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// base is when the records of tests are put where they are, one a minute.
var base = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// publish puts values on a partition of the topic.
func (w *world) publish(partition int32, values ...[]byte) {
	w.t.Helper()
	var records []*kgo.Record
	for i, value := range values {
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Key: []byte("key"), Value: value, Timestamp: base.Add(time.Duration(i) * time.Minute)})
	}
	w.put(records...)
}

// bury puts a value on the DLQ as a consumer does.
func (w *world) bury(partition int32, key string, value []byte, reason string, minute int) {
	w.t.Helper()
	r := &kgo.Record{Topic: dlq, Partition: partition, Key: []byte(key), Value: value, Timestamp: base.Add(time.Duration(minute) * time.Minute)}
	for _, h := range [][2]string{
		{"ce_id", "message-" + key},
		{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		{stream.HeaderReason, reason},
		{stream.HeaderError, "an error of " + key},
		{stream.HeaderTopic, topic},
		{stream.HeaderPartition, "1"},
		{stream.HeaderOffset, "41"},
		{stream.HeaderTime, "2026-11-23T10:20:30.123Z"},
		{stream.HeaderAttempts, "8"},
	} {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
	}
	w.put(r)
}

func (w *world) put(records ...*kgo.Record) {
	w.t.Helper()
	if err := w.client.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// published gives how many records the topic holds.
func (w *world) published() (n int64) {
	w.t.Helper()
	ends, err := kadm.NewClient(w.client).ListEndOffsets(w.t.Context(), topic)
	if err != nil {
		w.t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n
}

// object reads JSON.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return o
}

// wantLines holds that a text has these lines, whatever blanks are between their words, in this order, among others.
func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	got := strings.Split(text, "\n")
	for _, line := range lines {
		for len(got) > 0 && strings.Join(strings.Fields(got[0]), " ") != line {
			got = got[1:]
		}
		if len(got) == 0 {
			t.Fatalf("no line %q, or not in this order, in:\n%s", line, text)
		}
	}
}
