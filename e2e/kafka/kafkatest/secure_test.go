package kafkatest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"eventprospect/mesh/meshtest"
)

// patience bounds every wait for Kafka, and askEvery is how often it is asked.
const (
	patience = 3 * time.Minute
	askEvery = 50 * time.Millisecond
)

// TestASecureBrokerAsksWhoComes: each mechanism, with TLS and without, lets in who has its password and the right, and nobody else.
func TestASecureBrokerAsksWhoComes(t *testing.T) {
	t.Parallel()
	b := SecureBroker(t)
	admin, topic := administer(t, b.Admin)
	scram256, scram512, guest := meshtest.NewName(), meshtest.NewName(), meshtest.NewName()
	addUser(t, admin, scram256, b.Password, kadm.ScramSha256)
	addUser(t, admin, scram512, b.Password, kadm.ScramSha512)
	addUser(t, admin, guest, b.Password, kadm.ScramSha256)
	letWrite(t, admin, topic, "User:"+b.User, "User:"+scram256, "User:"+scram512)

	trust := trusting(t, b.CA)
	for name, mechanism := range map[string]func(password string) sasl.Mechanism{
		"PLAIN":         func(word string) sasl.Mechanism { return plain.Auth{User: b.User, Pass: word}.AsMechanism() },
		"SCRAM-SHA-256": func(word string) sasl.Mechanism { return scram.Auth{User: scram256, Pass: word}.AsSha256Mechanism() },
		"SCRAM-SHA-512": func(word string) sasl.Mechanism { return scram.Auth{User: scram512, Pass: word}.AsSha512Mechanism() },
	} {
		mustWrite(t, name, topic, nil, b.SASL, kgo.SASL(mechanism(b.Password)))
		mustWrite(t, name+" by TLS", topic, nil, b.TLS, kgo.SASL(mechanism(b.Password)), trust)
		mustWrite(t, name+" with a wrong password", topic, kerr.SaslAuthenticationFailed, b.SASL, kgo.SASL(mechanism("wrong")))
	}
	without := kgo.SASL(scram.Auth{User: guest, Pass: b.Password}.AsSha256Mechanism())
	mustWrite(t, "a user without the right", topic, kerr.TopicAuthorizationFailed, b.TLS, without, trust)
}

// TestNoTopicIsCreatedByItself: who needs one creates it, as in production.
func TestNoTopicIsCreatedByItself(t *testing.T) {
	t.Parallel()
	mustWrite(t, "whoever asks", meshtest.NewName(), kerr.UnknownTopicOrPartition, Broker(t), kgo.AllowAutoTopicCreation())
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// administer gives the administrator's client, and a topic for the time of the test.
func administer(t *testing.T, address string) (*kadm.Client, string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	admin, topic := kadm.NewClient(client), meshtest.NewName()
	if _, err := admin.CreateTopic(within(t), 1, -1, nil, topic); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.DeleteTopic(meshtest.Background(t), topic); err != nil {
			t.Error(err)
		}
	})
	return admin, topic
}

func trusting(t *testing.T, file string) kgo.Opt {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%s has no certificate", file)
	}
	return kgo.DialTLSConfig(&tls.Config{RootCAs: pool})
}

func addUser(t *testing.T, admin *kadm.Client, name, password string, mechanism kadm.ScramMechanism) {
	t.Helper()
	answers, err := admin.AlterUserSCRAMs(within(t), nil, []kadm.UpsertSCRAM{{User: name, Mechanism: mechanism, Iterations: 4096, Password: password}})
	if err != nil || answers.Error() != nil {
		t.Fatalf("user %s: %v %v", name, err, answers.Error())
	}
}

// letWrite gives users the right to write to the topic.
func letWrite(t *testing.T, admin *kadm.Client, topic string, users ...string) {
	t.Helper()
	rights := kadm.NewACLs().Topics(topic).ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpWrite).Allow(users...)
	answers, err := admin.CreateACLs(within(t), rights)
	for _, answer := range answers {
		err = errors.Join(err, answer.Err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// mustWrite writes a record, or must be refused with this error. What was made before reaches the broker's listeners after it was
// acknowledged.
func mustWrite(t *testing.T, who, topic string, want error, address string, opts ...kgo.Opt) {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(address))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := within(t)
	for {
		// The ping doesn't try a wrong password again, nor does a record wait for a right.
		if err = client.Ping(ctx); err == nil {
			err = client.ProduceSync(ctx, &kgo.Record{Topic: topic}).FirstErr()
		}
		if errors.Is(err, want) {
			return
		}
		if ctx.Err() != nil || want != nil {
			t.Errorf("%s: error %v, want %v", who, err, want)
			return
		}
		time.Sleep(askEvery)
	}
}
