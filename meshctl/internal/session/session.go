package session

import (
	"context"
	"log/slog"

	"google.golang.org/grpc"

	"eventprospect/mesh"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/stream/deadletter"
	"eventprospect/mesh/telemetry"
	"eventprospect/meshctl/internal/console"
)

// Session is one run of the tool. The console is embedded: all commands speak.
type Session struct {
	*console.Console
	Config Config

	log    *slog.Logger
	traces *telemetry.Traces
	closes []func() error
}

// New makes a session. It connects when something is first asked for. Close it.
func New(cfg Config, c *console.Console) (*Session, error) {
	traces, err := telemetry.NewTraces(client, telemetry.Config{})
	if err != nil {
		return nil, err
	}
	return &Session{
		Console: c, Config: cfg, traces: traces,
		log: slog.New(slog.NewTextHandler(c.Err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}, nil
}

// Queue gives the DLQ.
func (s *Session) Queue() (*deadletter.Queue, error) {
	q, err := deadletter.Open(s.Config.Kafka, s.traces, s.log)
	if err == nil {
		s.closes = append(s.closes, func() error { q.Close(); return nil })
	}
	return q, err
}

// Reader gives a reader of topics.
func (s *Session) Reader() (*stream.Reader, error) {
	r, err := stream.NewReader(s.Config.Kafka, s.traces, s.log)
	if err == nil {
		s.closes = append(s.closes, func() error { r.Close(); return nil })
	}
	return r, err
}

// Connect gives a connection to a service, under the tool's account.
func (s *Session) Connect(ctx context.Context, service string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	c, err := mesh.NewCaller(client, s.Config.CallerConfig, s.log)
	if err != nil {
		return nil, err
	}
	s.closes = append(s.closes, c.Close)
	if err := c.SignIn(ctx); err != nil {
		return nil, err
	}
	return c.Connect(service, options...)
}

// Close ends all connections.
func (s *Session) Close() {
	for _, end := range s.closes {
		if err := end(); err != nil {
			s.log.Warn("not closed", "error", err)
		}
	}
}
