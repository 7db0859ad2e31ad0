package bench

import (
	"bytes"
	"context"
	"database/sql"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	_ "modernc.org/sqlite" // the driver
)

// Bare code does what the stores do, with the same columns, indexes, durability and number of connections, and nothing else.

const (
	eventName, eventDate           = "Job fair", "2026-11-23"
	firstName, lastName, filedWork = "Grace", "Hopper", "IT"
	messageType                    = "prospect.events.v1.created"
	trace                          = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

// payload is as long as a message that tells of a prospect.
var payload = bytes.Repeat([]byte("x"), 150)

const (
	insertEvent = `INSERT INTO events (id, name, date_event, kind, prospect_id, created, updated, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	selectEvent = `SELECT id, name, date_event, kind, prospect_id, created, updated, version FROM events WHERE id = ?`

	insertEventNumbered = `INSERT INTO events (id, name, date_event, kind, prospect_id, created, updated, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectEventNumbered = `SELECT id, name, date_event, kind, prospect_id, created, updated, version FROM events WHERE id = $1`

	insertProspect = `INSERT INTO prospects (id, first_name, last_name, filed_work, id_event, created, updated, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	insertMessage  = `INSERT INTO outbox (message_id, key, type, time, payload, trace) VALUES (?, ?, ?, ?, ?, ?)`
	selectProspect = `SELECT id, first_name, last_name, filed_work, id_event, created, updated, version FROM prospects WHERE id = ?`
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// openSQLite opens a file for this many connections, durable as the services do it.
func openSQLite(b *testing.B, address string, connections int) *sql.DB {
	b.Helper()
	settings := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)"},
	}
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(address, "sqlite:")+"?"+settings.Encode())
	if err != nil {
		b.Fatal(err)
	}
	return limited(b, db, connections)
}

func limited(b *testing.B, db *sql.DB, connections int) *sql.DB {
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	b.Cleanup(func() { _ = db.Close() })
	return db
}

func parse(b *testing.B, address string) *url.URL {
	b.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	return u
}

// getting reads one row of eight columns.
func getting[T any](db *sql.DB, query string) func(context.Context, string) error {
	return func(ctx context.Context, id string) error {
		var texts [5]string
		var created, updated T
		var version int64
		return db.QueryRowContext(ctx, query, id).Scan(&texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &created, &updated, &version)
	}
}

func bareEventsSQLite(b *testing.B, address string) store {
	migrate(b, address, "")
	write, read := openSQLite(b, address, 1), openSQLite(b, address, max(2, runtime.NumCPU()))
	return store{
		create: func(ctx context.Context) (string, error) {
			id, now := newID(), time.Now().UnixMicro()
			_, err := write.ExecContext(ctx, insertEvent, id, eventName, eventDate, "PLANNED", "", now, now, 1)
			return id, err
		},
		get: getting[int64](read, selectEvent),
	}
}

func bareEventsMariaDB(b *testing.B, address string) store {
	migrate(b, address, "")
	u := parse(b, address)
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName, cfg.User = "tcp", u.Host, strings.Trim(u.Path, "/"), u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.ParseTime, cfg.InterpolateParams = true, true
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		b.Fatal(err)
	}
	db := limited(b, sql.OpenDB(connector), 16)
	return store{
		create: func(ctx context.Context) (string, error) {
			id, now := newID(), time.Now().UTC()
			_, err := db.ExecContext(ctx, insertEvent, id, eventName, eventDate, "PLANNED", "", now, now, 1)
			return id, err
		},
		get: getting[time.Time](db, selectEvent),
	}
}

func bareEventsPostgreSQL(b *testing.B, address string) store {
	migrate(b, address, "")
	pool, err := pgxpool.New(b.Context(), address+"?pool_max_conns=16")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return store{
		create: func(ctx context.Context) (string, error) {
			id, now := newID(), time.Now()
			_, err := pool.Exec(ctx, insertEventNumbered, id, eventName, eventDate, "PLANNED", "", now, now, 1)
			return id, err
		},
		get: func(ctx context.Context, id string) error {
			var texts [5]string
			var created, updated time.Time
			var version int64
			return pool.QueryRow(ctx, selectEventNumbered, id).
				Scan(&texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &created, &updated, &version)
		},
	}
}

func bareProspectsSQLite(b *testing.B, address string) store {
	migrate(b, "", address)
	write, read := openSQLite(b, address, 1), openSQLite(b, address, max(2, runtime.NumCPU()))
	return store{
		create: func(ctx context.Context) (string, error) {
			id, now := newID(), time.Now().UnixMicro()
			tx, err := write.BeginTx(ctx, nil)
			if err != nil {
				return "", err
			}
			defer func() { _ = tx.Rollback() }()
			if _, err := tx.ExecContext(ctx, insertProspect, id, firstName, lastName, filedWork, "", now, now, 1); err != nil {
				return "", err
			}
			if _, err := tx.ExecContext(ctx, insertMessage, newID(), id, messageType, now, payload, trace); err != nil {
				return "", err
			}
			return id, tx.Commit()
		},
		get: getting[int64](read, selectProspect),
	}
}

// bareProspect has the fields of the service's documents.
type bareProspect struct {
	ID        string   `bson:"_id"`
	FirstName string   `bson:"firstName"`
	LastName  string   `bson:"lastName"`
	FiledWork string   `bson:"filedWork"`
	IDEvent   string   `bson:"idEvent"`
	Created   int64    `bson:"created"`
	Updated   int64    `bson:"updated"`
	Version   int64    `bson:"version"`
	Deleted   bool     `bson:"deleted"`
	Pending   []bson.M `bson:"pending,omitempty"`
}

func bareProspectsMongoDB(b *testing.B, address string) store {
	migrate(b, "", address)
	journaled := true
	c, err := mongo.Connect(options.Client().ApplyURI(address).SetMaxPoolSize(32).
		SetWriteConcern(&writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journaled}).
		SetReadConcern(readconcern.Majority()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Disconnect(context.Background()) })
	prospects := c.Database(strings.Trim(parse(b, address).Path, "/")).Collection("prospects")
	return store{
		create: func(ctx context.Context) (string, error) {
			id, now := newID(), time.Now().UnixMicro()
			message := bson.M{"id": newID(), "type": messageType, "time": now, "payload": payload, "trace": trace}
			_, err := prospects.InsertOne(ctx, bareProspect{
				ID: id, FirstName: firstName, LastName: lastName, FiledWork: filedWork,
				Created: now, Updated: now, Version: 1, Pending: []bson.M{message},
			})
			return id, err
		},
		get: func(ctx context.Context, id string) error {
			var found bareProspect
			return prospects.FindOne(ctx, bson.M{"_id": id, "deleted": false}).Decode(&found)
		},
	}
}
