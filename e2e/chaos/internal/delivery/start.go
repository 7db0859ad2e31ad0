//go:build linux

package delivery

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"eventprospect/e2e/chaos/internal/cutter"
	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/kafka"
	"eventprospect/e2e/sqlservers"
)

// startKafka starts brokers, each behind a line that can be cut: by it the services learn of the other lines alone.
func (w *world) startKafka(ctx context.Context, brokers int) (err error) {
	if brokers == 0 {
		w.brokers = []string{w.fleet.Kafka}
		return nil
	}
	folder := filepath.Join(w.fleet.Folder, "kafka")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	w.kafka, err = kafka.Start(ctx, kafka.Options{Folder: folder, Brokers: brokers, Through: func(_ int, address string) (string, error) {
		line, err := cutter.Open(address)
		if err != nil {
			return "", err
		}
		w.lines = append(w.lines, line)
		return line.Address(), nil
	}})
	if err != nil {
		return err
	}
	w.brokers, w.fleet.Kafka = w.kafka.Addresses(), strings.Join(w.kafka.ThroughAddresses(), ",")
	return nil
}

// startDatabase starts the server of the events' database.
func (w *world) startDatabase(ctx context.Context, store string) (err error) {
	switch store {
	case "postgres":
		w.database, w.server, err = w.fleet.Database(ctx, sqlservers.PostgreSQL)
	case "mysql":
		w.database, w.server, err = w.fleet.Database(ctx, sqlservers.MariaDB)
	}
	if w.server != nil {
		w.events = database{store, w.server.URL}
	}
	return err
}

// startEvents starts the residents. The guests aren't started yet.
func (w *world) startEvents(ctx context.Context, registry string) error {
	if w.server == nil {
		node, err := w.fleet.Instance(0, "event", registry, nil)
		if err != nil {
			return err
		}
		w.residents, w.events = []*fleet.Node{node}, database{"sqlite", filepath.Join(w.fleet.Folder, node.Name, "event.db")}
		return node.Start(ctx)
	}
	for i := range residents + guests {
		node, err := w.fleet.Instance(i, "event", registry, map[string]string{"STORE": w.server.URL})
		if err != nil {
			return err
		}
		if i >= residents {
			w.guests = append(w.guests, node)
			continue
		}
		w.residents = append(w.residents, node)
		if err := node.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startProspects starts one instance on SQLite, or two on a database of their own on the MongoDB at this URL.
func (w *world) startProspects(ctx context.Context, registry, server string) error {
	n, store := 1, ""
	if server != "" {
		mongo, err := newMongoStore(server)
		if err != nil {
			return err
		}
		n, store, w.stored = 2, mongo.url, mongo
	}
	for i := range n {
		node, file, err := w.fleet.Prospect(i, registry, store)
		if err != nil {
			return err
		}
		w.prospects = append(w.prospects, node)
		if file != "" {
			w.stored = sqliteStore{database{"sqlite", file}}
		}
		if err := node.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}
