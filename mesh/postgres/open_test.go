package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

func TestSessionsAreDurableWhateverTheDatabaseSays(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	name := address[strings.LastIndex(address, "/")+1:]
	administer(t, address, "ALTER DATABASE "+name+" SET synchronous_commit = off")
	pool := newPool(t, address, things)
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "idle_in_transaction_session_timeout": "10s", "transaction_isolation": "read committed",
		"client_encoding": "UTF8",
	} {
		var got string
		if err := pool.QueryRow(t.Context(), "SHOW "+setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, error %v; want %s", setting, got, err, want)
		}
	}
}

func TestTheURLGoesBeforeOurDefaults(t *testing.T) {
	t.Parallel()
	const address = "postgres://u:p@h/d"
	for query, want := range map[string]int32{"": maxConnections, "?pool_max_conns=2": 2, "?pool_max_conns=50": 50} {
		cfg, err := config(address + query)
		if err != nil || cfg.MaxConns != want || cfg.ConnConfig.ConnectTimeout != connectTimeout {
			t.Errorf("%q: %d connections, %v; error %v", query, cfg.MaxConns, cfg.ConnConfig.ConnectTimeout, err)
		}
	}
	cfg, err := config(address + "?synchronous_commit=remote_apply&connect_timeout=7&idle_in_transaction_session_timeout=1s")
	if err != nil || cfg.ConnConfig.RuntimeParams["synchronous_commit"] != "remote_apply" ||
		cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] != "1s" || cfg.ConnConfig.ConnectTimeout.Seconds() != 7 {
		t.Errorf("%v, error %v", cfg.ConnConfig.RuntimeParams, err)
	}
}

func TestAnAddressThatIsNoneIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "postgres", "postgres:", "postgres://", "postgres:host=h password=hidden", "postgres://u:hidden%@h/d",
		"postgres://u:hidden@h:port/d", "postgres://u:hidden@h/d?pool_max_conns=many", "postgres://u:hidden@h/d?sslmode=maybe",
	} {
		_, err := Open(t.Context(), address, things)
		if err == nil || strings.Contains(err.Error(), "hidden") || fault.Is(err, fault.Unavailable) {
			t.Errorf("%q: error %v", address, err)
		}
	}
}

// refuse answers every connection with this error of the server.
func refuse(t *testing.T, code string) (address string) {
	t.Helper()
	listener := meshtest.Listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			server := pgproto3.NewBackend(conn, conn)
			_, _ = server.ReceiveStartupMessage()
			server.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: "refused"})
			_ = server.Flush()
			_ = conn.Close()
		}
	}()
	return "postgres://someone:hidden@" + listener.Addr().String() + "/things?sslmode=disable"
}

func TestWhatTheServerSaysAtTheStartIsHeard(t *testing.T) {
	t.Parallel()
	for code, waits := range map[string]bool{
		"28P01": false, // password
		"28000": false, // role
		"3D000": false, // database
		"53300": true,  // too many connections
		"57P03": true,  // starting up
	} {
		_, err := Open(t.Context(), refuse(t, code), things)
		if err == nil || strings.Contains(err.Error(), "hidden") || fault.Is(err, fault.Unavailable) != waits {
			t.Errorf("%s: error %v; Unavailable: want %v", code, err, waits)
		}
	}
	_, err := Open(t.Context(), meshtest.WithName(t, newDatabase(t), "none"), things)
	if err == nil || !strings.Contains(err.Error(), "none") || fault.Is(err, fault.Unavailable) {
		t.Errorf("no such database: error %v", err)
	}
}

// TestAServerThatSaysNothingIsUnavailable takes connections and never answers.
func TestAServerThatSaysNothingIsUnavailable(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), "postgres://u@"+meshtest.Listen(t).Addr().String()+"/d", things)
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("error %v, want Unavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, "postgres://u@"+meshtest.Listen(t).Addr().String()+"/d", things); err == nil || fault.Is(err, fault.Unavailable) {
		t.Errorf("error %v of an ended context", err)
	}
}

func TestABadMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	bad := fstest.MapFS{"00001_bad.sql": {Data: []byte("-- +goose Up\nCREATE TABLE things (id int);\nNONSENSE;")}}
	if _, err := Open(t.Context(), address, bad); err == nil || !strings.Contains(err.Error(), "NONSENSE") {
		t.Errorf("error %v", err)
	}
	newPool(t, address, things)
}

// TestOfSeveralOneMigrates has a migration that takes its time, so that all want to make it.
func TestOfSeveralOneMigrates(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	slow := fstest.MapFS{"00001_things.sql": {Data: []byte("-- +goose Up\nSELECT pg_sleep(0.2);\nCREATE TABLE things (id int);\nINSERT INTO things VALUES (1);")}}
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			pool, err := Open(t.Context(), address, slow)
			if err != nil {
				t.Error(err)
				return
			}
			defer pool.Close()
			var rows int
			if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM things`).Scan(&rows); err != nil || rows != 1 {
				t.Errorf("migrated %d times, error %v", rows, err)
			}
		})
	}
	all.Wait()
}

func TestWaitingForAnothersMigrationEndsWithTheContext(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(meshtest.Background(t))
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, address, things); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the end of the context", err)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_unlock($1)`, migrationLock); err != nil {
		t.Fatal(err)
	}
	newPool(t, address, things)
}
