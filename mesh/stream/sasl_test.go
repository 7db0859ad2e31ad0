package stream

import (
	"context"
	"crypto/tls"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"eventprospect/mesh/conf"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls/authority"
)

const password = "hunter2"

// newAskingBroker is a Kafka that wants to know who its clients are.
func newAskingBroker(t *testing.T, options ...kfake.Opt) Config {
	t.Helper()
	kafka, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.EnableSASL()}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	cfg := Defaults("things")
	cfg.Brokers = kafka.ListenAddrs()
	return cfg
}

func TestMessagesGoByEveryMechanism(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for _, secure := range []bool{false, true} {
			t.Run(mechanism, func(t *testing.T) {
				t.Parallel()
				options := []kfake.Opt{kfake.Superuser(mechanism, "user", password)}
				ca := meshtest.NewAuthority(t)
				if secure {
					options = append(options, kfake.TLS(&tls.Config{
						Certificates: []tls.Certificate{ca.Certificate(authority.Leaf{Names: []string{"127.0.0.1"}})},
					}))
				}
				cfg := newAskingBroker(t, options...)
				if secure {
					cfg.TLS = ca.Files("prospect").Client()
				}
				cfg.SASL = SASLConfig{mechanism, "user", password}
				wantCarried(t, cfg)
			})
		}
	}
}

// wantCarried checks that a message goes from an outbox to a handler.
func wantCarried(t *testing.T, cfg Config) {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	q, applied := &queue{}, make(chan string, 1)
	relay, err := NewRelay(q, cfg, "/thing", telling(t, quiet(t)))
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := NewConsumer(cfg, "group", each(func(_ context.Context, r *kgo.Record) error {
		applied <- string(r.Value)
		return nil
	}), telling(t, quiet(t)))
	if err != nil {
		t.Fatal(err)
	}
	q.add(message("key", 7))
	start(t, relay.Run)
	start(t, consumer.Run)
	select {
	case got := <-applied:
		if got != "payload 7" {
			t.Errorf("got %q", got)
		}
	case <-within(t).Done():
		t.Fatal("nothing came")
	}
}

func TestWhoIsNotKnownIsToldOnce(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		sasl SASLConfig
		want string
	}{
		"PLAIN, wrong password":     {SASLConfig{"PLAIN", "plain", "wrong"}, "kafka.sasl.password"},
		"SCRAM-256, wrong password": {SASLConfig{"SCRAM-SHA-256", "scram256", "wrong"}, "kafka.sasl.password"},
		"SCRAM-512, wrong password": {SASLConfig{"SCRAM-SHA-512", "scram512", "wrong"}, "kafka.sasl.password"},
		"SCRAM, unknown user":       {SASLConfig{"SCRAM-SHA-256", "nobody", password}, "kafka.sasl.user"},
		"SASL isn't set":            {SASLConfig{}, "kafka.sasl"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, log := newAskingBroker(t, kfake.Superuser("PLAIN", "plain", password), kfake.Superuser("SCRAM-SHA-256", "scram256", password),
				kfake.Superuser("SCRAM-SHA-512", "scram512", password)), &journalled{}
			cfg.SASL = c.sasl
			relay, err := NewRelay(&queue{}, cfg, "/thing", telling(t, log.logger()))
			if err != nil {
				t.Fatal(err)
			}
			start(t, relay.Run)
			eventually(t, "it is told", func() bool { return log.count("ERROR") > 0 })
			for range 3 {
				if relay.Ready(within(t)) == nil {
					t.Error("ready")
				}
			}
			if log.count("ERROR") != 1 || !strings.Contains(log.String(), c.want) {
				t.Errorf("logged %s, want once %q", log, c.want)
			}
			if text := log.String(); strings.Contains(text, "wrong\"") || strings.Contains(text, password) {
				t.Errorf("the log tells the password: %s", text)
			}
		})
	}
}

