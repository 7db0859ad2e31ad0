//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
)

// Ports that a process keeps over restarts are below those that Linux gives to outgoing connections (from 32768): while
// the process is away, none of those may sit on its port.
const firstPort, lastPort = 18000, 32000

// FreeAddress finds a host and port of loopback on which nobody listens now.
func FreeAddress() (string, error) {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(lastPort-firstPort))
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return address, listener.Close()
		}
	}
	return "", errors.New("no free port was found")
}

// FreeAddresses finds so many, all different.
func FreeAddresses(n int) ([]string, error) {
	var all []string
	for len(all) < n {
		address, err := FreeAddress()
		if err != nil {
			return nil, err
		}
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return all, nil
}

// Accepts gives the check that somebody takes connections there.
func Accepts(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
