// Package api serves events over gRPC: it decodes, calls the domain, and encodes.
package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/fieldmask"
	"eventprospect/mesh/paging"
	"eventprospect/services/event/internal/event"
)

// Server implements the contract; a method that is missing doesn't compile.
type Server struct {
	eventv1.UnsafeEventServiceServer
	events *event.Service
	// idOf makes the id that stands for a client's request id.
	idOf func(requestID string) string
}

// New makes the server.
func New(events *event.Service, idOf func(requestID string) string) *Server {
	return &Server{events: events, idOf: idOf}
}

// CreateEvent implements EventService.
func (s *Server) CreateEvent(ctx context.Context, req *eventv1.CreateEventRequest) (*eventv1.Event, error) {
	plans := event.Plans{Name: req.GetEvent().GetName(), Date: req.GetEvent().GetDateEvent(), ID: req.GetEventId()}
	if plans.ID == "" && req.GetRequestId() != "" {
		plans.ID, plans.Repeatable = s.idOf(req.GetRequestId()), true
	}
	e, err := s.events.Create(ctx, plans)
	return encodeOr(e, fault.Under("event", err))
}

// GetEvent implements EventService.
func (s *Server) GetEvent(ctx context.Context, req *eventv1.GetEventRequest) (*eventv1.Event, error) {
	return encodeOr(s.events.Get(ctx, req.GetId()))
}

// BatchGetEvents implements EventService.
func (s *Server) BatchGetEvents(ctx context.Context, req *eventv1.BatchGetEventsRequest) (*eventv1.BatchGetEventsResponse, error) {
	found, err := s.events.BatchGet(ctx, req.GetIds())
	if err != nil {
		return nil, err
	}
	return &eventv1.BatchGetEventsResponse{Events: encodeAll(found)}, nil
}

// ListEvents implements EventService.
func (s *Server) ListEvents(ctx context.Context, req *eventv1.ListEventsRequest) (*eventv1.ListEventsResponse, error) {
	filters := []string{req.GetKind().String(), req.GetProspectId(), req.GetDateEvent()}
	cursor, err := paging.Parse(req.GetPageToken(), filters...)
	if err != nil {
		return nil, err
	}
	filter := event.Filter{Kind: decodeKind(req.GetKind()), ProspectID: req.GetProspectId(), Date: req.GetDateEvent()}
	found, more, err := s.events.List(ctx, filter, event.Place(cursor), paging.Size(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	answer := &eventv1.ListEventsResponse{Events: encodeAll(found)}
	if more {
		last := found[len(found)-1]
		answer.NextPageToken = paging.Token(paging.Cursor{Created: last.Created, ID: last.ID}, filters...)
	}
	return answer, nil
}

// UpdateEvent implements EventService.
func (s *Server) UpdateEvent(ctx context.Context, req *eventv1.UpdateEventRequest) (*eventv1.Event, error) {
	fields, err := fieldmask.Writable(req.GetEvent(), req.GetUpdateMask())
	if err != nil {
		return nil, err
	}
	e, err := s.events.Update(ctx, req.GetEvent().GetId(), req.GetEvent().GetEtag(), decodeChange(req.GetEvent(), fields))
	return encodeOr(e, fault.Under("event", err))
}

// DeleteEvent implements EventService.
func (s *Server) DeleteEvent(ctx context.Context, req *eventv1.DeleteEventRequest) (*emptypb.Empty, error) {
	if err := s.events.Delete(ctx, req.GetId(), req.GetEtag()); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// PageEvents implements EventService.
func (s *Server) PageEvents(ctx context.Context, req *eventv1.PageEventsRequest) (*eventv1.PageEventsResponse, error) {
	page := paging.NewPage(req.GetPageNbr(), req.GetPageSize())
	found, total, err := s.events.Page(ctx, page.Offset(), int(page.Size))
	if err != nil {
		return nil, err
	}
	return &eventv1.PageEventsResponse{
		Content: encodeAll(found), Pageable: page.Pageable(), Sort: paging.Unsorted(),
		Number: page.Number, Size: page.Size, NumberOfElements: int32(len(found)),
		TotalElements: int32(total), TotalPages: int32(page.Pages(total)),
		First: page.Number == 0, Last: page.Last(total), Empty: len(found) == 0,
	}, nil
}

// FindEventByDate implements EventService.
func (s *Server) FindEventByDate(ctx context.Context, req *eventv1.FindEventByDateRequest) (*eventv1.FindEventByDateResponse, error) {
	e, total, err := s.events.FindByDate(ctx, req.GetDateEvent())
	if err != nil {
		return nil, err
	}
	return &eventv1.FindEventByDateResponse{Event: encode(e), TotalCount: int32(total)}, nil
}
