package app

import (
	"context"
	"fmt"
	"strings"

	"eventprospect/mesh"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/mysql"
	"eventprospect/services/event/internal/store/postgres"
	"eventprospect/services/event/internal/store/sqlite"
)

// store is what every engine offers.
type store interface {
	event.Store
	mesh.Resource
}

// openStore opens the store that the setting names by its scheme, and brings its schema up to date.
func openStore(ctx context.Context, setting string) (store, error) {
	scheme, file, _ := strings.Cut(setting, ":")
	switch scheme {
	case "sqlite":
		return orNil(sqlite.Open(ctx, file))
	case "mysql":
		return orNil(mysql.Open(ctx, setting))
	case "postgres":
		return orNil(postgres.Open(ctx, setting))
	}
	return nil, fmt.Errorf("store: the scheme %q of the setting is none of: sqlite, mysql, postgres", scheme)
}

// orNil keeps a failed open from looking like a store.
func orNil[S store](s S, err error) (store, error) {
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return s, nil
}

// Migrate brings the store's schema up to date, as the service does itself when it starts.
func Migrate(ctx context.Context, cfg Config) error {
	s, err := openStore(ctx, cfg.Store.Reveal())
	if err != nil {
		return err
	}
	return s.Close()
}
