package discovery

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	registryv1 "eventprospect/gen/registry/v1"
)

const (
	// joinTimeout bounds the wait for a registry that is away; then it is said in the log, and tried again. After a break it
	// begins with the time between two heartbeats, so that a registry that hangs costs the instance one of its three.
	joinTimeout = time.Minute
	// maxStay bounds the time on one stream. The member moves to a new one before it leaves the old: servers close a
	// connection some time after they have asked for a new one (rpc's maxConnectionAge and its grace), and a
	// stream that breaks takes the instance away.
	maxStay = 20 * time.Second
)

// Member keeps one instance registered: it joins, sends heartbeats, and joins again when the registry was away.
type Member struct {
	registry registryv1.RegistryServiceClient
	log      *slog.Logger
	instance *registryv1.Instance
	leave    chan chan struct{}
	joined   chan struct{}
	patience time.Duration // how long the next join may take
}

// NewMember makes a member for an instance that is UP.
func NewMember(registry registryv1.RegistryServiceClient, instance *registryv1.Instance, log *slog.Logger) *Member {
	return &Member{
		registry: registry, log: log, instance: instance,
		leave: make(chan chan struct{}), joined: make(chan struct{}), patience: joinTimeout,
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

// stay joins and sends what is due until the stream breaks.
func (m *Member) stay(ctx context.Context, pause *backoff) error {
	current, err := m.join(ctx, m.patience)
	if err != nil {
		m.patience = min(2*m.patience, joinTimeout)
		return err
	}
	defer func() { current.close() }()
	pause.reset()
	m.noteJoined()
	m.patience = current.beat
	ticker := time.NewTicker(current.beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-current.ended:
			return current.err
		case <-ticker.C:
			if current, err = m.renew(ctx, current); err != nil {
				return err
			}
		case noted := <-m.leave:
			m.instance = proto.CloneOf(m.instance)
			m.instance.Status = registryv1.Instance_OUT_OF_SERVICE
			err := current.say(m.instance)
			close(noted)
			if err != nil {
				return err
			}
		}
	}
}

// renew gives a sign of life: on a new stream if it is time to move and that works at once, else on this one.
func (m *Member) renew(ctx context.Context, current *session) (*session, error) {
	if time.Now().After(current.moveAt) {
		if next, err := m.join(ctx, current.beat); err == nil {
			current.close()
			return next, nil
		}
	}
	return current, current.say(nil)
}

// join opens a stream and registers the instance on it, unless that takes longer than patience.
func (m *Member) join(ctx context.Context, patience time.Duration) (*session, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &session{cancel: cancel, answers: make(chan *registryv1.JoinResponse), ended: make(chan struct{})}
	err := s.within(patience, func() error {
		stream, err := m.registry.Join(ctx)
		if err != nil {
			close(s.ended)
			return err
		}
		s.stream = stream
		go s.listen(ctx)
		return s.exchange(m.instance)
	})
	if err != nil {
		s.close()
		return nil, err
	}
	s.moveAt = time.Now().Add(min(6*s.beat, maxStay))
	return s, nil
}

func (m *Member) noteJoined() {
	select {
	case <-m.joined:
	default:
		close(m.joined)
	}
}
