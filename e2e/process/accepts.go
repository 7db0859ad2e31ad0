//go:build linux

package process

import (
	"context"
	"net"
)

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
