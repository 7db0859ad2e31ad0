// Package consumer turns the messages of the topic prospect-events into events.
package consumer

import (
	"context"
	"errors"

	"buf.build/go/protovalidate"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/stream"
	"eventprospect/services/event/internal/event"
)

// namespace is that of the ids (UUIDv5, RFC 9562 section 5.5) that are made from the ids of messages.
var namespace = uuid.MustParse("8c0f3f0e-5c2b-4d38-9d57-6a1b7f2f3c11")

// kinds says which event each kind of message becomes. Kinds that a newer publisher may send aren't here.
var kinds = map[eventsv1.ProspectEvent_Kind]event.Kind{
	eventsv1.ProspectEvent_CREATED: event.ProspectCreated,
	eventsv1.ProspectEvent_UPDATED: event.ProspectUpdated,
	eventsv1.ProspectEvent_DELETED: event.ProspectDeleted,
}

// Handler applies records of the topic.
type Handler struct {
	events   *event.Service
	validate protovalidate.Validator
}

// New makes a handler.
func New(events *event.Service) (*Handler, error) {
	validator, err := protovalidate.New()
	if err != nil {
		return nil, err
	}
	return &Handler{events, validator}, nil
}

// Handle implements stream.Handle. A record that can't be decoded or breaks the contract is Invalid. So is one of a kind that
// we don't know, because of stream.ErrNewer: it is kept on the DLQ until this service knows what to make of it.
func (h *Handler) Handle(ctx context.Context, record *kgo.Record) error {
	message := &eventsv1.ProspectEvent{}
	if err := proto.Unmarshal(record.Value, message); err != nil {
		return fault.New(fault.Invalid, "the value is not a prospect.events.v1.ProspectEvent").Because(err)
	}
	if err := h.check(message); err != nil {
		return err
	}
	kind, known := kinds[message.GetKind()]
	if !known {
		return fault.InvalidField("kind", "%d is newer than this service", message.GetKind()).Because(stream.ErrNewer)
	}
	_, err := h.events.Record(ctx, event.Occurrence{
		MessageID: message.GetId(), EventID: uuid.NewSHA1(namespace, []byte(message.GetId())).String(),
		Kind: kind, ProspectID: message.GetProspectId(), Time: message.GetOccurTime().AsTime(),
	})
	return err
}

func (h *Handler) check(message *eventsv1.ProspectEvent) error {
	if message.GetOccurTime().CheckValid() != nil {
		return fault.InvalidField("occur_time", "must be a time of the years 1 to 9999")
	}
	err := h.validate.Validate(message)
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		return err
	}
	first := broken.Violations[0].Proto
	return fault.InvalidField(protovalidate.FieldPathString(first.GetField()), "%s", first.GetMessage())
}
