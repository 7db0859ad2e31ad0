package discovery_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"eventprospect/mesh/discovery"
)

const patience = 20 * time.Second

// keep keeps the instance a registered at these addresses for the time of the test.
func keep(t *testing.T, addresses string) {
	t.Helper()
	member := discovery.NewMember(connect(t, addresses), up("a")[0], slog.New(slog.NewTextHandler(t.Output(), nil)))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- member.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-member.Joined()
}

// joinedAt waits until the instance joins one of the two, and tells whether that is the second.
func joinedAt(t *testing.T, one, two *fake) bool {
	t.Helper()
	select {
	case i := <-one.instances:
		if i.GetId() != "a" {
			t.Errorf("joined as %q", i.GetId())
		}
		return false
	case i := <-two.instances:
		if i.GetId() != "a" {
			t.Errorf("joined as %q", i.GetId())
		}
		return true
	case <-time.After(patience):
		t.Fatal("does not join")
		return false
	}
}

func TestAMemberMovesToAnotherRegistryUnderItsID(t *testing.T) {
	t.Parallel()
	one, two := serveFake(t), serveFake(t)
	keep(t, one.address+","+two.address)
	lost, other := one, two
	if joinedAt(t, one, two) {
		lost, other = two, one
	}
	began := time.Now()
	lost.server.Stop()
	if i := next(t, other.instances); i.GetId() != "a" {
		t.Errorf("joined as %q", i.GetId())
	}
	t.Logf("joined elsewhere after %v", time.Since(began))
}

// A registry that answers nothing any more, and whose connections live on, loses its members to another one.
func TestAMemberLeavesARegistryThatHangs(t *testing.T) {
	t.Parallel()
	one, two := serveFake(t), serveFake(t)
	one.term, two.term = 600*time.Millisecond, 600*time.Millisecond
	keep(t, one.address+","+two.address)
	stuck, other := one, two
	if joinedAt(t, one, two) {
		stuck, other = two, one
	}
	for len(other.instances) > 0 {
		<-other.instances
	}
	began := time.Now()
	close(stuck.hangs)
	next(t, other.instances)
	t.Logf("joined elsewhere after %v", time.Since(began))
}
