package api

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/services/prospect/internal/prospect"
)

// encode gives the contract's form of a prospect.
func encode(p prospect.Prospect) *prospectv1.Prospect {
	return &prospectv1.Prospect{
		Id: p.ID, FirstName: p.FirstName, LastName: p.LastName, FiledWork: p.FiledWork, IdEvent: p.IDEvent,
		CreateTime: timestamppb.New(p.Created), UpdateTime: timestamppb.New(p.Updated), Etag: p.ETag(),
	}
}

func encodeOr(p prospect.Prospect, err error) (*prospectv1.Prospect, error) {
	if err != nil {
		return nil, err
	}
	return encode(p), nil
}

func encodeAll(prospects []prospect.Prospect) []*prospectv1.Prospect {
	all := make([]*prospectv1.Prospect, len(prospects))
	for i, p := range prospects {
		all[i] = encode(p)
	}
	return all
}

// decode takes what people say of a prospect.
func decode(p *prospectv1.Prospect) prospect.Details {
	return prospect.Details{
		FirstName: p.GetFirstName(), LastName: p.GetLastName(), FiledWork: p.GetFiledWork(), IDEvent: p.GetIdEvent(),
	}
}

// decodeChange takes the named fields.
func decodeChange(p *prospectv1.Prospect, fields []string) prospect.Change {
	var change prospect.Change
	for _, field := range fields {
		switch field {
		case "first_name":
			change.FirstName = &p.FirstName
		case "last_name":
			change.LastName = &p.LastName
		case "filed_work":
			change.FiledWork = &p.FiledWork
		case "id_event":
			change.IDEvent = &p.IdEvent
		}
	}
	return change
}
