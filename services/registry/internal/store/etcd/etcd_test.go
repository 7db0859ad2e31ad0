package etcd

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"

	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, embedded)
	storetest.Durable(t, embedded)
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// embedded opens stores on one etcd of this process, which runs as long as one of them is open.
func embedded(t *testing.T) func() registry.Store {
	folder := t.TempDir()
	var mu sync.Mutex
	var server *serving
	open := 0
	closed := func() {
		mu.Lock()
		defer mu.Unlock()
		if open--; open == 0 {
			server.Close()
		}
	}
	return func() registry.Store {
		mu.Lock()
		defer mu.Unlock()
		if open++; open == 1 {
			var err error
			if server, err = serve(context.Background(), folder, quiet()); err != nil {
				t.Fatal(err)
			}
		}
		return newStore(v3client.New(server.Server), defaultPrefix, quiet(), closed)
	}
}
