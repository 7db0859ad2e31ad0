package app

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kfake"

	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mysql"
)

// engines are the kinds of servers, each with the variable that names one and how to run a statement on it.
var engines = map[string]struct {
	variable, drop string
	administer     func(ctx context.Context, server, statement string) error
}{
	"postgres": {"EVENTPROSPECT_TEST_POSTGRES", " WITH (FORCE)", administerPostgres},
	"mysql":    {"EVENTPROSPECT_TEST_MYSQL", "", administerMySQL},
}

func administerPostgres(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

func administerMySQL(ctx context.Context, server, statement string) error {
	db, err := mysql.Connect(server)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// onEachEngine runs a test with an empty database behind a proxy; the address is that at the proxy.
func onEachEngine(t *testing.T, test func(t *testing.T, address string, p *proxy)) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, database := meshtest.Database(t, engine.variable), meshtest.NewName()
			administer := func(statement string) {
				if err := engine.administer(meshtest.Background(t), server, statement); err != nil {
					t.Fatal(err)
				}
			}
			administer("CREATE DATABASE " + database)
			t.Cleanup(func() { administer("DROP DATABASE " + database + engine.drop) })
			u, err := url.Parse(meshtest.WithName(t, server, database))
			if err != nil {
				t.Fatal(err)
			}
			p := newProxy(t, u.Host)
			u.Host = p.address
			test(t, u.String(), p)
		})
	}
}

// settings are those of a service with this store and a Kafka of its own.
func settings(t *testing.T, issuer *meshtest.Issuer, store string) Config {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	cfg := Default()
	cfg.Config = meshtest.Config(issuer, "", "event-service")
	cfg.Kafka.Brokers, cfg.Store = kafka.ListenAddrs(), conf.Secret(store)
	return cfg
}

// launched is a service that may still be waiting for its store.
type launched struct {
	address, admin string
	started        chan struct{}
	stop           func()
	ended          chan error
}

func launch(t *testing.T, cfg Config) *launched {
	t.Helper()
	main, admin := meshtest.Listen(t), meshtest.Listen(t)
	ctx, stop := context.WithCancel(t.Context())
	l := &launched{main.Addr().String(), admin.Addr().String(), make(chan struct{}), stop, make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.ended <- mesh.Run(ctx, "event", cfg, Bind, mesh.WithLog(t.Output()),
			mesh.WithListeners(main, admin), mesh.WithStarted(func() { close(l.started) }))
	}()
	t.Cleanup(func() { stop(); <-done })
	return l
}

// end waits for the end and gives its error.
func (l *launched) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-l.ended:
		return err
	case <-time.After(meshtest.Patience):
		t.Fatal("it does not end")
		return nil
	}
}

// answer asks the admin port.
func answer(t *testing.T, admin, path string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(body))
}

// awaitReady waits until readiness has this code and names this state, and returns how long that took.
func awaitReady(t *testing.T, admin string, code int, state string) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		got, body := answer(t, admin, "/readyz")
		if got == code && strings.Contains(body, state) {
			return time.Since(began)
		}
		if time.Since(began) > meshtest.Patience {
			t.Fatalf("/readyz is %d %s, want %d with %s", got, body, code, state)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
