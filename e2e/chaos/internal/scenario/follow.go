//go:build linux

package scenario

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	registryv1 "eventprospect/gen/registry/v1"
)

// service is the one whose instances are called.
const service = "event"

const (
	// seenEvery is how often one looks whether an instance is shown, seenPatience how long.
	seenEvery    = 5 * time.Millisecond
	seenPatience = 30 * time.Second
)

// observer follows what each registry says, from outside.
type observer struct {
	views  map[string]*view // by the registry's address
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// observe follows the registries at these addresses until close.
func observe(registries []string, account credentials.PerRPCCredentials) (*observer, error) {
	ctx, cancel := context.WithCancel(context.Background())
	o := &observer{views: map[string]*view{}, cancel: cancel}
	for _, address := range registries {
		conn, err := grpc.NewClient("passthrough:///"+address,
			grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(account),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff: backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1, MaxDelay: 10 * time.Millisecond}, MinConnectTimeout: time.Second,
			}))
		if err != nil {
			o.close()
			return nil, err
		}
		v := newView()
		o.views[address] = v
		o.done.Go(func() {
			follow(ctx, registryv1.NewRegistryServiceClient(conn), v)
			_ = conn.Close() // nothing is lost with it
		})
	}
	return o, nil
}

// follow hands on what a registry says, over all its lives, until the context ends.
func follow(ctx context.Context, registry registryv1.RegistryServiceClient, v *view) {
	for ctx.Err() == nil {
		stream, err := registry.Watch(ctx, &registryv1.WatchRequest{Service: service}, grpc.WaitForReady(true))
		for err == nil {
			var change *registryv1.WatchResponse
			if change, err = stream.Recv(); err == nil {
				v.take(change)
			}
		}
		v.lose()
		select {
		case <-time.After(seenEvery):
		case <-ctx.Done():
		}
	}
}

// await waits until every registry shows the instance; from then on each has to.
func (o *observer) await(ctx context.Context, address string) error {
	return o.every(ctx, "does not show "+address, func(v *view) bool { return v.expect(address) })
}

// awaitEnd waits until every registry has noticed that an instance has ended. Its next life can't be mistaken for that one then.
func (o *observer) awaitEnd(ctx context.Context, address string) error {
	return o.every(ctx, "still shows "+address, func(v *view) bool { return v.rid(address) })
}

// every waits until something holds for every registry.
func (o *observer) every(ctx context.Context, otherwise string, holds func(*view) bool) error {
	ctx, cancel := context.WithTimeout(ctx, seenPatience)
	defer cancel()
	for registry, v := range o.views {
		for !holds(v) {
			select {
			case <-time.After(seenEvery):
			case <-ctx.Done():
				return fmt.Errorf("the registry %s %s; it shows %s: %w", registry, otherwise, strings.Join(v.addresses(), ", "), ctx.Err())
			}
		}
	}
	return nil
}

// excuse notes that an instance may go.
func (o *observer) excuse(address string) {
	for _, v := range o.views {
		v.excuse(address)
	}
}

// wronged is how often a registry said that an instance was gone that was alive.
func (o *observer) wronged() int {
	sum := 0
	for _, v := range o.views {
		sum += v.wronged()
	}
	return sum
}

func (o *observer) close() {
	o.cancel()
	o.done.Wait()
}
