package discovery

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	registryv1 "eventprospect/gen/registry/v1"
)

// Member keeps one instance registered: it joins, sends heartbeats, and joins again when the registry was away.
type Member struct {
	registry registryv1.RegistryServiceClient
	log      *slog.Logger
	instance *registryv1.Instance
	leave    chan chan struct{}
	joined   chan struct{}
}

// NewMember makes a member for an instance that is UP.
func NewMember(registry registryv1.RegistryServiceClient, instance *registryv1.Instance, log *slog.Logger) *Member {
	return &Member{
		registry: registry, log: log, instance: instance,
		leave: make(chan chan struct{}), joined: make(chan struct{}),
	}
}

// Joined is closed once the registry has answered for the first time.
func (m *Member) Joined() <-chan struct{} { return m.joined }

// Run keeps the instance registered until the context ends; the registry removes it then.
func (m *Member) Run(ctx context.Context) error {
	var pause backoff
	for ctx.Err() == nil {
		err := m.stay(ctx, &pause)
		if ctx.Err() != nil {
			break
		}
		m.log.Warn("registration interrupted", "error", err)
		pause.wait(ctx)
	}
	return nil
}

// Drain marks the instance OUT_OF_SERVICE and returns when the registry has taken note, or when the context ends. The instance
// stays registered, so that it is seen draining, until Run ends.
func (m *Member) Drain(ctx context.Context) {
	noted := make(chan struct{})
	select {
	case m.leave <- noted:
	case <-ctx.Done():
		return
	}
	select {
	case <-noted:
	case <-ctx.Done():
	}
}

// stay joins once and sends what is due until the stream breaks.
func (m *Member) stay(ctx context.Context, pause *backoff) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := m.registry.Join(ctx)
	if err != nil {
		return err
	}
	say := func(instance *registryv1.Instance) (time.Duration, error) {
		if err := stream.Send(&registryv1.JoinRequest{Instance: instance}); err != nil {
			return 0, receiveError(stream, err)
		}
		answer, err := stream.Recv()
		return answer.GetTerm().AsDuration(), err
	}
	term, err := say(m.instance)
	if err != nil {
		return err
	}
	pause.reset()
	m.noteJoined()
	return m.beat(ctx, say, term)
}

// beat sends a heartbeat every third of the term, and the last news when the instance is to drain.
func (m *Member) beat(ctx context.Context, say func(*registryv1.Instance) (time.Duration, error), term time.Duration) error {
	ticker := time.NewTicker(max(term/3, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			if _, err := say(nil); err != nil {
				return err
			}
		case noted := <-m.leave:
			m.instance = proto.CloneOf(m.instance)
			m.instance.Status = registryv1.Instance_OUT_OF_SERVICE
			_, err := say(m.instance)
			close(noted)
			if err != nil {
				return err
			}
		}
	}
}

func (m *Member) noteJoined() {
	select {
	case <-m.joined:
	default:
		close(m.joined)
	}
}

// receiveError finds out why a stream couldn't be written to: the reason comes with the next read.
func receiveError(stream registryv1.RegistryService_JoinClient, err error) error {
	if _, reason := stream.Recv(); reason != nil {
		return reason
	}
	return err
}
