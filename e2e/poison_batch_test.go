package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "eventprospect/gen/prospect/events/v1"
)

const (
	// goodRecords and ofEachShape are what is published. Each prospect has changes many changes, one a day, so that an event tells by its
	// day which change it is of.
	goodRecords = 10_000
	ofEachShape = 50
	changes     = 22
	// brokerLimit is the largest batch that brokers take by default.
	brokerLimit = 1_048_588
)

// change is one record that shall be there in the end.
type change struct {
	message *eventsv1.ProspectEvent
	// shape is how it is spoiled; nil: it is good.
	shape *shape
	// at is where it was published.
	at string
}

// day is that of the event.
func (c *change) day() string { return c.message.GetOccurTime().AsTime().Format(time.DateOnly) }

// newChanges makes the changes of all prospects in the order in which they are published, of which some are spoiled.
func newChanges(rng *rand.Rand, all []shape) []*change {
	total := goodRecords + len(all)*ofEachShape
	made := make([]*change, 0, total)
	ids := make([]string, total/changes)
	for p := range ids {
		ids[p] = newID(rng)
	}
	for version := range changes {
		for _, id := range ids {
			made = append(made, &change{message: newMessage(rng, id, version)})
		}
	}
	for n, i := range rng.Perm(total)[:len(all)*ofEachShape] {
		made[i].shape = &all[n%len(all)]
	}
	return made
}

func newID(rng *rand.Rand) string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(rng.Uint32())
	}
	return id.String()
}

func newMessage(rng *rand.Rand, prospect string, before int) *eventsv1.ProspectEvent {
	kind := eventsv1.ProspectEvent_UPDATED
	switch before {
	case 0:
		kind = eventsv1.ProspectEvent_CREATED
	case changes - 1:
		kind = eventsv1.ProspectEvent_DELETED
	}
	return &eventsv1.ProspectEvent{
		Id: newID(rng), Kind: kind, ProspectId: prospect, Version: int64(before + 1), ChangedFields: []string{"filed_work"}, FiledWork: "IT",
		OccurTime: timestamppb.New(time.Date(2026, 1, before+1, 12, 0, 0, 0, time.UTC)),
	}
}

// record makes the record of a change, as a publisher of CloudEvents does, and spoils it if need be.
func (c *change) record(t *testing.T, topic string) *kgo.Record {
	m := c.message
	r := &kgo.Record{Topic: topic, Key: []byte(m.GetProspectId()), Value: encoded(t, m)}
	for _, h := range [][2]string{
		{"ce_specversion", "1.0"},
		{"ce_id", m.GetId()},
		{"ce_type", "prospect.events.v1." + strings.ToLower(m.GetKind().String())},
		{"ce_source", "/foreign"},
		{"ce_time", m.GetOccurTime().AsTime().Format(time.RFC3339Nano)},
		{"content-type", "application/protobuf"},
	} {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
	}
	if c.shape != nil {
		c.shape.spoil(t, r)
	}
	return r
}

// publish puts the changes on the topic, as foreign programs would.
func (w *world) publish(t *testing.T, all []*change) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.system.Kafka), kgo.ProducerBatchMaxBytes(brokerLimit), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, c := range all {
		client.Produce(t.Context(), c.record(t, w.topic), func(r *kgo.Record, err error) {
			if err != nil {
				t.Errorf("not published: %v", err)
			}
			c.at = fmt.Sprintf("%d:%d", r.Partition, r.Offset)
		})
	}
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}
