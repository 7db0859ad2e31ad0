package rpc

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"eventprospect/mesh/fault"
)

// Domain is the `domain` of every google.rpc.ErrorInfo that this system makes.
const Domain = "eventprospect"

// internalMessage is all that a caller learns of a defect; the cause is in the log.
const internalMessage = "something went wrong on our side"

// wire is what stands for each kind on the network: its code, and the reason in the ErrorInfo detail,
// which tells apart what one code would lump together.
var wire = map[fault.Kind]struct {
	code   codes.Code
	reason string
}{
	fault.Internal:        {codes.Internal, "INTERNAL"},
	fault.Invalid:         {codes.InvalidArgument, "INVALID"},
	fault.NotFound:        {codes.NotFound, "NOT_FOUND"},
	fault.AlreadyExists:   {codes.AlreadyExists, "ALREADY_EXISTS"},
	fault.Stale:           {codes.Aborted, "ETAG_MISMATCH"},
	fault.Precondition:    {codes.FailedPrecondition, "FAILED_PRECONDITION"},
	fault.Unauthenticated: {codes.Unauthenticated, "UNAUTHENTICATED"},
	fault.Denied:          {codes.PermissionDenied, "ROLE_MISSING"},
	fault.Exhausted:       {codes.ResourceExhausted, "EXHAUSTED"},
	fault.Unavailable:     {codes.Unavailable, "UNAVAILABLE"},
	fault.Timeout:         {codes.DeadlineExceeded, "TIMEOUT"},
	fault.Canceled:        {codes.Canceled, "CANCELED"},
	fault.Unimplemented:   {codes.Unimplemented, "UNIMPLEMENTED"},
}

// ToStatus translates any error to what goes over the wire (google.rpc.Status with details). What isn't a fault becomes
// INTERNAL with a message that tells nothing.
func ToStatus(err error) *status.Status {
	f := asFault(err)
	w := wire[f.Kind]
	message := f.Message
	if f.Kind == fault.Internal {
		message = internalMessage
	}
	st := status.New(w.code, message)
	detailed, err := st.WithDetails(details(f, w.reason)...)
	if err != nil {
		return st
	}
	return detailed
}

// asFault finds the fault in an error, or makes one of a context's end or of a status that a library returned.
// The status is taken without what is wrapped around it, such as the count of attempts that gRPC puts before its message.
func asFault(err error) *fault.Error {
	var (
		f  *fault.Error
		st interface{ GRPCStatus() *status.Status }
	)
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Timeout, "the deadline passed").Because(err)
	case errors.Is(err, context.Canceled):
		return fault.New(fault.Canceled, "the caller gave up").Because(err)
	case errors.As(err, &st):
		return fromStatus(st.GRPCStatus())
	}
	return fault.New(fault.Internal, internalMessage).Because(err)
}

func details(f *fault.Error, reason string) []protoadapt.MessageV1 {
	info := &errdetails.ErrorInfo{Reason: reason, Domain: Domain}
	if len(f.Roles) > 0 {
		info.Metadata = map[string]string{"roles": strings.Join(f.Roles, " ")}
	}
	all := []protoadapt.MessageV1{info}
	if len(f.Violations) > 0 {
		bad := &errdetails.BadRequest{}
		for _, v := range f.Violations {
			bad.FieldViolations = append(bad.FieldViolations,
				&errdetails.BadRequest_FieldViolation{Field: v.Field, Description: v.Detail})
		}
		all = append(all, bad)
	}
	if f.ResourceType != "" {
		all = append(all, &errdetails.ResourceInfo{ResourceType: f.ResourceType, ResourceName: f.ResourceName})
	}
	if f.RetryAfter > 0 {
		all = append(all, &errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)})
	}
	return all
}

// FromError translates what a gRPC call returned back to the fault that the server meant.
// It returns nil for nil.
func FromError(err error) error {
	if err == nil {
		return nil
	}
	if exhausted(err) {
		return withoutText(&fault.Error{Kind: fault.Unavailable}).Because(err)
	}
	return asFault(err)
}

// exhausted tells whether a call was given up after its last attempt, in the one case in which grpc-go (v1.85) loses the
// status: the attempt had ended before the request was sent, and the error wraps the io.EOF of the send. Only UNAVAILABLE is
// tried again, so that is what it was.
func exhausted(err error) bool {
	_, isStatus := status.FromError(err)
	return !isStatus && errors.Is(err, io.EOF)
}

// fromStatus keeps what a server of ours said. A status that carries no ErrorInfo of this domain was made by a library,
// here or there: its text may tell addresses, so it is kept as the cause only.
func fromStatus(st *status.Status) *fault.Error {
	f := &fault.Error{Kind: kindOf(st.Code()), Message: st.Message()}
	ours := false
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() != Domain {
				continue
			}
			ours = true
			if roles := d.GetMetadata()["roles"]; roles != "" {
				f.Roles = strings.Split(roles, " ")
			}
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				f.Violations = append(f.Violations, fault.Violation{Field: v.GetField(), Detail: v.GetDescription()})
			}
		case *errdetails.ResourceInfo:
			f.ResourceType, f.ResourceName = d.GetResourceType(), d.GetResourceName()
		case *errdetails.RetryInfo:
			f.RetryAfter = max(d.GetRetryDelay().AsDuration(), 0)
		}
	}
	if ours {
		return f
	}
	return withoutText(f).Because(st.Err())
}

// withoutText replaces the message by one that tells nothing but the kind.
func withoutText(f *fault.Error) *fault.Error {
	switch f.Kind {
	case fault.Unavailable:
		f.Message, f.RetryAfter = "a part of the system does not answer now: try again", max(f.RetryAfter, time.Second)
	case fault.Timeout:
		f.Message = "the deadline passed"
	case fault.Canceled:
		f.Message = "the caller gave up"
	case fault.Exhausted:
		f.Message = "the request or its answer is larger than allowed, or too much is asked at once"
	case fault.Unimplemented:
		f.Message = "there is no such method"
	default:
		f.Message = strings.ToLower(strings.ReplaceAll(wire[f.Kind].reason, "_", " "))
	}
	return f
}

// kindOf finds the kind that a code stands for. Codes that we never send mean a defect of the other side.
func kindOf(code codes.Code) fault.Kind {
	kinds := fault.Kinds()
	i := slices.IndexFunc(kinds, func(k fault.Kind) bool { return wire[k].code == code })
	if i < 0 {
		return fault.Internal
	}
	return kinds[i]
}

// keepEOF is FromError for streams, whose good end is io.EOF itself; an error that wraps it is none.
func keepEOF(err error) error {
	if err == io.EOF { //nolint:errorlint // see above
		return err
	}
	return FromError(err)
}
