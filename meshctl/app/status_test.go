package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"google.golang.org/protobuf/types/known/timestamppb"

	prospectv1 "eventprospect/gen/prospect/v1"
)

func TestStatusTellsWhatWaitsWhere(t *testing.T) {
	t.Parallel()
	w := filled(t)
	w.many(0, 0, 7)
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: 0, At: 3, LeaderEpoch: -1})
	if err := kadm.NewClient(w.client).CommitAllOffsets(t.Context(), "event", offsets); err != nil {
		t.Fatal(err)
	}
	w.services.outbox = &prospectv1.Outbox{WaitingCount: 12, MaxWaitingCount: 1000, OldestTime: timestamppb.New(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))}
	wantLines(t, w.must(0, "status"),
		"WAITING OLDEST MAY WAIT", "12 2026-11-23T09:00:00.000Z 1000",
		"PARTITION COMMITTED END BEHIND", "0 3 7 4", "1 none 0 0", "total 4",
		"REASON RECORDS", "failed 1", "invalid 2", "newer 1", "total 4")
	found := object(t, w.must(0, "-o", "json", "status"))
	outbox, lag := found["outbox"].(map[string]any), found["lag"].(map[string]any)
	if outbox["waiting"] != 12. || outbox["oldest_time"] != "2026-11-23T09:00:00Z" || lag["total"] != 4. || found["dlq"].(map[string]any)["total"] != 4. || found["errors"] != nil {
		t.Errorf("%v", found)
	}
}

func TestStatusNamesWhatCannotBeAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := w.must(4, "status")
	wantLines(t, out, "can't be told: no outbox today", "total 0")
	w.services.outbox = &prospectv1.Outbox{}
	w.must(0, "status")
	w.environ = append(w.environ, "MESHCTL_KAFKA_BROKERS=127.0.0.1:1")
	found := object(t, w.must(4, "-o", "json", "status"))
	for _, part := range []string{"lag", "dlq"} {
		if why, _ := found["errors"].(map[string]any)[part].(string); !strings.Contains(why, "no broker answers") || found[part] != nil {
			t.Errorf("%s: %v", part, found)
		}
	}
	if found["outbox"] == nil {
		t.Errorf("%v", found)
	}
}
