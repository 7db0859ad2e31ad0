package api

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/services/event/internal/event"
)

// encode gives the contract's form of an event. The kinds are called alike on both sides; a test holds them together.
func encode(e event.Event) *eventv1.Event {
	return &eventv1.Event{
		Id: e.ID, Name: e.Name, DateEvent: e.Date, ProspectId: e.ProspectID,
		Kind:       eventv1.Event_Kind(eventv1.Event_Kind_value[string(e.Kind)]),
		CreateTime: timestamppb.New(e.Created), UpdateTime: timestamppb.New(e.Updated), Etag: e.ETag(),
	}
}

func encodeOr(e event.Event, err error) (*eventv1.Event, error) {
	if err != nil {
		return nil, err
	}
	return encode(e), nil
}

func encodeAll(events []event.Event) []*eventv1.Event {
	all := make([]*eventv1.Event, len(events))
	for i, e := range events {
		all[i] = encode(e)
	}
	return all
}

// decodeKind gives the domain's kind; unspecified is any.
func decodeKind(kind eventv1.Event_Kind) event.Kind {
	if kind == eventv1.Event_KIND_UNSPECIFIED {
		return ""
	}
	return event.Kind(kind.String())
}

// decodeChange takes the named fields.
func decodeChange(e *eventv1.Event, fields []string) event.Change {
	var change event.Change
	for _, field := range fields {
		switch field {
		case "name":
			change.Name = &e.Name
		case "date_event":
			change.Date = &e.DateEvent
		}
	}
	return change
}
