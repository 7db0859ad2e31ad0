//go:build !linux

// Command servers runs real servers for tests. It knows how on Linux alone; elsewhere, name servers of your own by
// EVENTPROSPECT_TEST_MYSQL, EVENTPROSPECT_TEST_POSTGRES, EVENTPROSPECT_TEST_MONGODB, EVENTPROSPECT_TEST_KEYCLOAK and EVENTPROSPECT_TEST_KAFKA.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "servers: real servers are started on Linux alone: name your own by EVENTPROSPECT_TEST_MYSQL, _POSTGRES, _MONGODB, _KEYCLOAK and _KAFKA")
	os.Exit(1)
}
