package rpc_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/fault"
)

type joinClient = grpc.BidiStreamingClient[registryv1.JoinRequest, registryv1.JoinResponse]

// openJoin opens a stream to a registry whose Join is this function, and sends the first message.
func openJoin(ctx context.Context, t *testing.T, join func(joinStream) error) (joinClient, *buffer) {
	t.Helper()
	address, log := start(t, &joins{join: join})
	stream, err := registryv1.NewRegistryServiceClient(dial(t, address)).Join(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// It says io.EOF if the server has ended the stream already.
	if err := stream.Send(&registryv1.JoinRequest{}); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return stream, log
}

func TestAStreamsGoodEndStaysEOF(t *testing.T) {
	t.Parallel()
	heard := make(chan error, 1)
	stream, _ := openJoin(as(t, "service"), t, func(s joinStream) error {
		_, _ = s.Recv()
		_ = s.Send(&registryv1.JoinResponse{})
		_, err := s.Recv()
		heard <- err
		return nil
	})
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := <-heard; err != io.EOF { //nolint:errorlint // io.EOF must be itself
		t.Errorf("the server hears %v, want io.EOF", err)
	}
	if _, err := stream.Recv(); err != io.EOF { //nolint:errorlint // io.EOF must be itself
		t.Errorf("the client hears %v, want io.EOF", err)
	}
}

func TestAStreamsFaultArrives(t *testing.T) {
	t.Parallel()
	want := fault.Missing("Instance", "x")
	stream, _ := openJoin(as(t, "service"), t, func(joinStream) error { return want })
	_, err := stream.Recv()
	checkFault(t, err, want)
	// Once a stream is broken, writing says io.EOF, and reading says why.
	if err := stream.Send(&registryv1.JoinRequest{}); !errors.Is(err, io.EOF) {
		t.Errorf("Send gives %v, want io.EOF", err)
	}
}

func TestAStreamHidesPlainErrors(t *testing.T) {
	t.Parallel()
	stream, log := openJoin(as(t, "service"), t, func(joinStream) error { return errors.New(secret) })
	_, err := stream.Recv()
	checkFault(t, err, fault.New(fault.Internal, nothing))
	checkLoggedOnce(t, log, secret)
}

func TestAStreamsPanicIsLoggedOnceAndNotTold(t *testing.T) {
	t.Parallel()
	stream, log := openJoin(as(t, "service"), t, func(joinStream) error { panic(secret) })
	_, err := stream.Recv()
	checkFault(t, err, fault.New(fault.Internal, nothing))
	checkLoggedOnce(t, log, secret, "/registry.v1.RegistryService/Join", "rpc/stream_test.go")
}

func TestAStreamThatIsRefusedSaysSoWhereverItIsAsked(t *testing.T) {
	t.Parallel()
	never := func(joinStream) error { t.Error("the stream was let in"); return nil }
	stream, _ := openJoin(t.Context(), t, never)
	_, err := stream.Recv()
	checkFault(t, err, fault.New(fault.Unauthenticated, "a bearer token is required"))
	stream, _ = openJoin(as(t, "editor"), t, never)
	_, err = stream.Recv()
	checkKind(t, err, fault.Denied)
}

// The client gives up: the server's own read ends with a status of the library, which is no defect to log.
func TestACanceledStreamIsNoDefect(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(as(t, "service"))
	ended := make(chan struct{})
	stream, log := openJoin(ctx, t, func(s joinStream) error {
		defer close(ended)
		_, _ = s.Recv()
		cancel()
		_, err := s.Recv()
		return err
	})
	_, err := stream.Recv()
	checkFault(t, err, fault.New(fault.Canceled, "the caller gave up"))
	<-ended
	if strings.Contains(log.String(), "call failed") {
		t.Errorf("logged: %s", log)
	}
}

func TestEveryMessageOfAStreamIsValidated(t *testing.T) {
	t.Parallel()
	stream, _ := openJoin(as(t, "service"), t, func(s joinStream) error {
		for {
			if _, err := s.Recv(); err != nil {
				return err
			}
		}
	})
	bad := &registryv1.Instance{Service: "Event!", Id: "1", Address: "nowhere", Status: registryv1.Instance_UP}
	if err := stream.Send(&registryv1.JoinRequest{Instance: bad}); err != nil {
		t.Fatal(err)
	}
	_, err := stream.Recv()
	checkViolations(t, err, "instance.service", "instance.address")
}
