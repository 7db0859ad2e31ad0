package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
)

const (
	secret  = "password=hunter2"
	nothing = "something went wrong on our side"
)

// faults has one of each kind, with all that it can carry, and what must arrive where that differs.
func faults() map[fault.Kind]struct{ sent, arrives *fault.Error } {
	away := fault.Away("the event service", 1500*time.Millisecond)
	full := fault.New(fault.Exhausted, "too much at once")
	full.RetryAfter = 3 * time.Second
	denied := fault.New(fault.Denied, "this needs the role editor or admin")
	denied.Roles = []string{"editor", "admin"}
	return map[fault.Kind]struct{ sent, arrives *fault.Error }{
		fault.Internal:        {fault.New(fault.Internal, secret), fault.New(fault.Internal, nothing)},
		fault.Invalid:         {sent: fault.InvalidFields(fault.Violation{Field: "event.name", Detail: "ä"})},
		fault.NotFound:        {sent: fault.Missing("Event", "x")},
		fault.AlreadyExists:   {sent: fault.Taken("Event", "x")},
		fault.Stale:           {sent: fault.Changed("Event", "x")},
		fault.Precondition:    {sent: fault.New(fault.Precondition, "the event is over")},
		fault.Unauthenticated: {sent: fault.New(fault.Unauthenticated, "the token has expired")},
		fault.Denied:          {sent: denied},
		fault.Exhausted:       {sent: full},
		fault.Unavailable:     {sent: away},
		fault.Timeout:         {sent: fault.New(fault.Timeout, "the store took too long")},
		fault.Canceled:        {sent: fault.New(fault.Canceled, "stopped by hand")},
		fault.Unimplemented:   {sent: fault.New(fault.Unimplemented, "not yet")},
	}
}

func TestEveryFaultArrivesAsItWasSent(t *testing.T) {
	t.Parallel()
	all := faults()
	for _, kind := range fault.Kinds() {
		c, ok := all[kind]
		if !ok {
			t.Errorf("no case for kind %d", kind)
			continue
		}
		if c.arrives == nil {
			c.arrives = c.sent
		}
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			t.Parallel()
			err := fmt.Errorf("deep inside: %w", c.sent.Because(errors.New(secret)))
			address, _ := start(t, failing(err))
			_, got := eventsAt(t, address).GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: "x"})
			checkFault(t, got, c.arrives)
			if strings.Contains(got.Error(), secret) {
				t.Errorf("the cause went over the wire: %v", got)
			}
		})
	}
}

// A code that stood for two kinds would turn one into the other on its way.
func TestEveryKindHasItsOwnCodeAndReason(t *testing.T) {
	t.Parallel()
	byCode, byReason := map[codes.Code]fault.Kind{}, map[string]fault.Kind{}
	for _, kind := range fault.Kinds() {
		st := rpc.ToStatus(fault.New(kind, "x"))
		info, _ := st.Details()[0].(*errdetails.ErrorInfo)
		if other, taken := byCode[st.Code()]; taken || st.Code() == codes.OK || st.Code() == codes.Unknown {
			t.Errorf("kind %d has code %v, as has kind %d", kind, st.Code(), other)
		}
		if other, taken := byReason[info.GetReason()]; taken || info.GetReason() == "" || info.GetDomain() != rpc.Domain {
			t.Errorf("kind %d has reason %q, as has kind %d", kind, info.GetReason(), other)
		}
		byCode[st.Code()], byReason[info.GetReason()] = kind, kind
	}
}

func TestWhatIsNoFault(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		err  error
		kind fault.Kind
	}{
		"a plain error":            {errors.New(secret), fault.Internal},
		"a deadline":               {fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), fault.Timeout},
		"a cancellation":           {fmt.Errorf("%s: %w", secret, context.Canceled), fault.Canceled},
		"a library's status":       {status.Error(codes.NotFound, secret), fault.NotFound},
		"a wrapped status":         {fmt.Errorf("x: %w", status.Error(codes.Aborted, secret)), fault.Stale},
		"a code that we don't use": {status.Error(codes.DataLoss, secret), fault.Internal},
		"unknown":                  {status.Error(codes.Unknown, secret), fault.Internal},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, log := start(t, failing(c.err))
			_, got := eventsAt(t, address).GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: "x"})
			checkKind(t, got, c.kind, secret)
			if told := strings.Contains(log.String(), secret); told != (c.kind == fault.Internal) {
				t.Errorf("the cause is in the log: %v", told)
			}
		})
	}
}

