package etcd

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/internal/registry"
)

// patience bounds every wait for something that must happen.
const patience = time.Minute

// cluster is an etcd cluster whose members are processes.
type cluster struct {
	t        *testing.T
	members  []*member
	admin    *clientv3.Client
	prefixes atomic.Int32
}

// newCluster runs a cluster for the time of the test.
func newCluster(t *testing.T, size int) *cluster {
	t.Helper()
	folder := t.TempDir()
	c := &cluster{t: t}
	peers := make([]string, size)
	for i := range size {
		peer, client := meshtest.FreeAddress(t), meshtest.FreeAddress(t)
		peers[i] = fmt.Sprintf("m%d=http://%s", i, peer)
		c.members = append(c.members, &member{
			Name: fmt.Sprint("m", i), Folder: filepath.Join(folder, fmt.Sprint("m", i)),
			Peer: "http://" + peer, Client: "http://" + client, t: t, line: newLine(t, client),
		})
	}
	for _, m := range c.members {
		t.Cleanup(m.kill)
		m.Cluster = strings.Join(peers, ",")
		m.start()
	}
	cfg, _, err := parse(c.address())
	if err != nil {
		t.Fatal(err)
	}
	if c.admin, err = clientv3.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.admin.Close() })
	for _, m := range c.members {
		m.ready(c.admin)
	}
	return c
}

// ready waits until the member serves, and follows a leader.
func (m *member) ready(admin *clientv3.Client) {
	m.t.Helper()
	for ctx := within(m.t); ; {
		status, err := admin.Status(ctx, m.Client)
		if err == nil && status.Leader != 0 {
			return
		}
		if !pause(ctx, retryPause) {
			m.t.Fatalf("a member is not ready after %v: %v", patience, err)
		}
	}
}

// leader gives the member that leads.
func (c *cluster) leader() *member {
	c.t.Helper()
	for ctx := within(c.t); pause(ctx, retryPause); {
		for _, m := range c.members {
			if status, err := c.admin.Status(ctx, m.Client); err == nil && status.Leader == status.Header.GetMemberId() {
				return m
			}
		}
	}
	c.t.Fatal("there is no leader")
	return nil
}

// address gives that of a new store.
func (c *cluster) address() string {
	hosts := make([]string, len(c.members))
	for i, m := range c.members {
		hosts[i] = m.line.address()
	}
	return fmt.Sprintf("etcd://%s/test/%d", strings.Join(hosts, ","), c.prefixes.Add(1))
}

// open opens a store, which the caller closes.
func (c *cluster) open(address string) registry.Store {
	c.t.Helper()
	s, err := Connect(within(c.t), address, nil, quiet())
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// opened opens a store for the time of the test.
func (c *cluster) opened(address string) *Store {
	c.t.Helper()
	s := c.open(address).(*Store)
	closeLater(c.t, s)
	return s
}

func closeLater(t testing.TB, s registry.Store) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
