// Package api serves prospects over gRPC: it decodes, calls the domain, and encodes.
package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/fieldmask"
	"eventprospect/mesh/paging"
	"eventprospect/services/prospect/internal/prospect"
)

// Server implements the contract; a method that is missing doesn't compile.
type Server struct {
	prospectv1.UnsafeProspectServiceServer
	prospects *prospect.Service
	// idOf makes the id that stands for a client's request id.
	idOf func(requestID string) string
}

// New makes the server.
func New(prospects *prospect.Service, idOf func(requestID string) string) *Server {
	return &Server{prospects: prospects, idOf: idOf}
}

// CreateProspect implements ProspectService.
func (s *Server) CreateProspect(ctx context.Context, req *prospectv1.CreateProspectRequest) (*prospectv1.Prospect, error) {
	meeting := prospect.Meeting{Details: decode(req.GetProspect()), ID: req.GetProspectId()}
	if meeting.ID == "" && req.GetRequestId() != "" {
		meeting.ID, meeting.Repeatable = s.idOf(req.GetRequestId()), true
	}
	p, err := s.prospects.Create(ctx, meeting)
	return encodeOr(p, fault.Under("prospect", err))
}

// GetProspect implements ProspectService.
func (s *Server) GetProspect(ctx context.Context, req *prospectv1.GetProspectRequest) (*prospectv1.Prospect, error) {
	return encodeOr(s.prospects.Get(ctx, req.GetId()))
}

// BatchGetProspects implements ProspectService.
func (s *Server) BatchGetProspects(ctx context.Context, req *prospectv1.BatchGetProspectsRequest) (*prospectv1.BatchGetProspectsResponse, error) {
	found, err := s.prospects.BatchGet(ctx, req.GetIds())
	if err != nil {
		return nil, err
	}
	return &prospectv1.BatchGetProspectsResponse{Prospects: encodeAll(found)}, nil
}

// ListProspects implements ProspectService.
func (s *Server) ListProspects(ctx context.Context, req *prospectv1.ListProspectsRequest) (*prospectv1.ListProspectsResponse, error) {
	filters := []string{req.GetFiledWork(), req.GetIdEvent()}
	cursor, err := paging.Parse(req.GetPageToken(), filters...)
	if err != nil {
		return nil, err
	}
	filter := prospect.Filter{FiledWork: req.GetFiledWork(), IDEvent: req.GetIdEvent()}
	found, more, err := s.prospects.List(ctx, filter, prospect.Place(cursor), paging.Size(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	answer := &prospectv1.ListProspectsResponse{Prospects: encodeAll(found)}
	if more {
		last := found[len(found)-1]
		answer.NextPageToken = paging.Token(paging.Cursor{Created: last.Created, ID: last.ID}, filters...)
	}
	return answer, nil
}

// UpdateProspect implements ProspectService.
func (s *Server) UpdateProspect(ctx context.Context, req *prospectv1.UpdateProspectRequest) (*prospectv1.Prospect, error) {
	fields, err := fieldmask.Writable(req.GetProspect(), req.GetUpdateMask())
	if err != nil {
		return nil, err
	}
	p, err := s.prospects.Update(ctx, req.GetProspect().GetId(), req.GetProspect().GetEtag(), decodeChange(req.GetProspect(), fields))
	return encodeOr(p, fault.Under("prospect", err))
}

// DeleteProspect implements ProspectService.
func (s *Server) DeleteProspect(ctx context.Context, req *prospectv1.DeleteProspectRequest) (*emptypb.Empty, error) {
	if err := s.prospects.Delete(ctx, req.GetId(), req.GetEtag()); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// PageProspects implements ProspectService.
func (s *Server) PageProspects(ctx context.Context, req *prospectv1.PageProspectsRequest) (*prospectv1.PageProspectsResponse, error) {
	page := paging.NewPage(req.GetPageNbr(), req.GetPageSize())
	found, total, err := s.prospects.Page(ctx, page.Offset(), int(page.Size))
	if err != nil {
		return nil, err
	}
	return &prospectv1.PageProspectsResponse{
		Content: encodeAll(found), Pageable: page.Pageable(), Sort: paging.Unsorted(),
		Number: page.Number, Size: page.Size, NumberOfElements: int32(len(found)),
		TotalElements: int32(total), TotalPages: int32(page.Pages(total)),
		First: page.Number == 0, Last: page.Last(total), Empty: len(found) == 0,
	}, nil
}

// FindProspectByFiledWork implements ProspectService.
func (s *Server) FindProspectByFiledWork(ctx context.Context, req *prospectv1.FindProspectByFiledWorkRequest) (*prospectv1.FindProspectByFiledWorkResponse, error) {
	p, total, err := s.prospects.FindByFiledWork(ctx, req.GetFiledWork())
	if err != nil {
		return nil, err
	}
	return &prospectv1.FindProspectByFiledWorkResponse{Prospect: encode(p), TotalCount: int32(total)}, nil
}
