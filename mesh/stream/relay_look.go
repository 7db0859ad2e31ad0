package stream

import (
	"context"
	"time"
)

// lookShare is how much rarer looks at the outbox are than they take long: counting many messages must not be all that its store does.
const lookShare = 20

// look tells the room what waits, again and again, also while Kafka is away.
func (r *Relay) look(ctx context.Context) {
	told := reasons{}
	for ctx.Err() == nil {
		began := time.Now()
		err := r.room.Look(ctx, r.queue)
		switch {
		case err == nil:
			told.over(r.log, "outbox is counted again")
		case ctx.Err() == nil:
			told.tell(r.log.Warn, "outbox is not counted", same(err, r.cfg), err)
		}
		timer := time.NewTimer(max(r.poll, lookShare*time.Since(began)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}
