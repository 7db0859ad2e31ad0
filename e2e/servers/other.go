//go:build !linux

// Command servers runs real database servers for tests. It knows how on Linux alone; elsewhere, name servers of your own by
// EVENTPROSPECT_TEST_MYSQL, EVENTPROSPECT_TEST_POSTGRES and EVENTPROSPECT_TEST_MONGODB.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "servers: real servers are started on Linux alone: name your own by EVENTPROSPECT_TEST_MYSQL, _POSTGRES and _MONGODB")
	os.Exit(1)
}
