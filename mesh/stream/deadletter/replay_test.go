package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"eventprospect/mesh/stream"
	"eventprospect/mesh/stream/deadletter"
	"eventprospect/mesh/telemetry"
)

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

// onTopic is a record of the topic itself.
func onTopic(w *world, partition int32, n int) *kgo.Record {
	return &kgo.Record{Topic: w.cfg.Topic, Partition: partition, Key: fmt.Appendf(nil, "key-%d", partition), Value: fmt.Appendf(nil, "%d", n)}
}

func (w *world) commit(group string, partition int32, at int64) {
	w.t.Helper()
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: w.cfg.Topic, Partition: partition, At: at, LeaderEpoch: -1})
	if err := kadm.NewClient(w.client).CommitAllOffsets(w.ctx(), group, offsets); err != nil {
		w.t.Fatal(err)
	}
}

// deleteBefore deletes what is on partition 0 of the topic before an offset.
func (w *world) deleteBefore(at int64) {
	w.t.Helper()
	gone := kadm.Offsets{}
	gone.Add(kadm.Offset{Topic: w.cfg.Topic, Partition: 0, At: at})
	answers, err := kadm.NewClient(w.client).DeleteRecords(w.ctx(), gone)
	if err == nil {
		err = answers.Error()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) replay(filter deadletter.Filter, how deadletter.Replay) deadletter.Outcome {
	w.t.Helper()
	outcome, err := w.look().Replay(w.ctx(), filter, how)
	if err != nil {
		w.t.Fatal(err)
	}
	return outcome
}

func TestReplayedRecordsAreAsTheyWere(t *testing.T) {
	onEach(t, func(w *world) {
		w.bury(3)
		if outcome := w.replay(deadletter.Filter{}, deadletter.Replay{}); outcome.Done != 6 || outcome.Left != nil || outcome.Undeleted != nil {
			w.t.Errorf("%+v", outcome)
		}
		records, _ := w.read(w.cfg.Topic)
		byKey := map[string][]string{}
		for _, r := range records {
			key := string(r.Key)
			byKey[key] = append(byKey[key], string(r.Value))
			id := "id-" + strings.ReplaceAll(string(r.Value), ":", "-")
			if got := fmt.Sprint(r.Headers[:2]); len(r.Headers) != 3 || got != fmt.Sprint(headers("ce_id", id, "traceparent", traceparent)) {
				w.t.Errorf("%s has the headers %s", r.Value, got)
			}
			last := r.Headers[len(r.Headers)-1]
			if at, err := time.Parse(time.RFC3339, string(last.Value)); last.Key != stream.HeaderReplayed || err != nil || time.Since(at) > time.Hour {
				w.t.Errorf("%s was replayed at %v", r.Value, last)
			}
		}
		if got := fmt.Sprint(byKey); got != "map[key-0:[0:0 0:1 0:2] key-1:[1:0 1:1 1:2]]" {
			w.t.Error(got)
		}
		dlq, from := w.read(w.cfg.DLQ())
		if len(dlq) != 0 || from[0] != 4 || from[1] != 4 {
			w.t.Errorf("the DLQ holds %d records, from %v", len(dlq), from)
		}
	})
}

func TestWhatIsHandledInTheMiddleStaysMarkedUntilWhatIsBeforeIsHandled(t *testing.T) {
	onEach(t, func(w *world) {
		w.bury(4)
		w.replay(deadletter.Filter{Places: map[deadletter.Place]bool{{Offset: 1}: true, {Offset: 2}: true}}, deadletter.Replay{})
		if got := places(w.ctx(), w.t, w.look(), deadletter.Filter{Key: "key-0"}); !slices.Equal(got, []string{"0:0", "0:3"}) {
			w.t.Errorf("open: %v", got)
		}
		dlq, from := w.read(w.cfg.DLQ())
		if marker := dlq[4]; from[0] != 0 || marker.Value != nil || fmt.Sprint(marker.Headers[:2]) != fmt.Sprint(headers("dlq_handled", "replayed", "dlq_handled_offsets", "1-2")) {
			w.t.Errorf("from %v, marker %v", from, marker.Headers)
		}
		if outcome, err := w.look().Discard(w.ctx(), deadletter.Filter{Key: "key-0", Until: w.dead(0, 3, "").Timestamp}, nil); err != nil || outcome.Done != 1 {
			w.t.Errorf("%+v, %v", outcome, err)
		}
		if _, from := w.read(w.cfg.DLQ()); from[0] != 3 || from[1] != 0 {
			w.t.Errorf("deleted up to %v", from)
		}
		if got := w.values(); !slices.Equal(got, []string{"0:1", "0:2"}) {
			w.t.Errorf("on the topic: %v", got)
		}
	})
}

// TestCrashBetweenReplayAndMark refuses the marker: what was replayed stays open, and is replayed again.
func TestCrashBetweenReplayAndMark(t *testing.T) {
	t.Parallel()
	w := onFake(t)
	w.bury(2)
	w.refuseOnce(w.cfg.DLQ(), kerr.InvalidRecord)
	outcome, err := w.look().Replay(w.ctx(), deadletter.Filter{Key: "key-0"}, deadletter.Replay{})
	if outcome.Done != 0 || !contains(err, "2 records were replayed and are not marked as such") {
		t.Errorf("%+v, %v", outcome, err)
	}
	if outcome := w.replay(deadletter.Filter{Key: "key-0"}, deadletter.Replay{}); outcome.Done != 2 {
		t.Errorf("%+v", outcome)
	}
	if got := w.values(); !slices.Equal(got, []string{"0:0", "0:1", "0:0", "0:1"}) {
		t.Errorf("on the topic: %v", got)
	}
	if got := places(w.ctx(), t, w.look(), deadletter.Filter{Key: "key-0"}); len(got) != 0 {
		t.Errorf("still open: %v", got)
	}
}

// TestAnOutageInTheMiddleLeavesTheRestOpen lets the topic fail: nothing is marked that isn't there.
func TestAnOutageInTheMiddleLeavesTheRestOpen(t *testing.T) {
	t.Parallel()
	w := onFake(t)
	w.bury(2)
	w.refuseOnce(w.cfg.Topic, kerr.TopicAuthorizationFailed)
	outcome, err := w.look().Replay(w.ctx(), deadletter.Filter{Key: "key-0"}, deadletter.Replay{})
	if outcome.Done != 0 || !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("%+v, %v", outcome, err)
	}
	if got := places(w.ctx(), t, w.look(), deadletter.Filter{Key: "key-0"}); len(got) != 2 {
		t.Errorf("open: %v", got)
	}
}

