package api

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/outbox"
)

// OutboxServer implements the contract for operators; a method that is missing doesn't compile.
type OutboxServer struct {
	prospectv1.UnsafeOutboxServiceServer
	queue      outbox.Queue
	maxWaiting int
}

// NewOutbox makes the server for an outbox in which so many messages may wait.
func NewOutbox(queue outbox.Queue, maxWaiting int) *OutboxServer {
	return &OutboxServer{queue: queue, maxWaiting: maxWaiting}
}

// GetOutbox implements OutboxService. It asks the store: what an instance counts by itself is not what others see.
func (s *OutboxServer) GetOutbox(ctx context.Context, _ *prospectv1.GetOutboxRequest) (*prospectv1.Outbox, error) {
	backlog, err := s.queue.Waiting(ctx)
	if err != nil {
		return nil, err
	}
	answer := &prospectv1.Outbox{WaitingCount: int64(backlog.Count), MaxWaitingCount: int64(s.maxWaiting)}
	if !backlog.Oldest.IsZero() {
		answer.OldestTime = timestamppb.New(backlog.Oldest)
	}
	return answer, nil
}
