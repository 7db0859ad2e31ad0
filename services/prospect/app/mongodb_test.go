package app_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"google.golang.org/protobuf/proto"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/prospect/app"
)

// onMongoDB gives the settings of a service with an empty database of MongoDB, which goes with the test.
func onMongoDB(t *testing.T, issuer *meshtest.Issuer) app.Config {
	t.Helper()
	address := meshtest.WithName(t, meshtest.Database(t, "EVENTPROSPECT_TEST_MONGODB"), meshtest.NewName())
	t.Cleanup(func() { drop(t, address) })
	cfg := config(t, issuer)
	cfg.Store = conf.Secret(address)
	return cfg
}

// drop takes the database away again.
func drop(t *testing.T, address string) {
	client, err := mongo.Connect(options.Client().ApplyURI(address))
	if err != nil {
		t.Fatal("not a URL")
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal("not a URL")
	}
	ctx := meshtest.Background(t)
	if err := errors.Join(client.Database(strings.Trim(u.Path, "/")).Drop(ctx), client.Disconnect(ctx)); err != nil {
		t.Error(err)
	}
}

// TestOnMongoDB has all of it on MongoDB: what is created, changed and deleted is published in this order.
func TestOnMongoDB(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	cfg := onMongoDB(t, issuer)
	for range 2 { // what is there already is left as it is
		if err := app.Migrate(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
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
		if message.GetKind() != kinds[i] || message.GetVersion() != int64(i+1) || string(r.Key) != id {
			t.Errorf("record %d of key %s: %v", i, r.Key, message)
		}
	}
}

// TestMongoDBAwayAtStart has a process that starts before its database: it waits, says so by name, and works when the database is there.
func TestMongoDBAwayAtStart(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	cfg := onMongoDB(t, issuer)
	u, err := url.Parse(cfg.Store.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	server := u.Host
	later := meshtest.Listen(t)
	u.Host, u.RawQuery = later.Addr().String(), "directConnection=true"
	later.Close() // nobody answers there for now
	cfg.Store = conf.Secret(u.String())
	main, admin := meshtest.Listen(t), meshtest.Listen(t)
	started := make(chan struct{})
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		ended <- mesh.Run(ctx, "prospect", cfg, app.Bind, mesh.WithLog(t.Output()), mesh.WithListeners(main, admin),
			mesh.WithStarted(func() { close(started) }))
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	}()
	wantReady(t, admin.Addr().String(), http.StatusServiceUnavailable, "store")
	forward(t, u.Host, server)
	begin := time.Now()
	select {
	case <-started:
		t.Logf("started %v after the database was there", time.Since(begin))
	case <-time.After(meshtest.Patience):
		t.Fatal("did not start")
	}
	wantReady(t, admin.Addr().String(), http.StatusOK, "store")
}

// wantReady waits for an answer of readiness that names the part.
func wantReady(t *testing.T, admin string, code int, part string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: meshtest.Patience}
	var last string
	for deadline := time.Now().Add(meshtest.Patience); time.Now().Before(deadline); {
		response, err := client.Get("http://" + admin + "/readyz")
		if err != nil {
			continue
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if last = string(body); response.StatusCode == code && strings.Contains(last, part) {
			t.Logf("readiness: %s", last)
			return
		}
	}
	t.Fatalf("readiness: %s, want %d", last, code)
}

// forward lets connections through to the server, from an address where nobody answered before.
func forward(t *testing.T, from, server string) {
	t.Helper()
	listener, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			database, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				return
			}
			pass := func(to, from net.Conn) {
				defer to.Close()
				_, _ = io.Copy(to, from) // ends with the connection
			}
			go pass(client, database)
			go pass(database, client)
		}
	}()
}

// TestMongoDBThatCannotWork stops the start with an error that tells no password.
func TestMongoDBThatCannotWork(t *testing.T) {
	t.Parallel()
	cfg := app.Default()
	cfg.Store = "mongodb://somebody:geheim@localhost:1"
	if err := app.Migrate(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "mongodb URL") || strings.Contains(err.Error(), "geheim") {
		t.Errorf("error %v, want one that tells of the URL, but not of the password", err)
	}
}