func TestWhatMayNotBeDeletedIsMarkedAllTheSame(t *testing.T) {
	t.Parallel()
	w := onFake(t)
	w.bury(1)
	w.fake.ControlKey(int16(kmsg.DeleteRecords), func(r kmsg.Request) (kmsg.Response, error, bool) {
		answer := r.ResponseKind().(*kmsg.DeleteRecordsResponse)
		for _, topic := range r.(*kmsg.DeleteRecordsRequest).Topics {
			refused := kmsg.NewDeleteRecordsResponseTopic()
			refused.Topic = topic.Topic
			for _, p := range topic.Partitions {
				part := kmsg.NewDeleteRecordsResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
				refused.Partitions = append(refused.Partitions, part)
			}
			answer.Topics = append(answer.Topics, refused)
		}
		return answer, nil, true
	})
	if outcome := w.replay(deadletter.Filter{}, deadletter.Replay{}); outcome.Done != 2 || !contains(outcome.Undeleted, "no right to DELETE") {
		t.Errorf("%+v", outcome)
	}
	if got := places(w.ctx(), t, w.look(), deadletter.Filter{}); len(got) != 0 {
		t.Errorf("still open: %v", got)
	}
	if dlq, _ := w.read(w.cfg.DLQ()); len(dlq) != 4 {
		t.Errorf("%d records on the DLQ, want 2 and 2 markers", len(dlq))
	}
}

