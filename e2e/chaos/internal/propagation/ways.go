//go:build linux

package propagation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	etcdresolver "go.etcd.io/etcd/client/v3/naming/resolver"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/xds"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/discovery"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"

	"eventprospect/e2e/chaos/internal/fleet"
)

// account is the service that the clients are.
const account = "prospect-service"

// way is one by which a client finds the instances of a service.
type way struct {
	name string
	// register is the line by which a backend makes itself known there.
	register string
	conn     *grpc.ClientConn
	closers  []func() error
}

func (w *way) close() error {
	errs := []error{w.conn.Close()}
	for _, c := range w.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// native is the mesh's own resolver, as every service uses it.
func native(f *fleet.Fleet, registry string) (*way, error) {
	traces, err := telemetry.NewTraces("chaos", telemetry.Config{})
	if err != nil {
		return nil, err
	}
	target, registries, err := discovery.Registries(registry)
	if err != nil {
		return nil, err
	}
	own := grpc.WithPerRPCCredentials(auth.ServiceAccount(auth.Config{Issuer: f.Issuer, ClientID: account, ClientSecret: conf.Secret(account)}))
	known, err := rpc.NewClient(target, traces, registries, own)
	if err != nil {
		return nil, err
	}
	resolver := discovery.NewResolver(registryv1.NewRegistryServiceClient(known), slog.New(slog.DiscardHandler))
	conn, err := rpc.NewClient(discovery.Target("native"), traces, grpc.WithResolvers(resolver))
	if err != nil {
		return nil, errors.Join(err, known.Close())
	}
	return &way{name: "native", register: fmt.Sprintf("registry %s %s native", registry, f.Issuer), conn: conn, closers: []func() error{known.Close}}, nil
}

// byXDS is gRPC's own xDS client, with the bootstrap that the registry serves.
func byXDS(ctx context.Context, f *fleet.Fleet, registry string) (*way, error) {
	bootstrap, err := get(ctx, "http://"+registry+"/xds/bootstrap.json")
	if err != nil {
		return nil, err
	}
	// Outside tests it comes from GRPC_XDS_BOOTSTRAP_CONFIG, which gRPC reads before main.
	resolver, err := xds.NewXDSResolverWithConfigForTesting(bootstrap)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("xds:///xds", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithResolvers(resolver))
	if err != nil {
		return nil, err
	}
	return &way{name: "xDS", register: fmt.Sprintf("registry %s %s xds", registry, f.Issuer), conn: conn}, nil
}

// byEtcd is etcd's own resolver, on an etcd of its own.
func byEtcd(store string) (*way, error) {
	endpoint := strings.TrimPrefix(store, "etcd://")
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	resolver, err := etcdresolver.NewBuilder(client)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	conn, err := grpc.NewClient("etcd:///etcd", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithResolvers(resolver),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`))
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return &way{name: "etcd", register: fmt.Sprintf("etcd %s etcd", endpoint), conn: conn, closers: []func() error{client.Close}}, nil
}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // all is read
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return io.ReadAll(resp.Body)
}
