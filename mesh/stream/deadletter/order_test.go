package deadletter_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"eventprospect/mesh/stream/deadletter"
)

// TestReplayedRecordsKeepTheirOrderAlthoughOneIsRefused has the first request refused, before the second record is handed over if one is
// sent by then: what comes after it isn't replayed before it.
func TestReplayedRecordsKeepTheirOrderAlthoughOneIsRefused(t *testing.T) {
	t.Parallel()
	w := onFake(t)
	w.bury(3)
	asked, once := make(chan struct{}), sync.Once{}
	w.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		once.Do(func() { close(asked) })
		return nil, nil, false
	})
	w.refuseOnce(w.cfg.Topic, kerr.TopicAuthorizationFailed)
	slow := func(l *deadletter.Letter) ([]byte, error) {
		if l.Offset == 1 {
			select {
			case <-asked:
				time.Sleep(50 * time.Millisecond) // the client hears of the refusal
			case <-time.After(200 * time.Millisecond): // nothing is sent yet
			}
		}
		return nil, nil
	}
	filter := deadletter.Filter{Key: "key-0"}
	if outcome, err := w.look().Replay(w.ctx(), filter, deadletter.Replay{Edit: slow}); err == nil || outcome.Done > 0 {
		t.Errorf("%+v, error %v: want the refusal, and nothing replayed", outcome, err)
	}
	w.replay(filter, deadletter.Replay{})
	if got, want := w.values(), []string{"0:0", "0:1", "0:2"}; !slices.Equal(got, want) {
		t.Errorf("replayed in the order %v, want %v", got, want)
	}
}
