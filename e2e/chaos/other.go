//go:build !linux

// Command chaos makes trouble in a mesh of real processes. It knows how on Linux alone.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "chaos: it runs on Linux alone")
	os.Exit(1)
}
