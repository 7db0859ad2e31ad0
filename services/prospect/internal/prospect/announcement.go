package prospect

import (
	"context"
	"time"

	"eventprospect/mesh/outbox"
)

// Kind says what happened to a prospect.
type Kind string

// What can happen to a prospect.
const (
	Created Kind = "CREATED"
	Updated Kind = "UPDATED"
	Deleted Kind = "DELETED"
)

// Announcement is what others are told of a change. It holds no personal data.
type Announcement struct {
	Kind       Kind
	ProspectID string
	Version    int64
	// Changed names the fields that differ; all that are set, when created.
	Changed   []string
	FiledWork string
	IDEvent   string
	Time      time.Time
}

// Encode makes the message of an announcement; the context holds the trace that it belongs to.
type Encode func(ctx context.Context, a Announcement) (outbox.Message, error)

func announce(kind Kind, p Prospect, changed []string, at time.Time) Announcement {
	return Announcement{
		Kind: kind, ProspectID: p.ID, Version: p.Version, Changed: changed,
		FiledWork: p.FiledWork, IDEvent: p.IDEvent, Time: at,
	}
}
