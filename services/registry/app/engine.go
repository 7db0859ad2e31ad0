package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/etcd"
	"eventprospect/services/registry/internal/store/memory"
)

var errStore = errors.New("store: must be memory:, etcd:FOLDER or etcd://HOST:PORT,HOST:PORT/PREFIX")

// openStore opens the store that the setting names.
func openStore(ctx context.Context, setting string, log *slog.Logger) (registry.Store, error) {
	switch scheme, rest, _ := strings.Cut(setting, ":"); {
	case scheme == "etcds" || scheme == "etcd" && strings.HasPrefix(rest, "//"):
		return etcd.Connect(ctx, setting, log)
	case scheme == "etcd" && rest != "":
		return etcd.Embedded(ctx, rest, log)
	case setting == "memory:":
		return memory.New(), nil
	}
	return nil, errStore
}
