// Package event is the domain: what an event is, what may be done with it, and what it takes to keep it.
package event

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"eventprospect/mesh/fault"
)

// Resource is how an event is called in messages to callers.
const Resource = "Event"

// Kind says where an event comes from.
type Kind string

// The kinds of events, as they are stored.
const (
	Planned         Kind = "PLANNED"
	ProspectCreated Kind = "PROSPECT_CREATED"
	ProspectUpdated Kind = "PROSPECT_UPDATED"
	ProspectDeleted Kind = "PROSPECT_DELETED"
)

// dateFormat is that of a day: yyyy-MM-dd (RFC 3339 full-date).
const dateFormat = time.DateOnly

// maxName bounds a name, in characters.
const maxName = 200

// zero is a character that some databases can't keep.
const zero = "\x00"

// Event is something that takes place, or took place, on a day. Times are UTC, to the microsecond.
type Event struct {
	ID   string
	Name string
	// Date is the day as yyyy-MM-dd, or empty if not known yet.
	Date string
	Kind Kind
	// ProspectID is the prospect that the event is about; empty if it is Planned.
	ProspectID string
	Created    time.Time
	Updated    time.Time
	// Version is 1 when created, and grows with each change.
	Version int64
}

// Plan makes an event that a person plans. It refuses a name or a date that is none.
func Plan(id, name, date string, now time.Time) (Event, error) {
	e := Event{ID: id, Kind: Planned, Created: now}
	err := e.Change(Change{Name: &name, Date: &date}, now)
	return e, err
}

// Record makes the event that tells what happened to a prospect. Its day is the one on which it happened, in UTC.
func Record(id string, kind Kind, prospectID string, occurred, now time.Time) (Event, error) {
	names := map[Kind]string{
		ProspectCreated: "Prospect created",
		ProspectUpdated: "Prospect updated",
		ProspectDeleted: "Prospect deleted",
	}
	name, ok := names[kind]
	if !ok {
		return Event{}, fault.InvalidField("kind", "%q does not tell of a prospect", kind)
	}
	if strings.Contains(prospectID, zero) {
		return Event{}, fault.InvalidField("prospect_id", "must not hold the character U+0000")
	}
	return Event{
		ID: id, Name: name, Date: occurred.UTC().Format(dateFormat), Kind: kind, ProspectID: prospectID,
		Created: now, Updated: now, Version: 1,
	}, nil
}

// Change is what an update sets; nil leaves as it is.
type Change struct{ Name, Date *string }

// Change applies a change, or refuses it as a whole. One that changes nothing makes no new version.
func (e *Event) Change(change Change, now time.Time) error {
	var violations []fault.Violation
	refuse := func(field, detail string) {
		violations = append(violations, fault.Violation{Field: field, Detail: detail})
	}
	next := *e
	if change.Name != nil {
		next.Name = *change.Name
		if detail := checkName(next.Name); detail != "" {
			refuse("name", detail)
		}
	}
	if change.Date != nil {
		next.Date = *change.Date
		if detail := checkDate(next.Date); detail != "" {
			refuse("date_event", detail)
		}
	}
	if len(violations) > 0 {
		return fault.InvalidFields(violations...)
	}
	if next == *e {
		return nil
	}
	next.Updated = now
	next.Version++
	*e = next
	return nil
}

// ETag stands for this state of the event: it is another one after every change, and after the id was used anew.
func (e Event) ETag() string { return fmt.Sprintf("%x-%x", e.Version, e.Updated.UnixMicro()) }

// CheckETag refuses a state that isn't the one the etag stands for; an empty etag stands for any.
func (e Event) CheckETag(etag string) error {
	if etag != "" && etag != e.ETag() {
		return fault.Changed(Resource, e.ID)
	}
	return nil
}

// CheckDate refuses a day that isn't one, as the field of this name.
func CheckDate(field, date string) error {
	if detail := checkDate(date); detail != "" {
		return fault.InvalidField(field, "%s", detail)
	}
	return nil
}

func checkName(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "must not be empty"
	case strings.Contains(name, zero):
		return "must not hold the character U+0000"
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Sprintf("must be at most %d characters", maxName)
	}
	return ""
}

func checkDate(date string) string {
	if date == "" {
		return ""
	}
	if _, err := time.Parse(dateFormat, date); err != nil {
		return "must be a day of the calendar as yyyy-MM-dd"
	}
	return ""
}
