// Package postgres connects to PostgreSQL: a bounded pool, a deadline on every query, and errors that say whose they are.
package postgres

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// maxConnections bounds the pool unless the URL says pool_max_conns.
	maxConnections = 16
	// connectTimeout bounds one attempt to connect.
	connectTimeout = 2 * time.Second
	// idleInTransaction is when the server ends a transaction whose client is gone without a word, with its locks.
	idleInTransaction = "10s"
)

// Open connects to the database of this URL and brings its schema up to date; of several processes that start at once, one
// does and the others wait.
func Open(ctx context.Context, address string, migrations fs.FS) (*pgxpool.Pool, error) {
	cfg, err := config(address)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, pool, migrations); err != nil {
		pool.Close()
		return nil, rules.Fault(ctx, err)
	}
	return pool, nil
}

// config reads the URL; what it says goes before what we choose. A commit is durable when it is acknowledged, even if the
// database or the role has another default.
func config(address string) (*pgxpool.Config, error) {
	const want = "not a postgres URL: want postgres://USER:PASSWORD@HOST:PORT/DATABASE" // the error may hold the password
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New(want)
	}
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, errors.New(want)
	}
	given := u.Query()
	if !given.Has("pool_max_conns") {
		cfg.MaxConns = maxConnections
	}
	if !given.Has("connect_timeout") {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	for name, value := range map[string]string{
		"synchronous_commit":                  "on",
		"idle_in_transaction_session_timeout": idleInTransaction,
	} {
		if !given.Has(name) {
			cfg.ConnConfig.RuntimeParams[name] = value
		}
	}
	return cfg, nil
}

// Bounded runs one query with a deadline and gives its error a kind. A query that lost against another is tried again.
func Bounded(ctx context.Context, query func(context.Context) error) error {
	return rules.Run(ctx, query)
}

// Write runs one transaction: what do writes is committed as a whole, or not at all if it returns an error. A transaction
// that lost against another is run again, so do must be safe to repeat.
func Write(ctx context.Context, pool *pgxpool.Pool, do func(context.Context, pgx.Tx) error) error {
	return Bounded(ctx, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return do(ctx, tx) })
	})
}
