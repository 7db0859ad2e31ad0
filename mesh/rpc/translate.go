package rpc

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/mtls"
)

// translator is the server's edge: it turns errors and panics into statuses, and logs what the caller isn't told.
type translator struct{ log *slog.Logger }

func (t translator) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (resp any, err error) {
	defer func() {
		err = t.translate(ctx, info.FullMethod, err, recover())
		if leaveAlone(err) {
			_ = grpc.SetTrailer(ctx, noRetry()) // fails only where there is no call
		}
	}()
	return handle(ctx, req)
}

func (t translator) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer func() {
		err = t.translate(ss.Context(), info.FullMethod, err, recover())
		if leaveAlone(err) {
			ss.SetTrailer(noRetry())
		}
	}()
	return handle(srv, ss)
}

// noRetry asks gRPC clients not to try again by themselves (gRFC A6, server pushback).
func noRetry() metadata.MD { return metadata.Pairs("grpc-retry-pushback-ms", "-1") }

func (t translator) translate(ctx context.Context, method string, err error, panicked any) error {
	if panicked != nil {
		err = fault.New(fault.Internal, "panic").Because(fmt.Errorf("%v\n%s", panicked, debug.Stack()))
	}
	if err == nil {
		return nil
	}
	st := ToStatus(err)
	if st.Code() == codes.Internal {
		args := []any{"method", method, "error", err}
		if peer := mtls.Peer(ctx); peer != "" {
			args = append(args, "peer", peer)
		}
		t.log.ErrorContext(ctx, "call failed", args...)
	}
	return st.Err()
}
