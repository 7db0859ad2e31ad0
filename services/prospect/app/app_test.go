package app_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/prospect/app"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config gives the settings of a service with an empty store, a Kafka of its own and neighbours.
func config(t *testing.T, issuer *meshtest.Issuer) app.Config {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	cfg := app.Default()
	cfg.Config = meshtest.Config(issuer, serve(t, issuer), "prospect-service")
	cfg.Kafka.Brokers = kafka.ListenAddrs()
	cfg.Store = conf.Secret("sqlite:" + filepath.Join(t.TempDir(), "prospect.db"))
	return cfg
}

// read reads n records of the topic from its beginning.
func read(t *testing.T, cfg app.Config, n int) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Kafka.Brokers...), kgo.ConsumeTopics(cfg.Kafka.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), meshtest.Patience)
	defer cancel()
	var all []*kgo.Record
	for len(all) < n {
		all = append(all, client.PollFetches(ctx).Records()...)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d records, want %d: %v", len(all), n, err)
		}
	}
	return all
}

func TestEveryChangeIsPublishedWithoutPersonalData(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	cfg := config(t, issuer)
	p := meshtest.Run(t, "prospect", cfg, app.Bind)
	client := prospectv1.NewProspectServiceClient(meshtest.Dial(t, p.Address))
	ctx := meshtest.As(t, issuer.Token("editor"))
	ada := &prospectv1.Prospect{FirstName: "Ada", LastName: "Lovelace", FiledWork: "IT", IdEvent: "e"}
	created, err := client.CreateProspect(ctx, &prospectv1.CreateProspectRequest{Prospect: ada})
	if err != nil {
		t.Fatal(err)
	}
	id := created.GetId()
	if _, err := client.UpdateProspect(ctx, &prospectv1.UpdateProspectRequest{Prospect: &prospectv1.Prospect{Id: id, LastName: "Byron"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteProspect(ctx, &prospectv1.DeleteProspectRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	kinds := []eventsv1.ProspectEvent_Kind{eventsv1.ProspectEvent_CREATED, eventsv1.ProspectEvent_UPDATED, eventsv1.ProspectEvent_DELETED}
	for i, r := range read(t, cfg, 3) {
		message := &eventsv1.ProspectEvent{}
		if err := proto.Unmarshal(r.Value, message); err != nil {
			t.Fatal(err)
		}
		if message.GetKind() != kinds[i] || message.GetVersion() != int64(i+1) || message.GetProspectId() != id || string(r.Key) != id {
			t.Errorf("record %d of key %s: %v", i, r.Key, message)
		}
		for _, name := range []string{"Ada", "Lovelace", "Byron"} {
			if bytes.Contains(r.Value, []byte(name)) {
				t.Errorf("record %d tells the name %s", i, name)
			}
		}
	}
}

func TestTheEventIsAskedForThroughTheRegistry(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	p := meshtest.Run(t, "prospect", config(t, issuer), app.Bind)
	client := prospectv1.NewProspectServiceClient(meshtest.Dial(t, p.Address))
	ada := &prospectv1.Prospect{FirstName: "Ada", LastName: "Lovelace", IdEvent: "none"}
	_, err := client.CreateProspect(meshtest.As(t, issuer.Token("editor")), &prospectv1.CreateProspectRequest{Prospect: ada})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "prospect.id_event") {
		t.Errorf("error %v, want prospect.id_event to be refused", err)
	}
}

func TestWhatCannotWorkStopsTheStart(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	missing := filepath.Join(t.TempDir(), "none", "prospect.db")
	cases := map[string]struct {
		change func(*app.Config)
		want   string
	}{
		"unknown store": {func(c *app.Config) { c.Store = "oracle:somewhere" }, `"oracle"`},
		"no store":      {func(c *app.Config) { c.Store = "" }, `""`},
		"no file":       {func(c *app.Config) { c.Store = "sqlite:" }, "no file"},
		"no folder":     {func(c *app.Config) { c.Store = conf.Secret("sqlite:" + missing) }, missing},
		"no registry":   {func(c *app.Config) { c.Registry = "" }, "no registry"},
	}
	for name, c := range cases {
		cfg := config(t, issuer)
		c.change(&cfg)
		err := mesh.Run(t.Context(), "prospect", cfg, app.Bind,
			mesh.WithLog(t.Output()), mesh.WithListeners(meshtest.Listen(t), meshtest.Listen(t)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that tells of %s", name, err, c.want)
		}
	}
}
