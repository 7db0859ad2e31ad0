//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// set is the running servers.
type set struct {
	folder string

	mu      sync.Mutex
	running []*process
	urls    map[string]string // by variable
}

// servers are those that there are, by the variable that tells their address to the tests.
var servers = map[string]func(context.Context, *set) (url string, err error){
	"EVENTPROSPECT_TEST_MYSQL":    startMariaDB,
	"EVENTPROSPECT_TEST_POSTGRES": startPostgres,
	"EVENTPROSPECT_TEST_MONGODB":  startMongoDB,
}

// start starts all servers, each with a folder of its own that goes at the end.
func start(ctx context.Context) (*set, error) {
	folder, err := os.MkdirTemp("", "eventprospect-servers-")
	if err != nil {
		return nil, err
	}
	// The database servers run as users of their own if this is root.
	if err := os.Chmod(folder, 0o755); err != nil {
		return nil, err
	}
	s := &set{folder: folder, urls: map[string]string{}}
	if err := install(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	group, ctx := errgroup.WithContext(ctx)
	for variable, begin := range servers {
		group.Go(func() error {
			url, err := begin(ctx, s)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.urls[variable] = url
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// environment gives the addresses as the tests read them.
func (s *set) environment() []string {
	var pairs []string
	for variable, url := range s.urls {
		pairs = append(pairs, variable+"="+url)
	}
	slices.Sort(pairs)
	return pairs
}

// stop stops what was started and removes its data.
func (s *set) stop() error {
	var errs []error
	for _, p := range slices.Backward(s.running) {
		errs = append(errs, p.stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.folder))...)
}

// freePort finds a port that nobody listens on now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }() // it was only asked for its number
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("not a TCP address: %v", listener.Addr())
	}
	return address.Port, nil
}
