//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// set is the running servers.
type set struct {
	folder string

	mu        sync.Mutex
	stops     []func()
	addresses map[string]string // by variable
}

// server is one that can be started, or a foreign program that can be made ready.
type server struct {
	// name is what it is asked for by.
	name string
	// variable tells its address, or the path of the program, to the tests.
	variable string
	start    func(context.Context, *set) (address string, err error)
	// needs are the programs that it is started or made with.
	needs []string
	// asked says that it is started only if it is asked for.
	asked bool
}

var servers = []server{
	{name: "mysql", variable: "EVENTPROSPECT_TEST_MYSQL", start: startMariaDB, needs: []string{"mariadbd"}},
	{name: "postgres", variable: "EVENTPROSPECT_TEST_POSTGRES", start: startPostgres, needs: []string{"postgres"}},
	{name: "mongodb", variable: "EVENTPROSPECT_TEST_MONGODB", start: startMongoDB, needs: []string{"java", "mvn"}},
	{name: "keycloak", variable: "EVENTPROSPECT_TEST_KEYCLOAK", start: startKeycloak, needs: []string{"java", "mvn"}},
	{name: "eureka-js", variable: "EVENTPROSPECT_TEST_EUREKA_JS", start: prepareEurekaJS, needs: []string{"node", "npm"}},
	{name: "spring", variable: "EVENTPROSPECT_TEST_SPRING", start: prepareSpring, needs: []string{"java", "mvn"}},
	{name: "envoy", variable: "EVENTPROSPECT_TEST_ENVOY", start: prepareEnvoy, needs: []string{"pip3"}},
	{name: "chromium", variable: "EVENTPROSPECT_TEST_CHROMIUM", start: find("chromium"), needs: []string{"chromium"}},
	{name: "kcat", variable: "EVENTPROSPECT_TEST_KCAT", start: find("kcat"), needs: []string{"kcat"}},
	{name: "kafka-js", variable: "EVENTPROSPECT_TEST_KAFKA_JS", start: prepareKafkaJS, needs: []string{"node", "npm"}},
	{name: "kafka", variable: "EVENTPROSPECT_TEST_KAFKA", start: startKafka, needs: []string{"java", "mvn"}},
	{name: "kafka-secure", variable: "EVENTPROSPECT_TEST_KAFKA_SECURE", start: startSecureKafka, needs: []string{"java", "mvn"}},
	{name: "kafka-zookeeper", variable: "EVENTPROSPECT_TEST_KAFKA_ZOOKEEPER", start: prepareOldKafka, needs: []string{"java", "mvn"}},
	{name: "zipkin", variable: "EVENTPROSPECT_TEST_ZIPKIN", start: startZipkin, needs: []string{"java", "mvn"}, asked: true},
}

// choose gives the servers with these names; without names, all that needn't be asked for.
func choose(names []string) ([]server, error) {
	var chosen []server
	for _, s := range servers {
		if slices.Contains(names, s.name) || len(names) == 0 && !s.asked {
			chosen = append(chosen, s)
		}
	}
	if len(names) > 0 && len(chosen) != len(names) {
		var known []string
		for _, s := range servers {
			known = append(known, s.name)
		}
		return nil, fmt.Errorf("%s: not all are one of %s", strings.Join(names, ","), strings.Join(known, ", "))
	}
	return chosen, nil
}

// start starts servers side by side, each with a folder of its own that goes at the end.
func start(ctx context.Context, chosen []server) (*set, error) {
	folder, err := os.MkdirTemp("", "eventprospect-servers-")
	if err != nil {
		return nil, err
	}
	// The database servers run as users of their own if this is root.
	if err := os.Chmod(folder, 0o755); err != nil {
		return nil, err
	}
	s := &set{folder: folder, addresses: map[string]string{}}
	if err := install(ctx, chosen); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, one := range chosen {
		group.Go(func() error {
			began := time.Now()
			address, err := one.start(ctx, s)
			if err == nil {
				fmt.Fprintf(os.Stderr, "servers: %s is ready after %v\n", one.name, time.Since(began).Round(100*time.Millisecond))
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.addresses[one.variable] = address
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// newFolder makes a server's folder.
func (s *set) newFolder(name string) (string, error) {
	path := filepath.Join(s.folder, name)
	return path, os.Mkdir(path, 0o700)
}

// environment gives the addresses as the tests read them.
func (s *set) environment() []string {
	var pairs []string
	for variable, address := range s.addresses {
		pairs = append(pairs, variable+"="+address)
	}
	slices.Sort(pairs)
	return pairs
}

// stop stops what was started and removes its data.
func (s *set) stop() error {
	for _, stop := range slices.Backward(s.stops) {
		stop()
	}
	return os.RemoveAll(s.folder)
}

// onStop adds what must be done at the end.
func (s *set) onStop(stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stops = append(s.stops, stop)
}
