package e2e_test

import (
	"testing"

	"eventprospect/e2e/command"
	"eventprospect/e2e/kafka"
	"eventprospect/e2e/kafka/kafkatest"
)

// TestTheMainPathOnZooKeeper: the same executable walks the main path, from a prospect's creation to the event that its end caused, on
// Kafka 3.9 that is ruled by a ZooKeeper.
func TestTheMainPathOnZooKeeper(t *testing.T) {
	t.Parallel()
	kafkatest.NeedsPrograms(t)
	cluster, err := kafka.Start(t.Context(), kafka.Options{Folder: t.TempDir(), Brokers: 1, ZooKeeper: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Stop)
	broker := cluster.Addresses()[0]
	if code, stderr := command.Run(t, command.Build(t), t.TempDir(), "-kafka", broker, "try"); code != 0 {
		t.Fatalf("exit code %d: %s\n%s", code, stderr, cluster.LastWords())
	}
	if got := len(records(t, broker, "prospect-events")); got != 3 {
		t.Errorf("%d records, want those of the creation, the change and the end", got)
	}
	if dead := records(t, broker, "prospect-events.dlq"); len(dead) > 0 {
		t.Errorf("on the DLQ: %v", dead)
	}
}
