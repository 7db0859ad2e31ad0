//go:build linux

package delivery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite

	"eventprospect/mesh/mysql"
)

// database is one of a service, looked at from outside.
type database struct {
	engine string // postgres, mysql or sqlite
	at     string // the URL, or the file
}

// open opens it to be read.
func (d database) open() (*sql.DB, error) {
	switch d.engine {
	case "postgres":
		return sql.Open("pgx", d.at)
	case "mysql":
		return mysql.Connect(d.at)
	case "sqlite":
		return sql.Open("sqlite", "file:"+escaped(d.at)+"?mode=ro&_pragma=busy_timeout(5000)")
	}
	return nil, fmt.Errorf("there is no engine %q", d.engine)
}

// escaped writes a file's path as it stands in a URL.
func escaped(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// number reads one.
func (d database) number(ctx context.Context, query string) (n int, err error) {
	db, err := d.open()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return n, db.QueryRowContext(ctx, query).Scan(&n)
}

// each reads rows of two columns.
func (d database) each(ctx context.Context, query string, first, second any, take func()) (err error) {
	db, err := d.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := rows.Scan(first, second); err != nil {
			return err
		}
		take()
	}
	return rows.Err()
}

// history is how many events of each kind a prospect has.
type history struct{ created, updated, other int }

// storedHistories gives what the Event service made of the messages, by the prospect's id.
func storedHistories(ctx context.Context, d database) (map[string]history, error) {
	histories, id, kind := map[string]history{}, "", ""
	err := d.each(ctx, `SELECT prospect_id, kind FROM events WHERE prospect_id <> ''`, &id, &kind, func() {
		h := histories[id]
		switch kind {
		case "PROSPECT_CREATED":
			h.created++
		case "PROSPECT_UPDATED":
			h.updated++
		default:
			h.other++
		}
		histories[id] = h
	})
	return histories, err
}

// backwards counts the changes that became an event before their prospect's creation did.
const backwards = `SELECT count(*) FROM events AS c JOIN events AS u ON u.prospect_id = c.prospect_id
	WHERE c.kind = 'PROSPECT_CREATED' AND u.kind = 'PROSPECT_UPDATED' AND u.created < c.created`
