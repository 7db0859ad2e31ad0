// Command backend is a process that can be found: it listens, and registers when a line on its standard input says so. It writes the
// address where it listens, and, with each registration, the time at which that began: nanoseconds since 1970.
//
//	registry ADDRESS ISSUER SERVICE   joins a registry of the mesh
//	etcd ADDRESS SERVICE              registers as etcd's own resolver (client/v3/naming) finds it
package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/naming/endpoints"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/discovery"
)

// term is how long etcd keeps an instance without a sign of life, in seconds: as long as the registry does.
const term = 10

// account is the service that it is.
const account = "event-service"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

func run() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// Clients of the mesh make sure every 20 s that a quiet connection lives, which gRPC takes for abuse by default.
	server := grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}))
	healthv1.RegisterHealthServer(server, health.NewServer())
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(listener) }()
	address := listener.Addr().String()
	fmt.Println(address)
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			if err := register(context.Background(), address, strings.Fields(lines.Text())); err != nil {
				ended <- err
			}
		}
		ended <- lines.Err() // who started it is gone
	}()
	return <-ended
}

func register(ctx context.Context, address string, words []string) error {
	switch {
	case len(words) == 4 && words[0] == "registry":
		return join(ctx, address, words[1], words[2], words[3])
	case len(words) == 3 && words[0] == "etcd":
		return put(ctx, address, words[1], words[2])
	}
	return fmt.Errorf("%q is not understood", words)
}

// join joins a registry. The connection and the token are there before the clock starts.
func join(ctx context.Context, address, registry, issuer, service string) error {
	conn, err := grpc.NewClient("passthrough:///"+registry,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(auth.ServiceAccount(auth.Config{Issuer: issuer, ClientID: account, ClientSecret: conf.Secret(account)})))
	if err != nil {
		return err
	}
	client := registryv1.NewRegistryServiceClient(conn)
	if _, err := client.ListInstances(ctx, &registryv1.ListInstancesRequest{PageSize: 1}); err != nil {
		return err
	}
	member := discovery.NewMember(client, &registryv1.Instance{
		Service: service, Id: address, Address: address, Status: registryv1.Instance_UP,
	}, slog.Default())
	fmt.Println(time.Now().UnixNano())
	go func() { _ = member.Run(ctx) }() // the context never ends
	return nil
}

// put writes the endpoint under a lease. The connection and the lease are there before the clock starts.
func put(ctx context.Context, address, etcd, service string) error {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{etcd}, DialTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	lease, err := client.Grant(ctx, term)
	if err != nil {
		return err
	}
	manager, err := endpoints.NewManager(client, service)
	if err != nil {
		return err
	}
	alive, err := client.KeepAlive(ctx, lease.ID)
	if err != nil {
		return err
	}
	go func() {
		for range alive {
		}
	}()
	begin := time.Now().UnixNano()
	err = manager.AddEndpoint(ctx, service+"/"+address, endpoints.Endpoint{Addr: address}, clientv3.WithLease(lease.ID))
	fmt.Println(begin)
	return err
}
