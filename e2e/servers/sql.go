//go:build linux

package main

import (
	"context"

	"eventprospect/e2e/sqlservers"
)

func startMariaDB(ctx context.Context, s *set) (string, error) {
	return s.startSQL(ctx, sqlservers.MariaDB)
}

func startPostgres(ctx context.Context, s *set) (string, error) {
	return s.startSQL(ctx, sqlservers.PostgreSQL)
}

// startSQL starts a database server and gives its address.
func (s *set) startSQL(ctx context.Context, prepare func(ctx context.Context, folder string) (*sqlservers.Server, error)) (string, error) {
	server, err := prepare(ctx, s.folder)
	if err != nil {
		return "", err
	}
	return server.URL, s.launch(ctx, server.Name, server.Address, server.Command())
}
