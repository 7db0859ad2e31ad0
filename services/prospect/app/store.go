package app

import (
	"context"
	"fmt"
	"strings"

	"eventprospect/mesh"
	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
	"eventprospect/services/prospect/internal/store/mongodb"
	"eventprospect/services/prospect/internal/store/sqlite"
)

// store is what every engine offers: prospects, and the messages that tell of them.
type store interface {
	prospect.Store
	outbox.Queue
	mesh.Resource
}

// openStore opens the store that the setting names by its scheme, and brings its schema or indexes up to date.
func openStore(ctx context.Context, setting string) (store, error) {
	scheme, file, _ := strings.Cut(setting, ":")
	switch scheme {
	case "sqlite":
		return orNil(sqlite.Open(ctx, file))
	case "mongodb":
		return orNil(mongodb.Open(ctx, setting))
	}
	return nil, fmt.Errorf("store: the scheme %q of the setting is none of: sqlite, mongodb", scheme)
}

// orNil keeps a failed open from looking like a store.
func orNil[S store](s S, err error) (store, error) {
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return s, nil
}

// Migrate brings the store's schema or indexes up to date, as the service does itself when it starts.
func Migrate(ctx context.Context, cfg Config) error {
	s, err := openStore(ctx, cfg.Store.Reveal())
	if err != nil {
		return err
	}
	return s.Close()
}
