package mysql

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

func TestSessionsAreStrictAndInUTC(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newDatabase(t), things)
	for setting, want := range map[string]string{
		"sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION", "time_zone": "+00:00", "innodb_lock_wait_timeout": "5",
		"tx_isolation": "REPEATABLE-READ", "character_set_connection": "utf8mb4", "autocommit": "1",
		"innodb_flush_log_at_trx_commit": "1", // the server's: no session can set it
	} {
		var got string
		if err := pool.QueryRowContext(t.Context(), "SELECT @@"+setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, error %v; want %s", setting, got, err, want)
		}
	}
	if _, err := pool.ExecContext(t.Context(), `INSERT INTO things VALUES (3, 99999999999)`); err == nil {
		t.Error("a number was cut to fit")
	}
}

func TestAnAddressThatIsNoneIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "mysql", "mysql:", "mysql://", "mysql://h", "mysql://h/", "mysql:///d", "mysql://u:hidden%@h/d",
		"mysql://u:hidden@h:port/d", "mysql://u:hidden@h/d?tls=maybe", "mysql://u:hidden@h/d?sql_mode=''",
	} {
		_, err := Open(t.Context(), address, things)
		if err == nil || strings.Contains(err.Error(), "hidden") || fault.Is(err, fault.Unavailable) {
			t.Errorf("%q: error %v", address, err)
		}
	}
}

func TestTheURLIsRead(t *testing.T) {
	t.Parallel()
	cfg, err := config("mysql://user:p%40ss@[::1]/name?tls=skip-verify")
	if err != nil || cfg.Addr != "[::1]:3306" || cfg.User != "user" || cfg.Passwd != "p@ss" || cfg.DBName != "name" || cfg.TLSConfig != "skip-verify" {
		t.Errorf("%+v, error %v", cfg, err)
	}
}

func TestAWrongPasswordOrNameIsFinal(t *testing.T) {
	t.Parallel()
	right := newDatabase(t)
	u, err := url.Parse(right)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "hidden")
	for address, want := range map[string]string{u.String(): "Access denied", meshtest.WithName(t, right, "none_such"): "none_such"} {
		_, err := Open(t.Context(), address, things)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") || fault.Is(err, fault.Unavailable) {
			t.Errorf("error %v, want one that tells of %s", err, want)
		}
	}
}

// TestAServerThatSaysNothingIsUnavailable takes connections and never answers.
func TestAServerThatSaysNothingIsUnavailable(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), "mysql://u@"+meshtest.Listen(t).Addr().String()+"/d", things)
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("error %v, want Unavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, "mysql://u@"+meshtest.Listen(t).Addr().String()+"/d", things); err == nil || fault.Is(err, fault.Unavailable) {
		t.Errorf("error %v of an ended context", err)
	}
}

// TestOfSeveralOneMigrates has a migration that takes its time, so that all want to make it.
func TestOfSeveralOneMigrates(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	slow := fstest.MapFS{"00001_things.sql": {Data: []byte("-- +goose Up\nDO SLEEP(0.2);\nCREATE TABLE things (id int);\nINSERT INTO things VALUES (1);")}}
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
			if err := pool.QueryRowContext(t.Context(), `SELECT count(*) FROM things`).Scan(&rows); err != nil || rows != 1 {
				t.Errorf("migrated %d times, error %v", rows, err)
			}
		})
	}
	all.Wait()
}

func TestWaitingForAnothersMigrationEndsWithTheContext(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	db, err := Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), `DO GET_LOCK(`+migrationLock+`, 1)`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, address, things); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the end of the context", err)
	}
	if _, err := conn.ExecContext(t.Context(), `DO RELEASE_LOCK(`+migrationLock+`)`); err != nil {
		t.Fatal(err)
	}
	newPool(t, address, things)
}
