package postgres

import (
	"errors"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"eventprospect/mesh/bounded"
)

// IsDuplicate tells whether a primary key or unique index refused the row (23505).
func IsDuplicate(err error) bool { return hasCode(err, "23505") }

// lost tells whether a transaction was ended by the database because of another one: 40001 is a serialization failure,
// 40P01 a deadlock (PostgreSQL, appendix A).
func lost(err error) bool { return hasCode(err, "40001", "40P01") }

func hasCode(err error, codes ...string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && slices.Contains(codes, e.Code)
}

// rules say what the errors of the driver mean. What the server says comes first: a wrong password breaks the connection, too,
// and no trying again helps.
var rules = bounded.Rules{Lost: lost, Away: func(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return away(said.Code)
	}
	return broken(err)
}}

// away tells whether a code stands for the database's own troubles: the classes 08 (connection), 53 (out of resources), 57
// (shutting down), 58 (input and output), and 25006 (read-only) and 25P03 (idle for too long in a transaction).
func away(code string) bool {
	return len(code) == 5 && slices.Contains([]string{"08", "53", "57", "58"}, code[:2]) || code == "25006" || code == "25P03"
}

// broken tells whether a connection could not be made, or ended.
func broken(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, pgconn.ErrConnClosed)
}
