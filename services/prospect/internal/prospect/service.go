package prospect

import (
	"context"
	"errors"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/outbox"
)

// retryAfter is when a change may be tried again that was refused because too many wait to be published.
const retryAfter = 5 * time.Second

// Events knows which events there are.
type Events interface {
	// Exists tells whether there is an event with this id. Unavailable if that can't be asked now.
	Exists(ctx context.Context, id string) (bool, error)
}

// Service is what can be done with prospects.
type Service struct {
	store  Store
	events Events
	encode Encode
	// room is what the outbox has for the messages of changes.
	room *outbox.Room
	// wake tells the relay that a message was committed.
	wake  func()
	newID func() string
	now   func() time.Time
}

// NewService makes the service over a store. Encode makes the messages that are stored with each change if there is room, and
// wake is called when one was committed. NewID makes unique ids; now tells the time.
func NewService(
	store Store, events Events, encode Encode, room *outbox.Room, wake func(), newID func() string, now func() time.Time,
) *Service {
	return &Service{store: store, events: events, encode: encode, room: room, wake: wake, newID: newID, now: now}
}

// Meeting is a wish for a new prospect.
type Meeting struct {
	Details
	// ID is the id to give it; empty: any.
	ID string
	// Repeatable says that the id stands for this very wish: if it is taken, the wish was granted before.
	Repeatable bool
}

// Create adds a prospect. Invalid names each field, id_event if there is no such event; AlreadyExists if the id is taken;
// Exhausted while too many changes wait to be published.
func (s *Service) Create(ctx context.Context, meeting Meeting) (Prospect, error) {
	if meeting.ID == "" {
		meeting.ID = s.newID()
	}
	p, err := New(meeting.ID, meeting.Details, s.time())
	if err != nil {
		return Prospect{}, err
	}
	err = s.change(func() error {
		if err := s.checkEvent(ctx, p.IDEvent); err != nil {
			return err
		}
		messages, err := s.messages(ctx, announce(Created, p, p.differences(Details{}), p.Created))
		if err != nil {
			return err
		}
		return s.store.Create(ctx, p, messages...)
	})
	switch {
	case meeting.Repeatable && fault.Is(err, fault.AlreadyExists):
		return s.Get(ctx, p.ID)
	case err != nil:
		return Prospect{}, err
	}
	return p, nil
}

// checkEvent refuses the id of an event that doesn't exist.
func (s *Service) checkEvent(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	exists, err := s.events.Exists(ctx, id)
	if err == nil && !exists {
		return fault.InvalidField("id_event", "there is no event with this id")
	}
	return err
}

// Get returns one prospect.
func (s *Service) Get(ctx context.Context, id string) (Prospect, error) {
	found, err := s.store.Get(ctx, id)
	if err != nil {
		return Prospect{}, err
	}
	return found[0], nil
}

// BatchGet returns several prospects in the order of their ids.
func (s *Service) BatchGet(ctx context.Context, ids []string) ([]Prospect, error) {
	return s.store.Get(ctx, ids...)
}

// List returns up to limit prospects after a place, and whether more follow.
func (s *Service) List(ctx context.Context, f Filter, after Place, limit int) (prospects []Prospect, more bool, err error) {
	prospects, err = s.store.List(ctx, Query{Filter: f, After: after, Limit: limit + 1})
	if len(prospects) > limit {
		return prospects[:limit], true, err
	}
	return prospects, false, err
}

// Page returns up to limit prospects after so many, and how many there are in all.
func (s *Service) Page(ctx context.Context, offset, limit int) ([]Prospect, int, error) {
	return s.part(ctx, Query{Offset: offset, Limit: limit})
}

// FindByFiledWork returns the first prospect in a field of work and how many there are. NotFound if there is none.
func (s *Service) FindByFiledWork(ctx context.Context, filedWork string) (Prospect, int, error) {
	found, total, err := s.part(ctx, Query{Filter: Filter{FiledWork: filedWork}, Limit: 1})
	if err != nil {
		return Prospect{}, 0, err
	}
	if len(found) == 0 {
		return Prospect{}, 0, fault.New(fault.NotFound, "no prospect has this field of work")
	}
	return found[0], total, nil
}

func (s *Service) part(ctx context.Context, q Query) ([]Prospect, int, error) {
	total, err := s.store.Count(ctx, q.Filter)
	if err != nil {
		return nil, 0, err
	}
	found, err := s.store.List(ctx, q)
	return found, total, err
}

// Update changes a prospect if it is in the state of the etag. Invalid names each field, id_event if it changes to an
// event that doesn't exist; Exhausted while too many changes wait to be published.
func (s *Service) Update(ctx context.Context, id, etag string, change Change) (p Prospect, err error) {
	err = s.change(func() error {
		if err := s.checkNewEvent(ctx, id, change); err != nil {
			return err
		}
		var changed []string
		p, err = s.store.Update(ctx, id, func(p *Prospect) (_ []outbox.Message, err error) {
			if err := p.CheckETag(etag); err != nil {
				return nil, err
			}
			if changed, err = p.Change(change, s.time()); err != nil || len(changed) == 0 {
				return nil, err
			}
			return s.messages(ctx, announce(Updated, *p, changed, p.Updated))
		})
		if err == nil && len(changed) == 0 {
			return errUnchanged
		}
		return err
	})
	return p, err
}

// checkNewEvent asks for the event before the update, so that no transaction waits for another service. A reference that
// stays as it is isn't asked for: its event may be gone by now.
func (s *Service) checkNewEvent(ctx context.Context, id string, change Change) error {
	if change.IDEvent == nil || *change.IDEvent == "" {
		return nil
	}
	p, err := s.Get(ctx, id)
	if err != nil || p.IDEvent == *change.IDEvent {
		return err
	}
	return s.checkEvent(ctx, *change.IDEvent)
}

// Delete removes a prospect if it is in the state of the etag. Exhausted while too many changes wait to be published.
func (s *Service) Delete(ctx context.Context, id, etag string) error {
	return s.change(func() error {
		return s.store.Delete(ctx, id, func(p Prospect) ([]outbox.Message, error) {
			if err := p.CheckETag(etag); err != nil {
				return nil, err
			}
			p.Version++ // the deletion is the last change of all
			return s.messages(ctx, announce(Deleted, p, nil, s.time()))
		})
	})
}

// errUnchanged ends a change that succeeded without a message, as there was nothing to change.
var errUnchanged = errors.New("nothing to change")

// change runs what stores a change with its message, if there is room for one, and wakes the relay.
func (s *Service) change(store func() error) error {
	err := s.room.Add(store)
	var full *outbox.FullError
	switch {
	case err == nil:
		s.wake()
	case errors.Is(err, errUnchanged):
		return nil
	case errors.As(err, &full):
		f := fault.New(fault.Exhausted, "%d changes wait to be published: try again later", full.Waiting)
		f.RetryAfter = retryAfter
		return f
	}
	return err
}

func (s *Service) messages(ctx context.Context, a Announcement) ([]outbox.Message, error) {
	message, err := s.encode(ctx, a)
	return []outbox.Message{message}, err
}

// time is now as it is stored: UTC, to the microsecond.
func (s *Service) time() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
