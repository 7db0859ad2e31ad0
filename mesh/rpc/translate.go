package rpc

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"eventprospect/mesh/fault"
)

// translator is the server's edge: it turns errors and panics into statuses, and logs what the caller isn't told.
type translator struct{ log *slog.Logger }

func (t translator) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (resp any, err error) {
	defer func() { err = t.translate(ctx, info.FullMethod, err, recover()) }()
	return handle(ctx, req)
}

func (t translator) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer func() { err = t.translate(ss.Context(), info.FullMethod, err, recover()) }()
	return handle(srv, ss)
}

func (t translator) translate(ctx context.Context, method string, err error, panicked any) error {
	if panicked != nil {
		err = fault.New(fault.Internal, "panic").Because(fmt.Errorf("%v\n%s", panicked, debug.Stack()))
	}
	if err == nil {
		return nil
	}
	st := ToStatus(err)
	if st.Code() == codes.Internal {
		t.log.ErrorContext(ctx, "call failed", "method", method, "error", err)
	}
	return st.Err()
}
