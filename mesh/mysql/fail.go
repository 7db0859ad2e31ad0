package mysql

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"

	mysql "github.com/go-sql-driver/mysql"

	"eventprospect/mesh/bounded"
)

// IsDuplicate tells whether a primary key or unique index refused the row (1062).
func IsDuplicate(err error) bool { return hasNumber(err, 1062) }

// lost tells whether a transaction was ended by the database because of another one: 1213 is a deadlock, 1205 a lock
// that took too long, 1020 a record that changed (MariaDB's snapshot isolation).
func lost(err error) bool { return hasNumber(err, 1213, 1205, 1020) }

func hasNumber(err error, numbers ...uint16) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && slices.Contains(numbers, e.Number)
}

// away tells whether the server has troubles of its own: too many connections (1040, 1203, 1226), shutting down (1053), a
// connection or query ended by the server (1927, 1317), disk full (1021, 1114), read-only (1290, 1792, 1836), out of memory
// (1037, 1038, 1041), a cluster without a majority (1047).
func away(err error) bool {
	return hasNumber(err, 1040, 1203, 1226, 1053, 1927, 1317, 1021, 1114, 1290, 1792, 1836, 1037, 1038, 1041, 1047)
}

// broken tells whether a connection could not be made, or ended.
func broken(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// rules say what the errors of the driver mean.
var rules = bounded.Rules{Lost: lost, Away: func(err error) bool { return away(err) || broken(err) }}
