// Package publish makes the messages of the topic prospect-events.
package publish

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/outbox"
	"eventprospect/mesh/telemetry"
	"eventprospect/services/prospect/internal/prospect"
)

// Source is the CloudEvents source of the messages.
const Source = "/prospect"

// typePrefix begins the CloudEvents type; the kind follows: prospect.events.v1.created.
const typePrefix = "prospect.events.v1."

// Encoder returns the function that makes messages. NewID makes unique ids.
func Encoder(newID func() string, traces *telemetry.Traces) prospect.Encode {
	return func(ctx context.Context, a prospect.Announcement) (outbox.Message, error) {
		id := newID()
		payload, err := proto.Marshal(encode(id, a))
		if err != nil {
			return outbox.Message{}, err
		}
		return outbox.Message{
			ID: id, Key: a.ProspectID, Type: typePrefix + strings.ToLower(string(a.Kind)), Time: a.Time,
			Payload: payload, Trace: traces.Traceparent(ctx),
		}, nil
	}
}

// encode gives the contract's form. The kinds are called alike on both sides; a test holds them together.
func encode(id string, a prospect.Announcement) *eventsv1.ProspectEvent {
	return &eventsv1.ProspectEvent{
		Id: id, Kind: eventsv1.ProspectEvent_Kind(eventsv1.ProspectEvent_Kind_value[string(a.Kind)]),
		ProspectId: a.ProspectID, Version: a.Version, ChangedFields: a.Changed,
		FiledWork: a.FiledWork, IdEvent: a.IDEvent, OccurTime: timestamppb.New(a.Time),
	}
}