func TestEditedRecordsAreReplayedAsEdited(t *testing.T) {
	onEach(t, func(w *world) {
		w.bury(2)
		outcome := w.replay(deadletter.Filter{}, deadletter.Replay{Edit: func(l *deadletter.Letter) ([]byte, error) {
			switch l.String() {
			case "0:1":
				return []byte("better"), nil
			case "1:0":
				return nil, errors.New("can't be mended")
			}
			return nil, nil
		}})
		if got := fmt.Sprint(outcome.Done, outcome.Left); got != "3 [1:0: can't be mended]" {
			w.t.Error(got)
		}
		got := w.values()
		if slices.Sort(got); !slices.Equal(got, []string{"0:0", "1:1", "better"}) {
			w.t.Errorf("on the topic: %v", got)
		}
	})
}

func TestRecordsOfOtherTopicsStayUnlessTold(t *testing.T) {
	onEach(t, func(w *world) {
		other, none := w.dead(0, 0, "failed"), w.dead(1, 0, "failed")
		none.Headers = nil
		w.put(other, none)
		away := *w // the same DLQ, to a queue of another topic
		away.cfg.Topic = "elsewhere"
		other2 := w.dead(2, 0, "failed")
		other2.Headers = away.dead(2, 0, "failed").Headers
		w.put(other2)
		outcome := w.replay(deadletter.Filter{}, deadletter.Replay{})
		if got := fmt.Sprint(outcome.Done, outcome.Left); got != `1 [1:0: it doesn't say on which topic it was 2:0: it was on the topic "elsewhere"]` {
			w.t.Error(got)
		}
	})
}

// TestWhatIsReplayedIsMarkedAlthoughTheOperatorGivesUp cancels while a batch is under way.
func TestWhatIsReplayedIsMarkedAlthoughTheOperatorGivesUp(t *testing.T) {
	onEach(t, func(w *world) {
		w.bury(2)
		ctx, cancel := context.WithCancel(w.ctx())
		outcome, _ := w.look().Replay(ctx, deadletter.Filter{}, deadletter.Replay{Edit: func(*deadletter.Letter) ([]byte, error) {
			cancel()
			return nil, nil
		}})
		if got := places(w.ctx(), w.t, w.look(), deadletter.Filter{}); outcome.Done != 4 || len(got) != 0 || len(w.values()) != 4 {
			w.t.Errorf("%d done, %d replayed, open: %v", outcome.Done, len(w.values()), got)
		}
	})
}

// TestAReplayBelongsToTheTraceOfTheRecord keeps spans, so that the record is published under a new one.
func TestAReplayBelongsToTheTraceOfTheRecord(t *testing.T) {
	t.Parallel()
	w := onFake(t)
	w.bury(1)
	spans := tracetest.NewSpanRecorder()
	traces, err := telemetry.NewTraces("test", telemetry.Config{SampleRatio: 1}, spans)
	if err != nil {
		t.Fatal(err)
	}
	q, err := deadletter.Open(w.cfg, traces, w.log())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	v, err := q.Look(w.ctx())
	if err == nil {
		_, err = v.Replay(w.ctx(), deadletter.Filter{Key: "key-0"}, deadletter.Replay{})
	}
	if err != nil {
		t.Fatal(err)
	}
	records, _ := w.read(w.cfg.Topic)
	got, was := string(records[0].Headers[1].Value), strings.Split(traceparent, "-")
	if len(records[0].Headers) != 3 || !strings.HasPrefix(got, "00-"+was[1]+"-") || strings.Contains(got, was[2]) {
		t.Errorf("headers %v", records[0].Headers)
	}
}

// refuseOnce answers the next records for a topic with an error.
func (w *world) refuseOnce(topic string, with *kerr.Error) {
	w.fake.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		request := r.(*kmsg.ProduceRequest)
		info := w.fake.TopicInfo(topic)
		answer := request.ResponseKind().(*kmsg.ProduceResponse)
		for _, asked := range request.Topics {
			if asked.Topic != topic && asked.TopicID != info.TopicID {
				return nil, nil, false
			}
			refused := kmsg.NewProduceResponseTopic()
			refused.Topic, refused.TopicID = asked.Topic, asked.TopicID
			for _, p := range asked.Partitions {
				part := kmsg.NewProduceResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, with.Code
				refused.Partitions = append(refused.Partitions, part)
			}
			answer.Topics = append(answer.Topics, refused)
		}
		return answer, nil, true
	})
}
