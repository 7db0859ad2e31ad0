// Package ports finds ports for processes that tests start.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
)

// These ports are below those that systems give to outgoing connections (Linux from 32768): until a process listens on its port,
// and while it is restarted, none of those may sit on it.
const first, last = 18000, 32000

// Address finds a host and port of loopback on which nobody listens now.
func Address() (string, error) {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(last-first))
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return address, listener.Close()
		}
	}
	return "", errors.New("no free port was found")
}

// Addresses finds so many, all different.
func Addresses(n int) ([]string, error) {
	var all []string
	for len(all) < n {
		address, err := Address()
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return all, nil
}