// A server that isn't ours may say anything: addresses, statements, versions.
func TestStatusesOfOthersLoseTheirText(t *testing.T) {
	t.Parallel()
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			foreign, _ := status.New(code, secret).WithDetails(&errdetails.ErrorInfo{
				Domain: "elsewhere", Reason: "X", Metadata: map[string]string{"roles": "root"},
			})
			server := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return foreign.Err() }))
			_, got := eventsAt(t, serve(t, server)).GetEvent(t.Context(), &eventv1.GetEventRequest{Id: "x"})
			var f *fault.Error
			if !errors.As(got, &f) || f.Kind != kindOf(code) || strings.Contains(f.Message, secret) || f.Message == "" || len(f.Roles) > 0 {
				t.Errorf("got %+v", f)
			}
			// Of a call that was tried again and again, grpc-go may lose the text.
			if f.Kind != fault.Unavailable && !strings.Contains(got.Error(), secret) {
				t.Errorf("the text is lost for the log, too: %v", got)
			}
		})
	}
}

// kindOf says which kind a foreign code stands for.
func kindOf(code codes.Code) fault.Kind {
	kinds := map[codes.Code]fault.Kind{
		codes.Canceled: fault.Canceled, codes.InvalidArgument: fault.Invalid, codes.DeadlineExceeded: fault.Timeout,
		codes.NotFound: fault.NotFound, codes.AlreadyExists: fault.AlreadyExists, codes.PermissionDenied: fault.Denied,
		codes.ResourceExhausted: fault.Exhausted, codes.FailedPrecondition: fault.Precondition, codes.Aborted: fault.Stale,
		codes.Unimplemented: fault.Unimplemented, codes.Unavailable: fault.Unavailable, codes.Unauthenticated: fault.Unauthenticated,
	}
	return kinds[code] // Internal is the zero kind
}

// TestTheLastAttemptThatWasNotSent has the error that grpc-go makes of a call whose last attempt ended before it was sent.
func TestTheLastAttemptThatWasNotSent(t *testing.T) {
	t.Parallel()
	err := rpc.FromError(fmt.Errorf("max retries exhausted: failed after 4 attempts: %w", io.EOF))
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.RetryAfter == 0 {
		t.Errorf("got %+v, want Unavailable with a time to try again", err)
	}
}

func TestFromErrorKeepsFaults(t *testing.T) {
	t.Parallel()
	if err := rpc.FromError(nil); err != nil {
		t.Errorf("nil becomes %v", err)
	}
	f := fault.Missing("Event", "x").Because(status.Error(codes.Unavailable, secret))
	checkFault(t, rpc.FromError(fmt.Errorf("x: %w", f)), f)
	checkKind(t, rpc.FromError(context.DeadlineExceeded), fault.Timeout)
	checkKind(t, rpc.FromError(errors.New(secret)), fault.Internal, secret)
}

func TestTheCallersDeadlineIsATimeout(t *testing.T) {
	t.Parallel()
	address, _ := start(t, untilTheEnd(nil))
	ctx, cancel := context.WithTimeout(as(t, "reader"), 20*time.Millisecond)
	defer cancel()
	_, err := eventsAt(t, address).GetEvent(ctx, &eventv1.GetEventRequest{Id: "x"})
	checkFault(t, err, fault.New(fault.Timeout, "the deadline passed"))
}

func TestTheCallersCancellation(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(as(t, "reader"))
	defer cancel()
	address, _ := start(t, untilTheEnd(cancel))
	_, err := eventsAt(t, address).GetEvent(ctx, &eventv1.GetEventRequest{Id: "x"})
	checkFault(t, err, fault.New(fault.Canceled, "the caller gave up"))
}

// untilTheEnd is a service whose calls last until their context ends.
func untilTheEnd(started func()) *events {
	return &events{get: func(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
		if started != nil {
			started()
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}}
}

func TestAPanicIsLoggedOnceAndNotTold(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	address, log := start(t, &events{get: func(context.Context, *eventv1.GetEventRequest) (*eventv1.Event, error) {
		if calls.Add(1) == 1 {
			panic(secret)
		}
		return &eventv1.Event{}, nil
	}})
	client := eventsAt(t, address)
	_, err := client.GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: "x"})
	checkFault(t, err, fault.New(fault.Internal, nothing))
	checkLoggedOnce(t, log, secret, "/event.v1.EventService/GetEvent", "rpc/fault_test.go")
	if _, err := client.GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: "x"}); err != nil {
		t.Errorf("the server doesn't live on: %v", err)
	}
}

func checkLoggedOnce(t *testing.T, log *buffer, parts ...string) {
	t.Helper()
	if lines := strings.Count(log.String(), `"level":"ERROR"`); lines != 1 {
		t.Errorf("%d lines are logged: %s", lines, log)
	}
	for _, part := range parts {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log lacks %q: %s", part, log)
		}
	}
}

func BenchmarkToStatus(b *testing.B) {
	err := fmt.Errorf("create: %w", fault.InvalidField("event.name", "is too long").Because(errors.New("cause")))
	for b.Loop() {
		_ = rpc.ToStatus(err)
	}
}
