//go:build linux

package fleet

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"

	"eventprospect/e2e/process"
	"eventprospect/e2e/sqlservers"
)

// Group is the consumer group of the Event service.
func (f *Fleet) Group() string { return "chaos-" + url.PathEscape(filepath.Base(f.Folder)) }

// Prospect adds an instance of the Prospect service, to be started, on this store; "" is a SQLite file, which is given back.
func (f *Fleet) Prospect(i int, registries, store string) (node *Node, file string, err error) {
	name := fmt.Sprintf("prospect %d", i+1)
	if store == "" {
		folder, err := f.newFolder(name)
		if err != nil {
			return nil, "", err
		}
		file = filepath.Join(folder, "prospect.db")
		store = "sqlite:" + file
	}
	node, err = f.member(name, "prospect", "prospect", map[string]string{"REGISTRY": registries, "KAFKA_BROKERS": f.Kafka, "STORE": store})
	if err != nil {
		return nil, "", err
	}
	node.ready = process.Accepts(node.Address) // without Kafka it is not all ready, and serves
	return node, file, nil
}

// Database starts a database server with its data in the fleet's folder, which its user must be able to reach.
func (f *Fleet) Database(ctx context.Context, make func(ctx context.Context, folder string) (*sqlservers.Server, error)) (*Node, *sqlservers.Server, error) {
	server, err := make(ctx, f.Folder)
	if err != nil {
		return nil, nil, err
	}
	node := f.node(server.Name, server.Address, process.Accepts(server.Address), server.Command)
	return node, server, node.Start(ctx)
}
