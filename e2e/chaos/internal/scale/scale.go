//go:build linux

// Package scale measures a registry with many instances: how long they take to join, what they cost while nothing happens, and what
// it takes until everyone who follows a service has heard of a change.
package scale

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/conf"

	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/chaos/internal/load"
	"eventprospect/e2e/process"
)

const (
	// account is the service that all clients are.
	account = "event-service"
	// watchers follow the service that changes, each on a connection of its own.
	watchers = 50
	// changes is how many are measured.
	changes = 100
	// quiet is how long one looks at what the registry costs while nothing but heartbeats comes.
	quiet = 20 * time.Second
	// patience bounds every wait.
	patience = 10 * time.Minute
)

// Size says how much there is.
type Size struct{ Instances, Services int }

// Needed are the names of the programs that Run must have.
func Needed() []string { return []string{"dev", "registry"} }

// Run starts a registry with the etcd within, measures, and prints.
func Run(ctx context.Context, programs fleet.Programs, size Size, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "eventprospect-chaos-")
	if err != nil {
		return err
	}
	f := fleet.New(programs, folder)
	defer func() {
		f.End()
		err = errors.Join(err, os.RemoveAll(folder))
	}()
	if err := f.Base(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, f.LastWords())
	}
	registries, err := f.Registries(ctx, 1, "")
	if err == nil {
		own := auth.ServiceAccount(auth.Config{Issuer: f.Issuer, ClientID: account, ClientSecret: conf.Secret(account)})
		err = measure(ctx, &target{registries[0], own}, size, out)
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, f.LastWords())
	}
	return nil
}

// target is the registry that is measured.
type target struct {
	*fleet.Node
	account credentials.PerRPCCredentials
}

// dial makes a connection of its own.
func (t *target) dial(options ...grpc.DialOption) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+t.Address, append(options,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(t.account),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))...)
}

func measure(ctx context.Context, t *target, size Size, out io.Writer) error {
	empty, err := t.Usage()
	if err != nil {
		return err
	}
	crowd := newCrowd(size)
	defer crowd.end()
	begin := time.Now()
	took, err := crowd.join(ctx, t)
	if err != nil {
		return err
	}
	joined, err := t.Usage()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d instances of %d services joined in %.1fs (p50 %s, p99 %s each), with %.1fs of the registry's CPU\n",
		size.Instances, size.Services, time.Since(begin).Seconds(), short(load.Percentile(took, 50)), short(load.Percentile(took, 99)), (joined.CPU - empty.CPU).Seconds())
	if err := rest(ctx, t, empty, out); err != nil {
		return err
	}
	for _, face := range []face{native{}, xds{}} {
		if err := crowd.change(ctx, t, face, out); err != nil {
			return fmt.Errorf("%s: %w", face.name(), err)
		}
	}
	return crowd.failed()
}

// rest looks at the registry while nothing but heartbeats comes.
func rest(ctx context.Context, t *target, empty process.Usage, out io.Writer) error {
	before, err := t.Usage()
	if err != nil {
		return err
	}
	select {
	case <-time.After(quiet):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := t.Usage()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "registry at rest: %d MB resident (%d MB before they joined), %.0f %% of one core\n",
		after.Resident>>20, empty.Resident>>20, 100*(after.CPU-before.CPU).Seconds()/quiet.Seconds())
	return nil
}

func short(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
