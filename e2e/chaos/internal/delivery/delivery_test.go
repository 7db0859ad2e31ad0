//go:build linux

package delivery

import (
	"testing"
	"time"

	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/mesh/meshtest"
)

// mustDeliver runs a delivery, and demands that every promise is kept.
func mustDeliver(t *testing.T, o Options) {
	t.Helper()
	programs, err := fleet.Build(t.Context(), t.TempDir(), Needed()...)
	if err != nil {
		t.Fatal(err)
	}
	o.Programs, o.Progress = programs, t.Output()
	out, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, promise := range out.Broken {
		t.Error(promise)
	}
	if out.Acknowledged < o.Prospects || out.Changes == 0 {
		t.Errorf("%d prospects and %d changes were acknowledged", out.Acknowledged, out.Changes)
	}
	if t.Failed() {
		t.Logf("the logs and the data are in %s", out.Folder)
	}
}

// TestNothingIsLostWhenServicesAreKilled is a short version, with what needs no server. Each service is killed once: the few prospects
// are created by then.
func TestNothingIsLostWhenServicesAreKilled(t *testing.T) {
	t.Parallel()
	mustDeliver(t, Options{Prospects: 200, Workers: 8, Every: 2 * time.Second, EventStore: "sqlite", Seed: 1})
}

// TestNothingIsLostWhateverDies is a short version on real Kafka and PostgreSQL, which it starts itself.
func TestNothingIsLostWhateverDies(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{"EVENTPROSPECT_TEST_KAFKA", "EVENTPROSPECT_TEST_POSTGRES"} {
		meshtest.Database(t, variable) // where there is one, another can be started
	}
	mustDeliver(t, Options{Prospects: 2000, Workers: 16, Every: time.Second, Brokers: 3, EventStore: "postgres", Seed: 1})
}

func TestOnlyFaultsThatArePossibleStrike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options Options
		want    int // faults; -1: it is refused
	}{
		{"all", Options{Brokers: 3, EventStore: "postgres"}, len(Names())},
		{"embedded", Options{EventStore: "sqlite"}, 2},
		{"one broker", Options{Brokers: 1, EventStore: "mysql"}, 4},
		{"asked for", Options{Brokers: 3, EventStore: "sqlite", Faults: []string{"event", "network"}}, 2},
		{"not possible", Options{EventStore: "postgres", Faults: []string{"broker"}}, -1},
		{"unknown", Options{Brokers: 3, EventStore: "postgres", Faults: []string{"earthquake"}}, -1},
	} {
		faults, err := choose(c.options)
		if c.want < 0 && err == nil || c.want >= 0 && (err != nil || len(faults) != c.want) {
			t.Errorf("%s: %d faults, error %v", c.name, len(faults), err)
		}
	}
}
