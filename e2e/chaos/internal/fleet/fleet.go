//go:build linux

package fleet

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"eventprospect/e2e/process"
	"eventprospect/mesh/meshtest/ports"
)

// Fleet is the processes of one run. It is used by one goroutine at a time.
type Fleet struct {
	// Folder holds the data and the logs of all processes.
	Folder string
	// Issuer is the URL of the realm, Kafka the broker's host and port.
	Issuer, Kafka string

	programs Programs
	nodes    []*Node
}

// New makes a fleet of no process.
func New(programs Programs, folder string) *Fleet { return &Fleet{programs: programs, Folder: folder} }

// End kills every process.
func (f *Fleet) End() {
	for _, n := range slices.Backward(f.nodes) {
		n.Kill()
	}
}

// LastWords is the end of what each process wrote, if it wrote anything.
func (f *Fleet) LastWords() string {
	var all []string
	for _, n := range f.nodes {
		if n.running == nil || n.silent {
			continue
		}
		if words := n.LastWords(); words != "" {
			all = append(all, "--- "+n.Name+"\n"+words)
		}
	}
	return strings.Join(all, "\n")
}

// newFolder makes a folder for a process's data.
func (f *Fleet) newFolder(name string) (string, error) {
	path := filepath.Join(f.Folder, name)
	return path, os.MkdirAll(path, 0o700)
}

// member is a process of the mesh, of the program with this name: its settings begin with the service's name.
func (f *Fleet) member(name, program, service string, settings map[string]string) (*Node, error) {
	at, err := ports.Addresses(2)
	if err != nil {
		return nil, err
	}
	all := map[string]string{"LISTEN": at[0], "ADMIN": at[1], "AUTH_ISSUER": f.Issuer, "AUTH_CLIENT_SECRET": service + "-service", "LOG_LEVEL": "warn"}
	maps.Copy(all, settings)
	environ := map[string]string{}
	for key, value := range all {
		environ[strings.ToUpper(service)+"_"+key] = value
	}
	return f.node(name, at[0], answersOK("http://"+at[1]+"/readyz"), func() *exec.Cmd { return f.programs.Command(program, environ) }), nil
}

// Registries starts so many registries over one store: "etcd://host:port,host:port", or, for one registry alone, "" for the
// etcd within it.
func (f *Fleet) Registries(ctx context.Context, n int, store string) ([]*Node, error) {
	var all []*Node
	for i := range n {
		name := fmt.Sprintf("registry %d", i+1)
		settings := map[string]string{"STORE": store}
		if store == "" {
			folder, err := f.newFolder(name)
			if err != nil {
				return nil, err
			}
			settings["STORE"] = "etcd:" + folder
			_ = folder
		}
		node, err := f.member(name, "registry", "registry", settings)
		if err != nil {
			return nil, err
		}
		if err := node.Start(ctx); err != nil {
			return nil, err
		}
		all = append(all, node)
	}
	return all, nil
}

// Etcd starts an etcd cluster of so many members, and gives its clients' addresses as a registry's store.
func (f *Fleet) Etcd(ctx context.Context, n int) (members []*Node, store string, err error) {
	at, err := ports.Addresses(2 * n)
	if err != nil {
		return nil, "", err
	}
	clients, peers := at[:n], at[n:]
	var cluster []string
	for i := range n {
		cluster = append(cluster, fmt.Sprintf("m%d=http://%s", i+1, peers[i]))
	}
	for i := range n {
		name := fmt.Sprintf("etcd %d", i+1)
		node := f.node(name, clients[i], answersOK("http://"+clients[i]+"/health"), func() *exec.Cmd {
			return f.programs.Command("etcd", nil, fmt.Sprintf("m%d", i+1), "http://"+clients[i], "http://"+peers[i],
				filepath.Join(f.Folder, name), strings.Join(cluster, ","))
		})
		// They wait for each other.
		if err := node.Launch(); err != nil {
			return nil, "", err
		}
		members = append(members, node)
	}
	for _, m := range members {
		if err := m.Await(ctx); err != nil {
			return nil, "", err
		}
	}
	return members, "etcd://" + strings.Join(clients, ","), nil
}

// Gateway starts a gateway that finds the services by these registries.
func (f *Fleet) Gateway(ctx context.Context, registries string) (*Node, error) {
	node, err := f.member("gateway", "gateway", "gateway", map[string]string{"REGISTRY": registries})
	if err != nil {
		return nil, err
	}
	node.ready = process.Accepts(node.Address) // without each of the services it is not all ready
	return node, node.Start(ctx)
}

// Instance adds an instance of the Event service, to be started: the real one ("event") or one that takes its time ("slow").
// Settings are beyond those that it needs.
func (f *Fleet) Instance(i int, program, registries string, settings map[string]string) (*Node, error) {
	name := fmt.Sprintf("event %d", i+1)
	all := map[string]string{"REGISTRY": registries}
	if program == "event" {
		folder, err := f.newFolder(name)
		if err != nil {
			return nil, err
		}
		all["STORE"] = "sqlite:" + filepath.Join(folder, "event.db")
		all["KAFKA_BROKERS"], all["GROUP"] = f.Kafka, f.Group()
	}
	maps.Copy(all, settings)
	node, err := f.member(name, program, "event", all)
	if err != nil {
		return nil, err
	}
	node.ready = process.Accepts(node.Address) // whether it has joined is seen in the registry
	return node, nil
}
