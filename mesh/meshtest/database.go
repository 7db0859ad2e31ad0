package meshtest

import (
	"context"
	"crypto/rand"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// The variables that name the servers of tests, with the addresses at which compose.yaml offers them.
var databases = map[string]string{
	"EVENTPROSPECT_TEST_MYSQL":    "mysql://root:development@127.0.0.1:3306/mysql",
	"EVENTPROSPECT_TEST_POSTGRES": "postgres://postgres:development@127.0.0.1:5432/postgres",
	"EVENTPROSPECT_TEST_MONGODB":  "mongodb://127.0.0.1:27017/test",
}

// NoSkip is the variable that makes a test fail that would be skipped for want of a server or a tool.
const NoSkip = "EVENTPROSPECT_TEST_NO_SKIP"

// Database gives the address of a real database server: the one that the variable names, or else that of compose.yaml. The
// test is skipped, and says so, if nobody answers there.
func Database(t testing.TB, variable string) string {
	t.Helper()
	address := os.Getenv(variable)
	if address == "" {
		address = databases[variable]
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("%s is not a URL", variable)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	switch {
	case err == nil:
		_ = conn.Close() // it was only asked whether it is there
		return address
	case os.Getenv(NoSkip) != "":
		t.Fatalf("%s: nobody answers at %s", variable, u.Host)
	default:
		t.Skipf("%s: nobody answers at %s: start the servers with `task servers:up`", variable, u.Host)
	}
	return ""
}

// WithName gives the address of another database of the same server.
func WithName(t testing.TB, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal("not a URL")
	}
	u.Path = "/" + name
	return u.String()
}

// NewName makes a name for a database that no other test has.
func NewName() string { return "test_" + strings.ToLower(rand.Text()) }

// Kafka gives the host and port of a real Kafka: the one that EVENTPROSPECT_TEST_KAFKA names, kafka://HOST:PORT. The test is skipped, and
// says so, if nobody answers there.
func Kafka(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(Database(t, "EVENTPROSPECT_TEST_KAFKA"))
	if err != nil {
		t.Fatal("EVENTPROSPECT_TEST_KAFKA is not a URL")
	}
	return u.Host
}
