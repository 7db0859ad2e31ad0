package e2e_test

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"eventprospect/dev/system"
	"eventprospect/e2e/command"
	"eventprospect/e2e/databases"
	"eventprospect/e2e/kafka/kafkatest"
	"eventprospect/e2e/keycloak"
	"eventprospect/e2e/play"
)

// TestCases plays every case on SQLite.
func TestCases(t *testing.T) { playAll(t, newWorld) }

// TestCasesByTLS plays every case where each process wants a certificate of whoever calls it.
func TestCasesByTLS(t *testing.T) {
	folder := newCertificates(t, command.Build(t))
	playAll(t, func(t *testing.T) *world {
		return newWorldWith(t, system.Config{TLS: folder, Closed: true}, trusting(t, folder, "client"))
	})
}

// TestCasesOnRealStores plays every case on each engine that a server runs.
func TestCasesOnRealStores(t *testing.T) {
	for name, events := range map[string]func(testing.TB) string{"mariadb": databases.MariaDB, "postgres": databases.PostgreSQL} {
		t.Run(name, func(t *testing.T) {
			playAll(t, func(t *testing.T) *world { return newWorldOn(t, events(t), databases.MongoDB(t)) })
		})
	}
}

// TestCasesOnKeycloak plays every case with tokens that a real Keycloak gives to people and services.
func TestCasesOnKeycloak(t *testing.T) {
	issuer := keycloak.Issuer(t)
	playAll(t, func(t *testing.T) *world { return newWorldOf(t, system.Config{Issuer: issuer, Closed: true}) })
}

// TestCasesOnKafka plays every case with a real Kafka.
func TestCasesOnKafka(t *testing.T) {
	playAll(t, func(t *testing.T) *world { return newWorldOf(t, system.Config{Kafka: kafkatest.Own(t), Closed: true}) })
}

// playAll plays every case through every door, at once and on one system, and then looks for names and tokens where none
// may be. A case that must be alone gets a system of its own.
func playAll(t *testing.T, newWorld func(*testing.T) *world) {
	t.Helper()
	cases := load(t)
	w := newWorld(t)
	var played atomic.Int32
	var mu sync.Mutex
	var names []string
	t.Run("cases", func(t *testing.T) {
		for _, c := range cases {
			for _, p := range c.Playings() {
				t.Run(p.File+"/"+p.Name+"/"+p.Door, func(t *testing.T) {
					t.Parallel()
					where := w
					if p.Alone {
						where = newWorld(t)
					}
					name, err := p.Play(t.Context(), where.Client)
					if err != nil {
						t.Error(err)
					}
					played.Add(1)
					mu.Lock()
					defer mu.Unlock()
					names = append(names, name)
				})
			}
		}
	})
	t.Logf("%d cases, %d playings, %d doors", len(cases), played.Load(), mustCoverEveryDoor(t, cases))
	t.Run("no leaks", func(t *testing.T) { searchForLeaks(t, w, names) })
}

func load(t *testing.T) []play.Case {
	t.Helper()
	cases, err := play.Load(os.DirFS("cases"))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestEveryDoorHasACase fails for each unary RPC, and each REST path of one, that no case shows to work.
func TestEveryDoorHasACase(t *testing.T) {
	t.Parallel()
	t.Logf("%d doors", mustCoverEveryDoor(t, load(t)))
}

// mustCoverEveryDoor returns the number of doors.
func mustCoverEveryDoor(t *testing.T, cases []play.Case) int {
	t.Helper()
	covered := play.Covered(cases)
	doors := play.Doors("event.v1", "prospect.v1", "registry.v1")
	if len(doors) == 0 {
		t.Fatal("the contracts have no doors")
	}
	for _, door := range doors {
		if !slices.Contains(covered, door) {
			t.Errorf("no case wants a success of %s", door)
		}
	}
	return len(doors)
}
