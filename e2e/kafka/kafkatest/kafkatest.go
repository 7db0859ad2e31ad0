// Package kafkatest gives tests the Kafka that `servers` runs for them.
package kafkatest

import (
	"net/url"
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/dev/system"
	"eventprospect/mesh/meshtest"
)

const (
	// everybody names the Kafka of tests that lets everybody in, secure the one that asks who comes, and programs tells that Kafka's
	// programs are there, the older ones that need ZooKeeper, too.
	everybody = "EVENTPROSPECT_TEST_KAFKA"
	secure    = "EVENTPROSPECT_TEST_KAFKA_SECURE"
	programs  = "EVENTPROSPECT_TEST_KAFKA_ZOOKEEPER"
)

// Broker gives the host and port of the Kafka of tests. The test is skipped, and says so, if there is none.
func Broker(t testing.TB) string {
	t.Helper()
	return server(t, everybody).Host
}

// Own gives a topic and a group on the Kafka of tests that only this test has. They are deleted at its end.
func Own(t testing.TB) system.Kafka {
	t.Helper()
	broker, name := Broker(t), meshtest.NewName()
	t.Cleanup(func() { remove(t, broker, name, name) })
	return system.Kafka{Brokers: []string{broker}, Topic: name, Group: name}
}

// Usual gives the host and port of the Kafka of tests to the one test that uses the topic and the group of a system that is alone.
// They are deleted at its end.
func Usual(t testing.TB) string {
	t.Helper()
	broker := Broker(t)
	t.Cleanup(func() { remove(t, broker, "prospect-events", "event") })
	return broker
}

// remove deletes a topic, its DLQ and a group, if they are there.
func remove(t testing.TB, broker, topic, group string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin, ctx := kadm.NewClient(client), meshtest.Background(t)
	if _, err := admin.DeleteTopics(ctx, topic, topic+".dlq"); err != nil {
		t.Errorf("topics of %s: %v", topic, err)
	}
	if _, err := admin.DeleteGroups(ctx, group); err != nil {
		t.Errorf("group %s: %v", group, err)
	}
}

// Secure is a broker that asks who comes.
type Secure struct {
	// Admin is where everybody may do everything, SASL and TLS where one is asked by SASL, in plaintext and by TLS.
	Admin, SASL, TLS string
	// CA is the file of the authority that its certificate is from.
	CA string
	// User and Password are those that PLAIN knows. Users of SCRAM, and rights, are made at Admin.
	User, Password string
}

// SecureBroker gives the Kafka of tests that asks who comes. The test is skipped, and says so, if there is none.
func SecureBroker(t testing.TB) Secure {
	t.Helper()
	at := server(t, secure)
	query := at.Query()
	password, _ := at.User.Password()
	return Secure{
		Admin: at.Host, SASL: query.Get("sasl"), TLS: query.Get("tls"), CA: query.Get("ca"),
		User: at.User.Username(), Password: password,
	}
}

func server(t testing.TB, variable string) *url.URL {
	t.Helper()
	at, err := url.Parse(meshtest.Database(t, variable))
	if err != nil {
		t.Fatalf("%s is not a URL", variable)
	}
	return at
}

// NeedsPrograms skips a test that starts brokers of its own, and says so, unless `servers` has made their programs ready.
func NeedsPrograms(t testing.TB) {
	t.Helper()
	switch {
	case os.Getenv(programs) != "":
	case os.Getenv(meshtest.NoSkip) != "":
		t.Fatalf("%s is not set", programs)
	default:
		t.Skipf("%s is not set: run the test by `task test:real`", programs)
	}
}
