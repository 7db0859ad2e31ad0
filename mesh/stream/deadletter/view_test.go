package deadletter_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/stream/deadletter"
)

func TestLetterTellsAllThatTheRecordSays(t *testing.T) {
	onEach(t, func(w *world) {
		r := w.dead(2, 5, "failed")
		// A publisher's own header of such a name stands before those of the DLQ, and counts for nothing.
		r.Headers = append(headers("dlq_reason", "mine", "dlq_handled", "replayed"), r.Headers...)
		w.put(r)
		var got []*deadletter.Letter
		if err := w.look().Each(w.ctx(), deadletter.Filter{}, func(l *deadletter.Letter) error { got = append(got, l); return nil }); err != nil {
			w.t.Fatal(err)
		}
		if len(got) != 1 {
			w.t.Fatalf("%d records", len(got))
		}
		l := got[0]
		if l.Place != (deadletter.Place{Partition: 2, Offset: 0}) || !l.Buried.Equal(r.Timestamp) || l.Reason != "failed" || l.Error != "an error" || l.Attempts != 8 {
			w.t.Errorf("%+v", l)
		}
		if l.Topic != w.cfg.Topic || *l.Original != (deadletter.Place{Partition: 2, Offset: 105}) || !l.Time.Equal(time.UnixMilli(1795429230123)) {
			w.t.Errorf("%+v at %v", l, l.Original)
		}
		if string(l.Key) != "key-2" || string(l.Value) != "2:5" || len(l.Headers) != 2 || l.Header("ce_id") != "id-2-5" || l.Header("traceparent") != traceparent {
			w.t.Errorf("%q %q %v", l.Key, l.Value, l.Headers)
		}
	})
}

