package audit

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"eventprospect/mesh/auth"
)

// Auditor writes a record of each call to a server that may change something.
type Auditor struct {
	log     *slog.Logger
	methods map[string]*method
}

// New makes an auditor, which knows no methods yet.
func New(log *slog.Logger) *Auditor { return &Auditor{log: log} }

// Seal finds, among the methods of all services that a server offers, those that may change something. It is called once,
// before serving.
func (a *Auditor) Seal(services map[string]grpc.ServiceInfo) { a.methods = methodsOf(services) }

// call is one call that is under way.
type call struct {
	method *method
	caller *auth.Identity
}

type key struct{}

// SetCaller tells who makes the call of this context. Nothing happens if no record is to be made of it.
func SetCaller(ctx context.Context, caller auth.Identity) {
	if c, ok := ctx.Value(key{}).(*call); ok {
		c.caller = &caller
	}
}

// Unary writes the record when the call is over. It has to be outside of what finds out who calls and of what makes
// errors statuses.
func (a *Auditor) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	m := a.methods[info.FullMethod]
	if m == nil {
		return handle(ctx, req)
	}
	c := &call{method: m}
	resp, err := handle(context.WithValue(ctx, key{}, c), req)
	a.write(ctx, c, m.resource(req, resp, err == nil), status.Code(err))
	return resp, err
}

// Stream writes the record when the server first answers, and says OK: from then on what the client sends is at work. If it
// never does, the record is written when the stream is over.
func (a *Auditor) Stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	m := a.methods[info.FullMethod]
	if m == nil {
		return handle(srv, ss)
	}
	c := &call{method: m}
	s := &stream{ServerStream: ss, ctx: context.WithValue(ss.Context(), key{}, c)}
	s.write = func(code codes.Code) {
		s.once.Do(func() { a.write(s.ctx, c, m.resource(s.first.Load(), nil, code == codes.OK), code) })
	}
	err := handle(srv, s)
	s.write(status.Code(err))
	return err
}

func (a *Auditor) write(ctx context.Context, c *call, resource string, code codes.Code) {
	Write(ctx, a.log, Entry{
		Method: c.method.name, Caller: c.caller, Peer: peerOf(ctx), ForwardedFor: forwardedFor(ctx),
		Resource: resource, Code: code,
	})
}

// stream looks at what passes.
type stream struct {
	grpc.ServerStream
	ctx   context.Context
	first atomic.Value // the first message of the client
	once  sync.Once
	write func(codes.Code)
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) RecvMsg(message any) error {
	err := s.ServerStream.RecvMsg(message)
	if err == nil {
		s.first.CompareAndSwap(nil, message)
	}
	return err
}

func (s *stream) SendMsg(message any) error {
	err := s.ServerStream.SendMsg(message)
	if err == nil {
		s.write(codes.OK)
	}
	return err
}
