package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"eventprospect/mesh/fault"
)

const (
	// maxConnections bounds the pool.
	maxConnections = 32
	// timeout bounds an operation whose caller set no deadline, or a later one; waiting for a connection counts.
	timeout = 5 * time.Second
	// selectTimeout bounds the search for a server that takes writes.
	selectTimeout = 2 * time.Second
	// indexTimeout bounds the making of the indexes: of many prospects, it takes longer than an operation may.
	indexTimeout = time.Minute
	// retryAfter is when a database that doesn't answer may be tried again.
	retryAfter = time.Second
)

// Open connects to the database of this URL (mongodb://user:password@host:port/name, or several hosts with commas between) and
// makes its indexes where they are missing. A write is acknowledged when a majority of the servers has it in its journal.
//
// The driver's retryable writes stay on: it sends a write again after a lost connection if the server is a member of a
// replica set, and sees by itself that a standalone server can't tell the second one from the first.
func Open(ctx context.Context, address string) (*Store, error) {
	return open(ctx, address, options.Client())
}

func open(ctx context.Context, address string, opts *options.ClientOptions) (*Store, error) {
	name := databaseName(address)
	if name == "" {
		return nil, errors.New("not a mongodb URL: want mongodb://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	journaled := true
	client, err := mongo.Connect(opts.
		ApplyURI(address).
		SetMaxPoolSize(maxConnections).
		SetServerSelectionTimeout(selectTimeout).
		SetWriteConcern(&writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journaled}).
		SetReadConcern(readconcern.Majority()))
	if err != nil {
		return nil, errors.New("not a mongodb URL that the driver understands") // its error may hold the password
	}
	prospects := client.Database(name).Collection("prospects")
	s := &Store{client: client, prospects: prospects, latest: prospects.Clone(options.Collection().SetReadConcern(readconcern.Local()))}
	if err := within(ctx, indexTimeout, s.makeIndexes); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// databaseName gives the path of the URL. Package url doesn't know lists of hosts.
func databaseName(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	_, path, _ := strings.Cut(rest, "/")
	escaped, _, _ := strings.Cut(path, "?")
	name, err := url.PathUnescape(escaped)
	if err != nil {
		return ""
	}
	return name
}

// makeIndexes makes one index for each way to list and to count, each in the order of the list, and one of the prospects with
// waiting messages alone, oldest first. Making an index that is there does nothing, so several processes may do it at once.
func (s *Store) makeIndexes(ctx context.Context) error {
	listed := bson.D{{Key: "deleted", Value: 1}, {Key: "created", Value: 1}, {Key: "_id", Value: 1}}
	_, err := s.prospects.Indexes().CreateMany(ctx, []mongo.IndexModel{
		{Keys: listed},
		{Keys: append(bson.D{{Key: "filedWork", Value: 1}}, listed...)},
		{Keys: append(bson.D{{Key: "idEvent", Value: 1}}, listed...)},
		{Keys: bson.D{{Key: "waiting", Value: 1}}, Options: options.Index().SetSparse(true)},
	})
	return err
}

// Close closes all connections.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return s.client.Disconnect(ctx)
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return bounded(ctx, func(ctx context.Context) error { return s.client.Ping(ctx, nil) })
}

func bounded(ctx context.Context, operation func(context.Context) error) error {
	return within(ctx, timeout, operation)
}

// within runs one operation, which may take so long, and gives its error a kind. An end of the caller's own context is the
// caller's; a server that doesn't answer within the limit is away.
func within(ctx context.Context, limit time.Duration, operation func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := operation(limited)
	var f *fault.Error
	switch {
	case err == nil || errors.As(err, &f):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case errors.Is(err, context.DeadlineExceeded) && sameDeadline(ctx, limited):
		return err // the driver doesn't begin what can't be done in time
	case isAway(err):
		return fault.Away("the database", retryAfter).Because(err)
	}
	return err
}

func sameDeadline(ctx, limited context.Context) bool {
	of, ok := ctx.Deadline()
	limit, _ := limited.Deadline()
	return ok && of.Equal(limit)
}

// isAway tells whether trying again later may help: no connection, no answer in time, no server that takes writes, or one
// of the server's own troubles: hosts that don't reach each other (6, 7, 89, 9001), a time limit (50, 262), too few servers for a write
// (64, 100), shutting down (91, 11600), no primary (189, 10107, 11602, 13435, 13436), or a full disk (14031).
func isAway(err error) bool {
	var selection topology.ServerSelectionError
	var pool driver.RetryablePoolError // another operation has found the connections broken
	return mongo.IsNetworkError(err) || mongo.IsTimeout(err) || errors.As(err, &selection) || errors.As(err, &pool) ||
		hasCode(err, 6, 7, 89, 9001, 50, 262, 64, 100, 91, 11600, 189, 10107, 11602, 13435, 13436, 14031)
}

func hasCode(err error, codes ...int) bool {
	var e mongo.ServerError
	if !errors.As(err, &e) {
		return false
	}
	for _, code := range codes {
		if e.HasErrorCode(code) {
			return true
		}
	}
	return false
}