// TestARefusalIsTold has the broker answer as Apache Kafka does; kfake hangs up.
func TestARefusalIsTold(t *testing.T) {
	t.Parallel()
	for want, key := range map[string]kmsg.Key{
		"the brokers don't know the user \\\"user\\\"": kmsg.SASLAuthenticate,
		"the brokers don't speak PLAIN":                kmsg.SASLHandshake,
	} {
		kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Superuser("PLAIN", "user", password))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(kafka.Close)
		kafka.ControlKey(int16(key), func(request kmsg.Request) (kmsg.Response, error, bool) {
			kafka.KeepControl()
			switch response := request.ResponseKind().(type) {
			case *kmsg.SASLAuthenticateResponse:
				response.ErrorCode = kerr.SaslAuthenticationFailed.Code
				return response, nil, true
			case *kmsg.SASLHandshakeResponse:
				response.ErrorCode = kerr.UnsupportedSaslMechanism.Code
				return response, nil, true
			}
			return nil, nil, false
		})
		cfg, log := Defaults("things"), &journalled{}
		cfg.Brokers, cfg.SASL = kafka.ListenAddrs(), SASLConfig{"PLAIN", "user", password}
		relay, err := NewRelay(&queue{}, cfg, "/thing", telling(t, log.logger()))
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, relay.Run)
		eventually(t, want+" is told", func() bool { return strings.Contains(log.String(), want) })
		stop()
		if log.count("ERROR") != 1 {
			t.Errorf("logged %s", log)
		}
	}
}

// TestRightsThatLackAreNamed goes against ACLs as an administrator writes them.
func TestRightsThatLackAreNamed(t *testing.T) {
	t.Parallel()
	right := func(kind kmsg.ACLResourceType, name string, operation kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: kind, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: operation, Allow: true}
	}
	topic, group := kmsg.ACLResourceTypeTopic, kmsg.ACLResourceTypeGroup
	cfg := newAskingBroker(t, kfake.EnableACLs(), kfake.SeedTopics(1, "things", "things.dlq"),
		kfake.User("PLAIN", "none", password),
		kfake.User("PLAIN", "reader", password, right(topic, "things", kmsg.ACLOperationRead)),
		kfake.User("PLAIN", "nogroup", password, right(topic, "things", kmsg.ACLOperationRead), right(topic, "things.dlq", kmsg.ACLOperationWrite)),
		kfake.User("PLAIN", "all", password, right(topic, "things", kmsg.ACLOperationRead), right(topic, "things.dlq", kmsg.ACLOperationWrite),
			right(group, "group", kmsg.ACLOperationRead)),
		kfake.User("PLAIN", "writer", password, right(topic, "things", kmsg.ACLOperationWrite)),
	)
	for _, c := range []struct {
		user, relay, consumer string // "": it may
	}{
		{"none", "topic things: this user has no right to WRITE, nor to DESCRIBE", "topic things: this user has no right to READ, nor to DESCRIBE"},
		{"reader", "topic things: this user has no right to WRITE", "topic things.dlq: this user has no right to WRITE, nor to DESCRIBE"},
		{"nogroup", "topic things: this user has no right to WRITE", "group group: this user has no right to READ"},
		{"all", "topic things: this user has no right to WRITE", ""},
		{"writer", "", "topic things: this user has no right to READ"},
	} {
		cfg.SASL = SASLConfig{"PLAIN", c.user, conf.Secret(password)}
		relay, err := NewRelay(&queue{}, cfg, "/thing", telling(t, quiet(t)))
		if err != nil {
			t.Fatal(err)
		}
		consumer, err := NewConsumer(cfg, "group", each(refuse), telling(t, quiet(t)))
		if err != nil {
			t.Fatal(err)
		}
		wantRefused(t, c.user+", relay", relay.Ready(within(t)), c.relay)
		wantRefused(t, c.user+", consumer", consumer.Ready(within(t)), c.consumer)
		relay.client.Close()
		consumer.client.Close()
	}
}

func wantRefused(t *testing.T, name string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: error %v, want %q", name, err, want)
	}
}
