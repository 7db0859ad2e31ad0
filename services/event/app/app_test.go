package app_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "eventprospect/gen/event/v1"
	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/event/app"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config gives the settings of a service with an empty store and a Kafka of its own.
func config(t *testing.T, issuer *meshtest.Issuer) app.Config {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	cfg := app.Default()
	cfg.Config = meshtest.Config(issuer, "", "event-service")
	cfg.Kafka.Brokers = kafka.ListenAddrs()
	cfg.Store = conf.Secret("sqlite:" + filepath.Join(t.TempDir(), "event.db"))
	return cfg
}

// publish puts the message that a prospect was created on the topic.
func publish(t *testing.T, cfg app.Config, id string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Kafka.Brokers...), kgo.UnknownTopicRetries(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	value, err := proto.Marshal(&eventsv1.ProspectEvent{
		Id: id, Kind: eventsv1.ProspectEvent_CREATED, ProspectId: "p", Version: 1, OccurTime: timestamppb.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), meshtest.Patience)
	defer cancel()
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: cfg.Kafka.Topic, Key: []byte("p"), Value: value}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// awaitHistory waits until a prospect has so many events.
func awaitHistory(t *testing.T, p *meshtest.Process, issuer *meshtest.Issuer, n int) {
	t.Helper()
	client := eventv1.NewEventServiceClient(meshtest.Dial(t, p.Address))
	for ctx := meshtest.As(t, issuer.Token("reader")); ; time.Sleep(5 * time.Millisecond) {
		list, err := client.ListEvents(ctx, &eventv1.ListEventsRequest{ProspectId: "p"})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.GetEvents()) == n {
			return
		}
	}
}

func TestMessagesBecomeEventsOnceAcrossARestart(t *testing.T) {
	t.Parallel()
	const first, second = "0195f0c8-1111-7000-8000-000000000001", "0195f0c8-1111-7000-8000-000000000002"
	issuer := meshtest.NewIssuer(t)
	cfg := config(t, issuer)
	p := meshtest.Run(t, "event", cfg, app.Bind)
	publish(t, cfg, first)
	awaitHistory(t, p, issuer, 1)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	publish(t, cfg, first) // it comes again
	publish(t, cfg, second)
	awaitHistory(t, meshtest.Run(t, "event", cfg, app.Bind), issuer, 2)
}

func TestAStoreThatCannotBeOpenedStopsTheStart(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	missing := filepath.Join(t.TempDir(), "none", "event.db")
	for setting, want := range map[string]string{"oracle:somewhere": `"oracle"`, "": `""`, "sqlite:": "no file", "sqlite:" + missing: missing} {
		cfg := config(t, issuer)
		cfg.Store = conf.Secret(setting)
		err := mesh.Run(t.Context(), "event", cfg, app.Bind,
			mesh.WithLog(t.Output()), mesh.WithListeners(meshtest.Listen(t), meshtest.Listen(t)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that tells of %s", setting, err, want)
		}
	}
}
