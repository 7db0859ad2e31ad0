// Package databases makes empty databases on the real servers of tests. A database is there for the time of one test, which
// is skipped, and says so, if nobody serves it.
package databases

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mysql"
)

// MariaDB gives the address of an empty database of MySQL or MariaDB.
func MariaDB(t testing.TB) string {
	t.Helper()
	return made(t, "EVENTPROSPECT_TEST_MYSQL", administerMariaDB, "DROP DATABASE %s")
}

// PostgreSQL gives the address of an empty database of PostgreSQL. Who is still connected at the end is thrown out.
func PostgreSQL(t testing.TB) string {
	t.Helper()
	return made(t, "EVENTPROSPECT_TEST_POSTGRES", administerPostgreSQL, "DROP DATABASE %s WITH (FORCE)")
}

// MongoDB gives the address of an empty database of MongoDB, which makes one when it is first written to.
func MongoDB(t testing.TB) string {
	t.Helper()
	server, name := meshtest.Database(t, "EVENTPROSPECT_TEST_MONGODB"), meshtest.NewName()
	t.Cleanup(func() {
		if err := dropMongoDB(meshtest.Background(t), server, name); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
	return meshtest.WithName(t, server, name)
}

// made makes a database, and drops it at the end with a statement that lacks the name alone.
func made(t testing.TB, variable string, administer func(ctx context.Context, server, statement string) error, drop string) string {
	t.Helper()
	server, name := meshtest.Database(t, variable), meshtest.NewName()
	if err := administer(t.Context(), server, "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := administer(meshtest.Background(t), server, fmt.Sprintf(drop, name)); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
	return meshtest.WithName(t, server, name)
}

func administerMariaDB(ctx context.Context, server, statement string) error {
	db, err := mysql.Connect(server)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // nothing is lost with it
	_, err = db.ExecContext(ctx, statement)
	return err
}

func administerPostgreSQL(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is lost with it
	_, err = conn.Exec(ctx, statement)
	return err
}

func dropMongoDB(ctx context.Context, server, name string) error {
	client, err := mongo.Connect(options.Client().ApplyURI(server))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(ctx) }() // nothing is lost with it
	return client.Database(name).Drop(ctx)
}
