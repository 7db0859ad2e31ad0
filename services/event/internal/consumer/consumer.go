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

// Handle implements stream.Handle. A record that can't be decoded or breaks the contract is Invalid, the others are applied together.
func (h *Handler) Handle(ctx context.Context, records []*kgo.Record) []error {
	results := make([]error, len(records))
	var good []told
	for i, record := range records {
		message := &eventsv1.ProspectEvent{}
		if err := proto.Unmarshal(record.Value, message); err != nil {
			results[i] = fault.New(fault.Invalid, "the value is not a prospect.events.v1.ProspectEvent").Because(err)
			continue
		}
		occurrence, err := h.Occurrence(message)
		if err != nil {
			results[i] = err
			continue
		}
		good = append(good, told{occurrence, &results[i]})
	}
	h.apply(ctx, good)
	return results
}

// told is what a record tells, and where the result goes.
type told struct {
	event.Occurrence
	result *error
}

// apply applies what records tell in one transaction. If that fails, and not because the store is away, it tries each half, so that in the
// end each record has the result that it alone is to blame for.
func (h *Handler) apply(ctx context.Context, all []told) {
	if len(all) == 0 {
		return
	}
	occurrences := make([]event.Occurrence, len(all))
	for i, t := range all {
		occurrences[i] = t.Occurrence
	}
	_, err := h.events.Record(ctx, occurrences...)
	switch {
	case err == nil:
		return
	case len(all) == 1 || fault.Is(err, fault.Unavailable):
	case ctx.Err() != nil:
		err = ctx.Err() // there is no time left to find out whose fault it is
	default:
		h.apply(ctx, all[:len(all)/2])
		h.apply(ctx, all[len(all)/2:])
		return
	}
	for _, t := range all {
		*t.result = err
	}
}

// Occurrence gives what a message tells. One that breaks the contract is Invalid. So is one of a kind that we don't know, because of
// stream.ErrNewer: it is kept on the DLQ until this service knows what to make of it.
func (h *Handler) Occurrence(message *eventsv1.ProspectEvent) (event.Occurrence, error) {
	if err := h.check(message); err != nil {
		return event.Occurrence{}, err
	}
	kind, known := kinds[message.GetKind()]
	if !known {
		return event.Occurrence{}, fault.InvalidField("kind", "%d is newer than this service", message.GetKind()).Because(stream.ErrNewer)
	}
	return event.Occurrence{
		MessageID: message.GetId(), EventID: uuid.NewSHA1(namespace, []byte(message.GetId())).String(),
		Kind: kind, ProspectID: message.GetProspectId(), Time: message.GetOccurTime().AsTime(),
	}, nil
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
