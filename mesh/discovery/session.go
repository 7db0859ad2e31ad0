package discovery

import (
	"context"
	"fmt"
	"time"

	registryv1 "eventprospect/gen/registry/v1"
)

// session is one Join stream.
type session struct {
	stream  registryv1.RegistryService_JoinClient
	cancel  context.CancelFunc
	answers chan *registryv1.JoinResponse
	ended   chan struct{} // closed when the stream is over; then err says why
	err     error
	beat    time.Duration // how often it has to be heard from: a third of the term
	moveAt  time.Time
}

// listen hands on the answers until the stream is over. It is heard at once when that breaks, not with the next heartbeat.
func (s *session) listen(ctx context.Context) {
	defer close(s.ended)
	for {
		var answer *registryv1.JoinResponse
		if answer, s.err = s.stream.Recv(); s.err != nil {
			return
		}
		select {
		case s.answers <- answer:
		case <-ctx.Done():
		}
	}
}

func (s *session) close() {
	s.cancel()
	<-s.ended
}

// say sends a heartbeat, or news if there is an instance, and waits for the answer, but not longer than until the next beat: a
// registry that hangs must not keep the instance from another one.
func (s *session) say(instance *registryv1.Instance) error {
	return s.within(s.beat, func() error { return s.exchange(instance) })
}

// within ends the session if something takes longer than patience.
func (s *session) within(patience time.Duration, do func() error) error {
	giveUp := time.AfterFunc(patience, s.cancel)
	err := do()
	if !giveUp.Stop() {
		return fmt.Errorf("no answer in %v", patience)
	}
	return err
}

func (s *session) exchange(instance *registryv1.Instance) error {
	// If it can't be sent, the reason comes with the end of the stream.
	sent := s.stream.Send(&registryv1.JoinRequest{Instance: instance})
	select {
	case answer := <-s.answers:
		s.beat = max(answer.GetTerm().AsDuration()/3, time.Millisecond)
		return sent
	case <-s.ended:
		return s.err
	}
}
