// Package rpc makes gRPC servers and clients that keep the project's promises: every call is traced, every caller
// verified, every request validated, every error a fault, nothing waits for ever.
package rpc

import (
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc/filters"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"

	"eventprospect/mesh/audit"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/telemetry"
)

const (
	// MaxMessage bounds a request or an answer, in bytes.
	MaxMessage = 4 << 20
	// maxHeaders bounds the metadata of a call, in bytes: two tokens of the greatest length, and as much besides.
	maxHeaders = 64 << 10
	// defaultDeadline bounds a unary call whose caller set no deadline.
	defaultDeadline = 30 * time.Second
	// maxConnectionAge makes clients connect anew now and then, so that load spreads over new instances.
	maxConnectionAge      = 30 * time.Minute
	maxConnectionAgeGrace = time.Minute
	// keepaliveEvery is how long a connection may be silent before it is probed, and keepaliveTimeout how long an
	// answer may take. Both ends use them; the server lets clients probe a little more often.
	keepaliveEvery   = 20 * time.Second
	keepaliveTimeout = 5 * time.Second
	keepaliveMin     = 10 * time.Second
	// maxStreams bounds the concurrent calls of one connection.
	maxStreams = 1000
)

// Verifier tells whom a token speaks for; auth.Verifier does.
type Verifier interface {
	Verify(ctx context.Context, token string) (auth.Identity, error)
}

// Server is a gRPC server with the project's chain: traces, audit, recovery and fault translation, token, access rule, validation.
type Server struct {
	*grpc.Server
	guard *guard
	audit *audit.Auditor
}

// NewServer makes a server without services. Options may add credentials; without, it speaks plaintext.
func NewServer(verifier Verifier, traces *telemetry.Traces, log *slog.Logger, options ...grpc.ServerOption) (*Server, error) {
	validate, err := newValidator()
	if err != nil {
		return nil, err
	}
	g := &guard{verifier: verifier}
	translate, auditor := translator{log}, audit.New(log)
	server := grpc.NewServer(append([]grpc.ServerOption{
		grpc.StatsHandler(otelgrpc.NewServerHandler(traceOptions(traces)...)),
		grpc.ChainUnaryInterceptor(deadline, auditor.Unary, translate.unary, g.unary, validate.unary),
		grpc.ChainStreamInterceptor(auditor.Stream, translate.stream, g.stream, validate.stream),
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.MaxSendMsgSize(MaxMessage),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: maxConnectionAge, MaxConnectionAgeGrace: maxConnectionAgeGrace,
			Time: keepaliveEvery, Timeout: keepaliveTimeout,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveMin, PermitWithoutStream: true}),
	}, options...)...)
	return &Server{Server: server, guard: g, audit: auditor}, nil
}

// Seal reads the access rules of all services registered so far; it is called once, before serving. Until then every
// call is refused. The open methods, by full name ("/event.v1.EventService/GetEvent"), need no token, whatever their
// contract says, if they have one.
func (s *Server) Seal(open ...string) error {
	rules, err := auth.RulesOf(s.GetServiceInfo(), open...)
	if err != nil {
		return err
	}
	s.guard.rules = rules
	s.audit.Seal(s.GetServiceInfo())
	return nil
}

// traceOptions leave health checks out: they would drown what matters.
func traceOptions(traces *telemetry.Traces) []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(traces),
		otelgrpc.WithPropagators(traces),
		otelgrpc.WithFilter(func(info *stats.RPCTagInfo) bool { return filters.Not(filters.HealthCheck())(info) }),
	}
}

// deadline gives a call without a deadline the default one.
func deadline(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, defaultDeadline)
		defer cancel()
	}
	return handle(ctx, req)
}
