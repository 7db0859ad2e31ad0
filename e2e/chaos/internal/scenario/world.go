//go:build linux

package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/conf"

	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/client"
)

// instances is how many serve.
const instances = 3

// world is what a scenario makes trouble in.
type world struct {
	fleet      *fleet.Fleet
	etcd       []*fleet.Node // empty: it is within the registry
	registries []*fleet.Node
	instances  []*fleet.Node
	caller     *caller
	observer   *observer
}

// newWorld starts all processes and waits until they are seen and answer. What was started is ended by close, also after an
// error.
func newWorld(ctx context.Context, f *fleet.Fleet, s Scenario, program string) (*world, error) {
	w := &world{fleet: f}
	if err := f.Base(ctx); err != nil {
		return w, err
	}
	addresses, err := w.startRegistries(ctx, s.cluster)
	if err != nil {
		return w, err
	}
	if w.observer, err = observe(addresses, auth.ServiceAccount(auth.Config{
		Issuer: f.Issuer, ClientID: account, ClientSecret: conf.Secret(account),
	})); err != nil {
		return w, err
	}
	if err := w.startInstances(ctx, program, strings.Join(addresses, ","), s.settings); err != nil {
		return w, err
	}
	if err := w.connect(ctx, s.gateway, strings.Join(addresses, ",")); err != nil {
		return w, err
	}
	return w, w.caller.warm(ctx, instances)
}

func (w *world) startRegistries(ctx context.Context, cluster bool) (addresses []string, err error) {
	store, n := "", 1
	if cluster {
		n = 2
		if w.etcd, store, err = w.fleet.Etcd(ctx, 3); err != nil {
			return nil, err
		}
	}
	if w.registries, err = w.fleet.Registries(ctx, n, store); err != nil {
		return nil, err
	}
	for _, r := range w.registries {
		addresses = append(addresses, r.Address)
	}
	return addresses, nil
}

func (w *world) startInstances(ctx context.Context, program, registries string, settings map[string]string) error {
	for i := range instances {
		node, err := w.fleet.Instance(i, program, registries, settings)
		if err != nil {
			return err
		}
		w.instances = append(w.instances, node)
		if err := node.Start(ctx); err != nil {
			return err
		}
		if program == "event" {
			if err := w.seed(ctx, node.Address); err != nil {
				return err
			}
		}
	}
	return w.awaitAll(ctx, nil)
}

// seed creates the one event that tells who answers: each instance has a store of its own.
func (w *world) seed(ctx context.Context, address string) error {
	c, err := client.New(client.Endpoints{Issuer: w.fleet.Issuer, Event: address})
	if err != nil {
		return err
	}
	defer c.Close()
	conn, err := c.Conn("event.v1")
	if err != nil {
		return err
	}
	if ctx, err = c.As(ctx, client.Editor); err != nil {
		return err
	}
	_, err = eventv1.NewEventServiceClient(conn).CreateEvent(ctx, &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: address}})
	return err
}

func (w *world) connect(ctx context.Context, gateway bool, registries string) (err error) {
	if !gateway {
		w.caller, err = throughMesh(w.fleet, registries)
		return err
	}
	node, err := w.fleet.Gateway(ctx, registries)
	if err == nil {
		w.caller, err = throughGateway(w.fleet, node)
	}
	return err
}

// instance gives the one whose turn it is.
func (w *world) instance(n int) *fleet.Node { return w.instances[n%len(w.instances)] }

// bringBack starts an instance that has ended, when that has been noticed, and waits until every registry shows it.
func (w *world) bringBack(ctx context.Context, instance *fleet.Node) error {
	if err := w.observer.awaitEnd(ctx, instance.Address); err != nil {
		return err
	}
	if err := instance.Start(ctx); err != nil {
		return err
	}
	return w.observer.await(ctx, instance.Address)
}

// awaitAll waits until every registry shows every instance, unless there is an error already.
func (w *world) awaitAll(ctx context.Context, err error) error {
	for _, i := range w.instances {
		if err == nil {
			err = w.observer.await(ctx, i.Address)
		}
	}
	return err
}

// close ends what this process does itself, then the other processes.
func (w *world) close() error {
	var errs []error
	if w.caller != nil {
		errs = append(errs, w.caller.close())
	}
	if w.observer != nil {
		w.observer.close()
	}
	w.fleet.End()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}