func TestFilters(t *testing.T) {
	onEach(t, func(w *world) {
		w.bury(4)
		w.put(w.dead(0, 4, "newer"))
		all := []string{"0:0", "0:1", "0:2", "0:3", "0:4", "1:0", "1:1", "1:2", "1:3"}
		for name, c := range map[string]struct {
			filter deadletter.Filter
			want   []string
		}{
			"all":       {deadletter.Filter{}, all},
			"reason":    {deadletter.Filter{Reason: "newer"}, []string{"0:4"}},
			"key":       {deadletter.Filter{Key: "key-1"}, all[5:]},
			"original":  {deadletter.Filter{Original: &deadletter.Place{Partition: 1, Offset: 102}}, []string{"1:2"}},
			"since":     {deadletter.Filter{Since: minute(3)}, []string{"0:3", "0:4", "1:3"}},
			"until":     {deadletter.Filter{Until: minute(1)}, []string{"0:0", "1:0"}},
			"places":    {deadletter.Filter{Places: map[deadletter.Place]bool{{Partition: 0, Offset: 1}: true, {Partition: 0, Offset: 3}: true, {Partition: 7, Offset: 0}: true}}, []string{"0:1", "0:3"}},
			"no places": {deadletter.Filter{Places: map[deadletter.Place]bool{}}, []string{}},
			"two":       {deadletter.Filter{Key: "key-0", Reason: "failed"}, []string{}},
		} {
			if got := places(w.ctx(), w.t, w.look(), c.filter); !slices.Equal(got, c.want) {
				w.t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	})
}

func TestViewIsOfItsTime(t *testing.T) {
	onEach(t, func(w *world) {
		w.bury(1)
		v := w.look()
		w.bury(1)
		if got := places(w.ctx(), w.t, v, deadletter.Filter{}); !slices.Equal(got, []string{"0:0", "1:0"}) {
			w.t.Errorf("in the view: %v", got)
		}
		outcome, err := v.Discard(w.ctx(), deadletter.Filter{}, nil)
		if err != nil || outcome.Done != 2 {
			w.t.Errorf("%+v, %v", outcome, err)
		}
		if got := places(w.ctx(), w.t, w.look(), deadletter.Filter{}); !slices.Equal(got, []string{"0:1", "1:1"}) {
			w.t.Errorf("open afterwards: %v", got)
		}
	})
}

func TestMarkersMarkOnlyWhatIsBeforeThem(t *testing.T) {
	onEach(t, func(w *world) {
		w.bury(3)
		marker := w.dead(0, 0, "")
		marker.Value, marker.Headers = nil, headers("dlq_handled", "discarded", "dlq_handled_offsets", "1,2-99")
		broken := w.dead(1, 0, "")
		broken.Value, broken.Headers = nil, headers("dlq_handled", "discarded", "dlq_handled_offsets", "all")
		w.put(marker, broken)
		w.bury(1)
		// What a publisher's header says doesn't count, even if the value was left out.
		disguised := w.dead(2, 0, "failed")
		disguised.Value, disguised.Headers = nil, append(headers("dlq_handled", "discarded", "dlq_handled_offsets", "0"), disguised.Headers...)
		w.put(disguised)
		want := []string{"0:0", "0:4", "1:0", "1:1", "1:2", "1:4", "2:0"}
		if got := places(w.ctx(), w.t, w.look(), deadletter.Filter{}); !slices.Equal(got, want) {
			w.t.Errorf("open: %v, want %v", got, want)
		}
	})
}

// TestTwoOperators lets one handle a record that the other one has in view.
func TestTwoOperators(t *testing.T) {
	onEach(t, func(w *world) {
		w.bury(3)
		view := w.look()
		if outcome, err := w.look().Discard(w.ctx(), deadletter.Filter{Places: map[deadletter.Place]bool{{Offset: 1}: true}}, nil); err != nil || outcome.Done != 1 {
			w.t.Errorf("%+v, %v", outcome, err)
		}
		if outcome, err := view.Replay(w.ctx(), deadletter.Filter{Key: "key-0"}, deadletter.Replay{}); err != nil || outcome.Done != 2 {
			w.t.Errorf("%+v, %v", outcome, err)
		}
		if got := w.values(); !slices.Equal(got, []string{"0:0", "0:2"}) {
			w.t.Errorf("replayed: %v", got)
		}
	})
}

func TestWithoutTheTopicThereIsAClearError(t *testing.T) {
	t.Parallel()
	w := onFake(t)
	w.cfg.Topic = "other"
	if _, err := w.open().Look(w.ctx()); err == nil || err.Error() != "topic other.dlq does not exist" {
		t.Error(err)
	}
}

func TestWithoutABrokerThereIsAClearError(t *testing.T) {
	t.Parallel()
	w := &world{t: t, cfg: stream.Defaults("things")}
	listener := meshtest.Listen(t)
	w.cfg.Brokers = []string{listener.Addr().String()}
	_ = listener.Close() // nobody listens there now
	if _, err := w.open().Look(w.ctx()); !contains(err, "no broker answers: check kafka.brokers") {
		t.Error(err)
	}
}

func TestLag(t *testing.T) {
	onEach(t, func(w *world) {
		q := w.open()
		group := w.cfg.Topic + "-group"
		for i := range 5 {
			w.put(onTopic(w, 0, i), onTopic(w, 1, i))
		}
		want := func(what, want string) {
			w.t.Helper()
			lags, err := q.Lag(w.ctx(), group)
			if got := fmt.Sprint(lags); err != nil || got != want {
				w.t.Errorf("%s: %v, %v; want %v", what, got, err, want)
			}
		}
		want("nobody yet", "[{0 -1 5 5} {1 -1 5 5} {2 -1 0 0}]")
		w.commit(group, 1, 3)
		want("some", "[{0 -1 5 5} {1 3 5 2} {2 -1 0 0}]")
		w.commit(group, 1, 5)
		want("all of one", "[{0 -1 5 5} {1 5 5 0} {2 -1 0 0}]")
		w.deleteBefore(2)
		want("some are gone", "[{0 -1 5 3} {1 5 5 0} {2 -1 0 0}]")
	})
}
