// Package prospect is the domain: who a prospect is, what may be done, and what is told to others when it is done.
package prospect

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"eventprospect/mesh/fault"
)

// Resource is how a prospect is called in messages to callers.
const Resource = "Prospect"

// maxText bounds each text of a prospect, in characters.
const maxText = 200

// Details are what people say of a prospect.
type Details struct {
	FirstName, LastName string
	// FiledWork is the field of work, in the original API's spelling; may be empty.
	FiledWork string
	// IDEvent is the event where the person was met; empty if none.
	IDEvent string
}

// Prospect is a person met at an event. Times are UTC, to the microsecond.
type Prospect struct {
	ID string
	Details
	Created time.Time
	Updated time.Time
	// Version is 1 when created, and grows with each change.
	Version int64
}

// New makes a prospect, or names each field that is wrong.
func New(id string, details Details, now time.Time) (Prospect, error) {
	return Prospect{ID: id, Details: details, Created: now, Updated: now, Version: 1}, details.check()
}

// Change is what an update sets; nil leaves as it is.
type Change struct{ FirstName, LastName, FiledWork, IDEvent *string }

// apply gives the details after a change.
func (c Change) apply(d Details) Details {
	set := func(field *string, value *string) {
		if value != nil {
			*field = *value
		}
	}
	set(&d.FirstName, c.FirstName)
	set(&d.LastName, c.LastName)
	set(&d.FiledWork, c.FiledWork)
	set(&d.IDEvent, c.IDEvent)
	return d
}

// Change applies a change and returns the names of the fields that differ after it; none if the prospect stays as it is.
// It refuses the change as a whole if a field would be wrong.
func (p *Prospect) Change(change Change, now time.Time) ([]string, error) {
	next := change.apply(p.Details)
	changed := next.differences(p.Details)
	if len(changed) == 0 {
		return nil, nil
	}
	if err := next.check(); err != nil {
		return nil, err
	}
	p.Details = next
	p.Updated = now
	p.Version++
	return changed, nil
}

// differences names the fields in which two descriptions differ, as the contract names them.
func (d Details) differences(other Details) []string {
	var names []string
	mine, others := d.fields(), other.fields()
	for i, f := range mine {
		if f.value != others[i].value {
			names = append(names, f.name)
		}
	}
	return names
}

type field struct {
	name, value string
	required    bool
}

func (d Details) fields() []field {
	return []field{
		{"first_name", d.FirstName, true},
		{"last_name", d.LastName, true},
		{"filed_work", d.FiledWork, false},
		{"id_event", d.IDEvent, false},
	}
}

func (d Details) check() error {
	var violations []fault.Violation
	for _, f := range d.fields() {
		switch {
		case f.required && strings.TrimSpace(f.value) == "":
			violations = append(violations, fault.Violation{Field: f.name, Detail: "must not be empty"})
		case utf8.RuneCountInString(f.value) > maxText:
			violations = append(violations, fault.Violation{Field: f.name, Detail: fmt.Sprintf("must be at most %d characters", maxText)})
		case strings.ContainsRune(f.value, 0): // some databases can't keep it
			violations = append(violations, fault.Violation{Field: f.name, Detail: "must not hold the character U+0000"})
		}
	}
	if len(violations) > 0 {
		return fault.InvalidFields(violations...)
	}
	return nil
}

// ETag stands for this state of the prospect: it is another one after every change, and after the id was used anew.
func (p Prospect) ETag() string { return fmt.Sprintf("%x-%x", p.Version, p.Updated.UnixMicro()) }

// CheckETag refuses a state that isn't the one the etag stands for; an empty etag stands for any.
func (p Prospect) CheckETag(etag string) error {
	if etag != "" && etag != p.ETag() {
		return fault.Changed(Resource, p.ID)
	}
	return nil
}
