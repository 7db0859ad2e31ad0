// Package storetest holds what every registry.Store promises, one function a promise.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// Engine makes an empty store for the time of the test, and returns how to open it, any number of times at once: each time
// for another registry.
type Engine func(t *testing.T) (open func() registry.Store)

// Run runs the suite.
func Run(t *testing.T, engine Engine) {
	run(t, engine, map[string]func(*testing.T, func() registry.Store){
		"commit-new":                    commitNew,
		"commit-known":                  commitKnown,
		"commit-removes":                commitRemoves,
		"remove-nothing":                removeNothing,
		"stale-if-absent":               staleIfAbsent,
		"stale-if-present":              staleIfPresent,
		"stale-if-changed":              staleIfChanged,
		"commit-without-follower":       commitWithoutFollower,
		"own-changes-are-seen-first":    ownChangesAreSeenFirst,
		"stale-is-seen-first":           staleIsSeenFirst,
		"stale-is-seen-first-by-others": staleIsSeenFirstByOthers,
		"commit-concurrent-all-apply":   commitConcurrentAllApply,
		"one-winner-per-revision":       oneWinnerPerRevision,
		"all-see-the-same":              allSeeTheSame,
		"load-gives-everything":         loadGivesEverything,
		"follow-again":                  followAgain,
		"records-stay-as-they-are":      recordsStayAsTheyAre,
		"keys-are-compared-exactly":     keysAreComparedExactly,
		"large-records":                 largeRecords,
		"announce-is-seen":              announceIsSeen,
		"announce-of-another-run":       announceOfAnotherRun,
		"announce-of-many":              announceOfMany,
		"cancelled-context":             cancelledContext,
		"ping":                          ping,
	})
}

// Durable runs what stores promise besides that keep what they hold when the last one is closed.
func Durable(t *testing.T, engine Engine) {
	run(t, engine, map[string]func(*testing.T, func() registry.Store){
		"restart-keeps-everything": restartKeepsEverything,
	})
}

func run(t *testing.T, engine Engine, promises map[string]func(*testing.T, func() registry.Store)) {
	for name, promise := range promises {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			promise(t, engine(t))
		})
	}
}

// at is a time that has microseconds.
var at = time.Date(2026, 11, 23, 10, 20, 30, 123456000, time.UTC)

// Key names an instance of one service.
func Key(id string) registry.Key { return registry.Key{Service: "event", ID: id} }

// Sample makes a record that is like no other.
func Sample(id string) registry.Record {
	return registry.Record{
		Instance: registry.Instance{
			Key: Key(id), Address: id + ":8080", Reported: registry.Up, Zone: "z", Weight: 3,
			Metadata: map[string]string{"id": id}, JoinTime: at, UpdateTime: at.Add(time.Second),
		},
		Owner: registry.Node{Name: "registry-0", Run: "1"}, Term: 10 * time.Second,
	}
}

// create stores new records.
func create(t *testing.T, s registry.Store, records ...registry.Record) {
	t.Helper()
	for _, r := range records {
		commit(t, s, registry.Change{Key: r.Instance.Key, Record: &r})
	}
}

func commit(t *testing.T, s registry.Store, change registry.Change) {
	t.Helper()
	if err := s.Commit(t.Context(), change); err != nil {
		t.Fatalf("commit %+v: %v", change, err)
	}
}

func wantStale(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, fault.Stale) {
		t.Fatalf("error %v, want a fault of kind Stale", err)
	}
}

func opened(t *testing.T, open func() registry.Store) registry.Store {
	t.Helper()
	s := open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// openedTwice opens the store for two registries.
func openedTwice(t *testing.T, open func() registry.Store) (a, b registry.Store) {
	t.Helper()
	return opened(t, open), opened(t, open)
}

// announce announces a node until the function is called, or the test ends.
func announce(t *testing.T, s registry.Store, node registry.Node) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Announce(ctx, node, time.Minute) }()
	done := false
	end = func() {
		cancel()
		if !done {
			done = true
			if err := <-ended; err != nil {
				t.Errorf("announce %v: %v", node, err)
			}
		}
	}
	t.Cleanup(end)
	return end
}

// ids makes so many ids.
func ids(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("i%05d", i)
	}
	return all
}
