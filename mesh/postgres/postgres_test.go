package postgres

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"eventprospect/mesh/meshtest"

	"eventprospect/mesh/bounded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// things is a schema of one table with two rows.
var things = fstest.MapFS{"00001_things.sql": {Data: []byte(`-- +goose Up
CREATE TABLE things (id int PRIMARY KEY, n int NOT NULL);
INSERT INTO things VALUES (1, 0), (2, 0);
`)}}

// newDatabase makes an empty database for the time of the test and gives its address.
func newDatabase(t testing.TB) string {
	server := meshtest.Database(t, "EVENTPROSPECT_TEST_POSTGRES")
	name := meshtest.NewName()
	administer(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { administer(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	return meshtest.WithName(t, server, name)
}

func administer(t testing.TB, server, statement string) {
	t.Helper()
	ctx := meshtest.Background(t)
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func newPool(t testing.TB, address string, migrations fs.FS) *pgxpool.Pool {
	t.Helper()
	pool, err := Open(t.Context(), address, migrations)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func count(t *testing.T, pool *pgxpool.Pool, row int) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), `SELECT n FROM things WHERE id = $1`, row).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func increment(ctx context.Context, tx pgx.Tx, row int) error {
	_, err := tx.Exec(ctx, `UPDATE things SET n = n + 1 WHERE id = $1`, row)
	return err
}

// TestADeadlockIsTriedAgain has two transactions lock two rows, each first the one that the other wants next.
func TestADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newDatabase(t), things)
	var both, all sync.WaitGroup
	var tries atomic.Int32
	both.Add(2)
	for _, rows := range [][]int{{1, 2}, {2, 1}} {
		meet := sync.OnceFunc(func() { both.Done(); both.Wait() }) // at the first try alone
		all.Go(func() {
			err := Write(t.Context(), pool, func(ctx context.Context, tx pgx.Tx) error {
				tries.Add(1)
				if err := increment(ctx, tx, rows[0]); err != nil {
					return err
				}
				meet()
				return increment(ctx, tx, rows[1])
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a, b, n := count(t, pool, 1), count(t, pool, 2), tries.Load(); a != 2 || b != 2 || n < 3 {
		t.Errorf("counts %d and %d after %d tries, want 2 and 2 after at least 3", a, b, n)
	}
}

// TestASerializationFailureIsTriedAgain has transactions read what others change before they write it.
func TestASerializationFailureIsTriedAgain(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newDatabase(t)+"?default_transaction_isolation=serializable", things)
	var both, all sync.WaitGroup
	var tries atomic.Int32
	both.Add(2)
	for range 2 {
		meet := sync.OnceFunc(func() { both.Done(); both.Wait() })
		all.Go(func() {
			err := Write(t.Context(), pool, func(ctx context.Context, tx pgx.Tx) error {
				tries.Add(1)
				var n int
				if err := tx.QueryRow(ctx, `SELECT n FROM things WHERE id = 1`).Scan(&n); err != nil {
					return err
				}
				meet()
				_, err := tx.Exec(ctx, `UPDATE things SET n = $1 WHERE id = 1`, n+1)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, n := count(t, pool, 1), tries.Load(); got != 2 || n < 3 {
		t.Errorf("count %d after %d tries, want 2 after at least 3", got, n)
	}
}

func TestAnExhaustedPoolEndsAtTheDeadline(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newDatabase(t)+"?pool_max_conns=3", things)
	var held, all sync.WaitGroup
	release := make(chan struct{})
	held.Add(3)
	for range 3 {
		all.Go(func() {
			if err := Write(t.Context(), pool, func(context.Context, pgx.Tx) error { held.Done(); <-release; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	held.Wait()
	ask := func(ctx context.Context) error { return pool.QueryRow(ctx, `SELECT 1`).Scan(new(int)) }
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Bounded(ctx, ask); !errors.Is(err, context.DeadlineExceeded) || bounded.Decided(err) {
		t.Errorf("error %v, want the end of the context", err)
	}
	close(release)
	all.Wait()
	if err := Bounded(t.Context(), ask); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestWriteLeavesNoTransactionOpen has the only connection go through every end of a transaction.
func TestWriteLeavesNoTransactionOpen(t *testing.T) {
	t.Parallel()
	pool := newPool(t, newDatabase(t)+"?pool_max_conns=1", things)
	refused := errors.New("refused")
	ended, cancel := context.WithCancel(t.Context())
	for name, end := range map[string]func() error{
		"error":  func() error { return refused },
		"panic":  func() error { panic(refused) },
		"cancel": func() error { cancel(); return nil },
	} {
		func() {
			defer func() { _ = recover() }()
			ctx := t.Context()
			if name == "cancel" {
				ctx = ended
			}
			err := Write(ctx, pool, func(ctx context.Context, tx pgx.Tx) error { return errors.Join(increment(ctx, tx, 1), end()) })
			if err == nil || name == "cancel" && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: error %v", name, err)
			}
		}()
		if n := count(t, pool, 1); n != 0 {
			t.Errorf("%s: %d changes are left", name, n)
		}
	}
}
