// Package fault is the project's one kind of error: what went wrong, in words that are safe to show,
// with its cause kept for the log.
//
// A fault is made where the trouble is known and translated to and from gRPC in exactly two places,
// the server and the client interceptor of package rpc; so a fault that crosses the network arrives as the same fault.
// This package knows nothing but the standard library: the domain may import it.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of trouble it is, and so what a caller can do about it.
type Kind int

const (
	// Internal is a defect of ours or of our machines. Its message is always the same: the cause is for the log.
	Internal Kind = iota
	// Invalid is input that breaks a rule; Violations name each field.
	Invalid
	// NotFound means that the resource doesn't exist.
	NotFound
	// AlreadyExists means that the id is taken.
	AlreadyExists
	// Stale means that the resource has changed since the etag was read.
	Stale
	// Precondition means that the system's state doesn't allow it; trying again alone won't help.
	Precondition
	// Unauthenticated means that nobody knows who is calling.
	Unauthenticated
	// Denied means that the caller isn't allowed to.
	Denied
	// Exhausted means that a limit is reached; try later or ask for less.
	Exhausted
	// Unavailable means that a part needed for it is away; try again after RetryAfter.
	Unavailable
	// Timeout means that the deadline passed.
	Timeout
	// Canceled means that the caller gave up.
	Canceled
	// Unimplemented means that there is no such method.
	Unimplemented
)

// Kinds lists every kind, for tables and tests that must be complete.
func Kinds() []Kind {
	return []Kind{
		Internal, Invalid, NotFound, AlreadyExists, Stale, Precondition, Unauthenticated,
		Denied, Exhausted, Unavailable, Timeout, Canceled, Unimplemented,
	}
}

// Violation is one rule that one field of the input breaks.
type Violation struct {
	// Field is the path of the field in the request, as the contract spells it: "event.date_event".
	Field string
	// Detail says what is wrong and how to mend it, safe to show.
	Detail string
}

// Error is a fault. All its exported fields are safe to show to the caller.
type Error struct {
	Kind    Kind
	Message string
	// Violations, for Invalid.
	Violations []Violation
	// ResourceType and ResourceName, for NotFound, AlreadyExists and Stale: "Event" and its id.
	ResourceType, ResourceName string
	// RetryAfter says when trying again makes sense, for Unavailable and Exhausted; zero if not known.
	RetryAfter time.Duration
	// Roles of which the caller lacks every one, for Denied.
	Roles []string

	cause error
}

// Error gives the message and the cause: it is for logs, not for callers, who get Message alone.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.cause.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Because adds the cause, for the log, and returns the fault.
func (e *Error) Because(cause error) *Error {
	e.cause = cause
	return e
}

// New makes a fault of a kind that needs nothing but a message.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// InvalidField refuses one field.
func InvalidField(field, format string, args ...any) *Error {
	return InvalidFields(Violation{Field: field, Detail: fmt.Sprintf(format, args...)})
}

// InvalidFields refuses several fields at once.
func InvalidFields(violations ...Violation) *Error {
	message := "the request is invalid"
	for i, v := range violations {
		separator := "; "
		if i == 0 {
			separator = ": "
		}
		message += separator + v.Field + ": " + v.Detail
	}
	return &Error{Kind: Invalid, Message: message, Violations: violations}
}

// Missing says that a resource doesn't exist.
func Missing(resource, name string) *Error {
	return &Error{
		Kind: NotFound, Message: fmt.Sprintf("%s %q does not exist", resource, name),
		ResourceType: resource, ResourceName: name,
	}
}

// Taken says that a resource of this name exists already.
func Taken(resource, name string) *Error {
	return &Error{
		Kind: AlreadyExists, Message: fmt.Sprintf("%s %q exists already", resource, name),
		ResourceType: resource, ResourceName: name,
	}
}

// Changed says that a resource isn't in the state any more that the caller's etag stands for.
func Changed(resource, name string) *Error {
	return &Error{
		Kind: Stale, Message: fmt.Sprintf("%s %q has changed since its etag was read: read it again", resource, name),
		ResourceType: resource, ResourceName: name,
	}
}

// Away says that a part needed for the request doesn't answer, and when to try again.
func Away(part string, retryAfter time.Duration) *Error {
	return &Error{Kind: Unavailable, Message: part + " does not answer now: try again", RetryAfter: retryAfter}
}

// Is tells whether the error is, or wraps, a fault of this kind.
func Is(err error, kind Kind) bool {
	var f *Error
	return errors.As(err, &f) && f.Kind == kind
}

// Under puts the fields of a refusal below the request's field that holds them: what the domain calls "name" is
// "event.name" in the request. Other errors stay as they are.
func Under(field string, err error) error {
	var f *Error
	if !errors.As(err, &f) || f.Kind != Invalid {
		return err
	}
	violations := make([]Violation, len(f.Violations))
	for i, v := range f.Violations {
		violations[i] = Violation{Field: field + "." + v.Field, Detail: v.Detail}
	}
	return InvalidFields(violations...).Because(f.cause)
}
