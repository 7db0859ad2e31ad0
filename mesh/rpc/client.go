package rpc

import (
	"context"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"eventprospect/mesh/balance"
	"eventprospect/mesh/telemetry"
)

// connectTimeout bounds one attempt to connect.
const connectTimeout = 2 * time.Second

// NewClient makes a connection to a target: "mesh:///event", or a host and port. It connects when it is first used. The
// options may include WithAccount, WithCalls and WithBreaker.
func NewClient(target string, traces *telemetry.Traces, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	calls, interceptors := DefaultCalls(), []grpc.UnaryClientInterceptor{}
	streams := []grpc.StreamClientInterceptor{untranslateStream}
	var account []grpc.UnaryClientInterceptor
	for _, option := range options {
		switch o := option.(type) {
		case callsOption:
			calls = o.calls
		case breakerOption:
			interceptors = append(interceptors, o.unary)
		case accountOption:
			account, streams = append(account, o.unary), append(streams, o.stream)
		}
	}
	again := repeatable(protoregistry.GlobalFiles)
	config, err := policy(calls, again)
	if err != nil {
		return nil, err
	}
	// The attempts of one call share its deadline and its request id, and are one call to a breaker.
	interceptors = append(interceptors, untranslate, timeout(calls.Timeout), requestID, newAttempts(calls, again).unary)
	interceptors = append(interceptors, account...)
	return grpc.NewClient(target, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler(traceOptions(traces)...)),
		grpc.WithChainUnaryInterceptor(interceptors...),
		grpc.WithChainStreamInterceptor(streams...),
		grpc.WithDefaultServiceConfig(config),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: keepaliveEvery, Timeout: keepaliveTimeout, PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: connectTimeout,
		}),
	}, options...)...)
}

// untranslate gives the caller the fault that the server meant.
func untranslate(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return FromError(invoke(ctx, method, req, reply, cc, opts...))
}

func untranslateStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := open(balance.NewContext(ctx, false), desc, cc, method, opts...)
	if err != nil {
		return nil, FromError(err)
	}
	return untranslated{stream}, nil
}

// untranslated is a stream whose errors are faults; io.EOF, its good end, stays as it is.
type untranslated struct{ grpc.ClientStream }

func (s untranslated) RecvMsg(m any) error { return keepEOF(s.ClientStream.RecvMsg(m)) }
func (s untranslated) SendMsg(m any) error { return keepEOF(s.ClientStream.SendMsg(m)) }

// timeout gives a call without a deadline the default one.
func timeout(limit time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, limit)
			defer cancel()
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}
}

// requestID fills an empty `request_id` (AIP-155), as Google's clients do (AIP-4235): the attempts of one call share
// it, so that a retry after a lost answer doesn't do the work twice. The caller's message stays as it is: sent once more, it
// is another request.
func requestID(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if m, ok := req.(proto.Message); ok {
		r := m.ProtoReflect()
		if field := requestIDField(r.Descriptor()); field != nil && r.Get(field).String() == "" {
			filled := proto.Clone(m)
			filled.ProtoReflect().Set(field, protoreflect.ValueOfString(uuid.NewString()))
			req = filled
		}
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}
