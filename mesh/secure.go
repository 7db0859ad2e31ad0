package mesh

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"golang.org/x/time/rate"

	"eventprospect/mesh/mtls"
	"eventprospect/mesh/split"
)

const (
	// showPatience bounds how long a connection to a port that is shared, or speaks TLS, may take to show what it speaks,
	// and maxUndecided how many may be at it. Browsers open one now and then without a word.
	showPatience = 5 * time.Second
	maxUndecided = 1024
	// sayRefused is how often the log hears of connections that came to no TLS: anybody can make them.
	sayRefused = 10 * time.Second
)

func limits() split.Limits { return split.Limits{Patience: showPatience, Undecided: maxUndecided} }

// readCertificates reads the files of TLS, where it is configured, and looks after them.
func (a *App) readCertificates() (err error) {
	if cfg := a.config.TLS.Server; cfg.Enabled() {
		if a.server, err = mtls.NewServer(cfg, a.Log); err != nil {
			return fmt.Errorf("tls.server.%w", err)
		}
		a.Go("server's certificate", func(ctx context.Context) error { a.server.Watch(ctx); return nil })
	}
	if cfg := a.config.TLS.Client; cfg.Enabled {
		if a.client, err = mtls.NewClient(cfg, tls.VersionTLS13, a.Log); err != nil {
			return fmt.Errorf("tls.client.%w", err)
		}
		a.Go("client's certificate", func(ctx context.Context) error { a.client.Watch(ctx); return nil })
	}
	return nil
}

// secure speaks TLS on a listener. Whom it refuses the log hears, now and then: a process that has the wrong certificate can't
// be told more than that.
func (a *App) secure(listener net.Listener, config *tls.Config) *split.Splitter {
	refused := &rate.Sometimes{First: 1, Interval: sayRefused}
	port := split.NewSecure(listener, limits(), config, func(conn net.Conn, err error) {
		refused.Do(func() {
			args := []any{"port", portOf(listener.Addr().String()), "error", err}
			if a.server.Mutual() { // then only processes have any business here, and one has to be found
				args = append(args, "from", conn.RemoteAddr().String())
			}
			a.Log.Warn("TLS connection refused", args...)
		})
	})
	a.Go("TLS", func(context.Context) error { return port.Serve() })
	return port
}
