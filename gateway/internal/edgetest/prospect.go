package edgetest

import (
	"context"

	prospectv1 "eventprospect/gen/prospect/v1"
)

// Prospects finds a prospect in any field of work, and pages of nothing.
type Prospects struct {
	prospectv1.UnimplementedProspectServiceServer
}

// FindProspectByFiledWork implements the contract: it gives back the field of work that it was asked for.
func (Prospects) FindProspectByFiledWork(_ context.Context, r *prospectv1.FindProspectByFiledWorkRequest) (*prospectv1.FindProspectByFiledWorkResponse, error) {
	return &prospectv1.FindProspectByFiledWorkResponse{
		Prospect:   &prospectv1.Prospect{Id: "p", FirstName: "Ada", FiledWork: r.GetFiledWork(), Etag: "v1"},
		TotalCount: 3,
	}, nil
}

// PageProspects implements the contract.
func (Prospects) PageProspects(context.Context, *prospectv1.PageProspectsRequest) (*prospectv1.PageProspectsResponse, error) {
	return &prospectv1.PageProspectsResponse{Empty: true, First: true, Last: true}, nil
}
