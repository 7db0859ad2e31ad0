package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"eventprospect/mesh/mtls"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/etcd"
	"eventprospect/services/registry/internal/store/memory"
)

var errStore = errors.New("store: must be memory:, etcd:FOLDER, or etcd://HOST:PORT,HOST:PORT/PREFIX (etcds: by TLS)")

// openStore opens the store that the setting names.
func openStore(ctx context.Context, setting string, secure mtls.ClientConfig, log *slog.Logger) (registry.Store, error) {
	switch scheme, rest, _ := strings.Cut(setting, ":"); {
	case scheme == "etcds" && secure.Enabled:
		client, err := mtls.NewClient(secure, tls.VersionTLS12, log)
		if err != nil {
			return nil, fmt.Errorf("store_tls.%w", err)
		}
		return etcd.Connect(ctx, setting, client, log)
	case scheme == "etcds", scheme == "etcd" && strings.HasPrefix(rest, "//"):
		return etcd.Connect(ctx, setting, nil, log)
	case scheme == "etcd" && rest != "":
		return etcd.Embedded(ctx, rest, log)
	case setting == "memory:":
		return memory.New(), nil
	}
	return nil, errStore
}
