//go:build linux

package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"time"

	"eventprospect/e2e/chaos/internal/cutter"
	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/client"
	"eventprospect/e2e/kafka"
	"eventprospect/e2e/sqlservers"
)

const (
	// topic is the one that the services use by default.
	topic = "prospect-events"
	// residents are the instances of the Event service that are there all the time, guests those that come and go.
	residents, guests = 2, 2
	// warmPatience bounds how long the system may take to answer for the first time.
	warmPatience = 30 * time.Second
)

// world is the system that faults strike.
type world struct {
	fleet   *fleet.Fleet
	kafka   *kafka.Cluster // nil: the embedded one
	lines   []*cutter.Line // between the services and each broker
	brokers []string       // their addresses, past the lines

	database *fleet.Node // of the events; nil: SQLite
	server   *sqlservers.Server

	prospects         []*fleet.Node // instances of the Prospect service
	residents, guests []*fleet.Node // those of the Event service
	client            *client.Client
	ungraceful        []error // of guests that were told to stop; one fault alone writes it

	stored prospectStore
	events database
}

// newWorld starts everything. What was started is ended by close, also after an error.
func newWorld(ctx context.Context, f *fleet.Fleet, o Options) (*world, error) {
	w := &world{fleet: f}
	if err := f.Base(ctx); err != nil {
		return w, err
	}
	if err := w.startKafka(ctx, o.Brokers); err != nil {
		return w, err
	}
	if err := w.startDatabase(ctx, o.EventStore); err != nil {
		return w, err
	}
	registries, err := f.Registries(ctx, 1, "")
	if err != nil {
		return w, err
	}
	if err := w.startEvents(ctx, registries[0].Address); err != nil {
		return w, err
	}
	if err := w.startProspects(ctx, registries[0].Address, o.ProspectStore); err != nil {
		return w, err
	}
	gateway, err := f.Gateway(ctx, registries[0].Address)
	if err != nil {
		return w, err
	}
	if w.client, err = client.New(client.Endpoints{Gateway: "http://" + gateway.Address, Issuer: f.Issuer}); err != nil {
		return w, err
	}
	return w, w.warm(ctx)
}

// warm waits until the gateway finds the Prospect service.
func (w *world) warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, warmPatience)
	defer cancel()
	for {
		_, err := w.total(ctx)
		if err == nil {
			return nil
		}
		if !pause(ctx, retryPause) {
			return fmt.Errorf("before the load: %w", err)
		}
	}
}

// total asks the gateway how many prospects there are.
func (w *world) total(ctx context.Context) (int, error) {
	var page struct{ TotalElements int }
	err := ask(ctx, w.client, client.Reader, http.MethodGet, "/prospects?pageSize=1", "", &page)
	return page.TotalElements, err
}

// dead names the processes that have ended and were not told to.
func (w *world) dead() []string {
	all := slices.Concat(w.prospects, w.residents)
	if w.database != nil {
		all = append(all, w.database)
	}
	var names []string
	for _, node := range all {
		if !node.Runs() {
			names = append(names, node.Name+" has ended by itself")
		}
	}
	return names
}

func (w *world) lastWords() string {
	words := w.fleet.LastWords()
	if w.kafka != nil {
		words += "\n" + w.kafka.LastWords()
	}
	return words
}

// close ends all processes, and drops what was made on a server that isn't ours. The database server is told to end, since one that
// is killed leaves shared memory behind.
func (w *world) close() error {
	if w.client != nil {
		w.client.Close()
	}
	if w.database != nil {
		w.database.End(w.server.Stops[len(w.server.Stops)-1])
	}
	w.fleet.End()
	if w.kafka != nil {
		w.kafka.Stop()
	}
	var errs []error
	for _, line := range w.lines {
		errs = append(errs, line.Close())
	}
	if w.stored != nil {
		errs = append(errs, w.stored.drop())
	}
	return errors.Join(errs...)
}

// restart starts a process again. It is tried more than once: what a killed server leaves behind goes only when its children do.
func restart(ctx context.Context, node *fleet.Node) (err error) {
	for range tries {
		if err = node.Start(ctx); err == nil || !pause(ctx, away) {
			return err
		}
		node.End(syscall.SIGKILL)
	}
	return err
}
