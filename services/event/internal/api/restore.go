package api

import (
	"context"
	"errors"
	"fmt"

	eventv1 "eventprospect/gen/event/v1"
	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/stream"
	"eventprospect/services/event/internal/event"
)

// Restorer implements RestoreService.
type Restorer struct {
	eventv1.UnsafeRestoreServiceServer
	events *event.Service
	// read gives what a message tells, as the consumer reads it.
	read func(*eventsv1.ProspectEvent) (event.Occurrence, error)
}

// NewRestorer makes the server of RestoreService.
func NewRestorer(events *event.Service, read func(*eventsv1.ProspectEvent) (event.Occurrence, error)) *Restorer {
	return &Restorer{events: events, read: read}
}

// RestoreEvents implements RestoreService.
func (r *Restorer) RestoreEvents(ctx context.Context, req *eventv1.RestoreEventsRequest) (*eventv1.RestoreEventsResponse, error) {
	var known []event.Occurrence
	for i, message := range req.GetMessages() {
		occurrence, err := r.read(message)
		switch {
		case err == nil:
			known = append(known, occurrence)
		case !errors.Is(err, stream.ErrNewer):
			return nil, fault.Under(fmt.Sprintf("messages[%d]", i), err)
		}
	}
	restored, err := r.events.Restore(ctx, known...)
	if err != nil {
		return nil, err
	}
	return &eventv1.RestoreEventsResponse{
		RestoredCount: int32(restored), PresentCount: int32(len(known) - restored), NewerCount: int32(len(req.GetMessages()) - len(known)),
	}, nil
}
