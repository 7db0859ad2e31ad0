package event

import (
	"context"
	"time"

	"eventprospect/mesh/fault"
)

// Service is what can be done with events.
type Service struct {
	store Store
	newID func() string
	now   func() time.Time
}

// NewService makes the service over a store. NewID makes unique ids; now tells the time.
func NewService(store Store, newID func() string, now func() time.Time) *Service {
	return &Service{store: store, newID: newID, now: now}
}

// Plans is a wish for a new event.
type Plans struct {
	Name, Date string
	// ID is the id to give it; empty: any.
	ID string
	// Repeatable says that the id stands for this very wish: if it is taken, the wish was granted before.
	Repeatable bool
}

// Create plans an event. Invalid names each field; AlreadyExists if the id is taken.
func (s *Service) Create(ctx context.Context, plans Plans) (Event, error) {
	if plans.ID == "" {
		plans.ID = s.newID()
	}
	e, err := Plan(plans.ID, plans.Name, plans.Date, s.time())
	if err != nil {
		return Event{}, err
	}
	err = s.store.Create(ctx, e)
	if plans.Repeatable && fault.Is(err, fault.AlreadyExists) {
		return s.Get(ctx, e.ID)
	}
	return e, err
}

// Get returns one event.
func (s *Service) Get(ctx context.Context, id string) (Event, error) {
	found, err := s.store.Get(ctx, id)
	if err != nil {
		return Event{}, err
	}
	return found[0], nil
}

// BatchGet returns several events in the order of their ids.
func (s *Service) BatchGet(ctx context.Context, ids []string) ([]Event, error) {
	return s.store.Get(ctx, ids...)
}

// List returns up to limit events after a place, and whether more follow.
func (s *Service) List(ctx context.Context, f Filter, after Place, limit int) (events []Event, more bool, err error) {
	if err := CheckDate("date_event", f.Date); err != nil {
		return nil, false, err
	}
	events, err = s.store.List(ctx, Query{Filter: f, After: after.within(), Limit: limit + 1})
	if len(events) > limit {
		return events[:limit], true, err
	}
	return events, false, err
}

// Page returns up to limit events after so many, and how many there are in all.
func (s *Service) Page(ctx context.Context, offset, limit int) ([]Event, int, error) {
	return s.part(ctx, Query{Offset: offset, Limit: limit})
}

// FindByDate returns the first event on a day and how many there are. NotFound if there is none.
func (s *Service) FindByDate(ctx context.Context, date string) (Event, int, error) {
	if err := CheckDate("date_event", date); err != nil {
		return Event{}, 0, err
	}
	found, total, err := s.part(ctx, Query{Filter: Filter{Date: date}, Limit: 1})
	if err != nil {
		return Event{}, 0, err
	}
	if len(found) == 0 {
		return Event{}, 0, fault.New(fault.NotFound, "no event takes place on this day")
	}
	return found[0], total, nil
}

func (s *Service) part(ctx context.Context, q Query) ([]Event, int, error) {
	total, err := s.store.Count(ctx, q.Filter)
	if err != nil {
		return nil, 0, err
	}
	found, err := s.store.List(ctx, q)
	return found, total, err
}

// Update changes an event if it is in the state of the etag.
func (s *Service) Update(ctx context.Context, id, etag string, change Change) (Event, error) {
	return s.store.Update(ctx, id, func(e *Event) error {
		if err := e.CheckETag(etag); err != nil {
			return err
		}
		return e.Change(change, s.time())
	})
}

// Delete removes an event if it is in the state of the etag.
func (s *Service) Delete(ctx context.Context, id, etag string) error {
	return s.store.Delete(ctx, id, func(e Event) error { return e.CheckETag(etag) })
}

// Occurrence is a message that something happened to a prospect.
type Occurrence struct {
	// MessageID is the same each time that the message comes.
	MessageID string
	// EventID is the id of the event that it becomes, made from MessageID.
	EventID    string
	Kind       Kind
	ProspectID string
	Time       time.Time
}

// Record creates the events that messages tell of, all or none, each once, however often its message comes. It tells how many it
// created.
func (s *Service) Record(ctx context.Context, occurrences ...Occurrence) (int, error) {
	told, err := s.told(occurrences)
	if err != nil {
		return 0, err
	}
	return s.store.Apply(ctx, told...)
}

// Restore creates those of the events that are missing, also if they were there once, all or none. It tells how many it created.
func (s *Service) Restore(ctx context.Context, occurrences ...Occurrence) (int, error) {
	told, err := s.told(occurrences)
	if err != nil {
		return 0, err
	}
	return s.store.Restore(ctx, told...)
}

// told makes the events that messages tell of.
func (s *Service) told(occurrences []Occurrence) ([]Told, error) {
	told, now := make([]Told, len(occurrences)), s.time()
	for i, o := range occurrences {
		e, err := Record(o.EventID, o.Kind, o.ProspectID, o.Time, now)
		if err != nil {
			return nil, err
		}
		told[i] = Told{MessageID: o.MessageID, Event: e}
	}
	return told, nil
}

// time is now as it is stored: UTC, to the microsecond.
func (s *Service) time() time.Time { return s.now().UTC().Truncate(time.Microsecond) }
