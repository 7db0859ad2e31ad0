package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	mysql "github.com/go-sql-driver/mysql"

	"eventprospect/mesh/bounded"
)

// Connect makes a pool of connections to the database of this URL, which are made when they are needed.
func Connect(address string) (*sql.DB, error) {
	cfg, err := config(address)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(inTime{connector})
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	return db, nil
}

// inTime bounds the whole of an attempt to connect: the driver's own timeout ends when a connection is there, and a server
// that takes it but says nothing would hold a place in the pool for ever.
type inTime struct{ driver.Connector }

func (b inTime) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return b.Connector.Connect(ctx)
}

// config reads the URL. Arguments are put into the text by the driver, which spares a round trip for each statement;
// times are UTC both ways; the session is strict, so that nothing is cut to fit. A statement whose caller is gone waits for a
// lock no longer than a caller would.
func config(address string) (*mysql.Config, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return nil, errors.New("not a mysql URL: want mysql://USER:PASSWORD@HOST:PORT/DATABASE") // the error may hold the password
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.Trim(u.Path, "/")
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	if u.Port() == "" {
		cfg.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	for name, values := range u.Query() {
		if name != "tls" {
			return nil, fmt.Errorf("a mysql URL has no setting %q: only tls, which is true, preferred or skip-verify", name)
		}
		cfg.TLSConfig = values[0]
	}
	cfg.ParseTime, cfg.Loc, cfg.InterpolateParams = true, time.UTC, true
	cfg.Timeout = connectTimeout
	cfg.Params = map[string]string{
		"time_zone":                "'+00:00'",
		"sql_mode":                 "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
		"innodb_lock_wait_timeout": fmt.Sprint(bounded.Timeout.Seconds()),
	}
	cfg.Logger = &mysql.NopLogger{} // what it would print comes back as an error, too
	return cfg, nil
}
