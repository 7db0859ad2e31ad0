//go:build linux

package kafka

import (
	"context"
	"embed"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"

	"eventprospect/e2e/prepared"
	"eventprospect/e2e/process"
	"eventprospect/mesh/meshtest/ports"
)

var (
	// kafka3 pins the last line of Kafka that runs on ZooKeeper.
	//
	//go:embed kafka-3/pom.xml
	kafka3 embed.FS
	//go:embed zookeeper.properties
	zookeeperCommon string
)

// PrepareOld has Maven fetch the Kafka that runs on ZooKeeper, if it hasn't yet, and gives the class path of it.
func PrepareOld(ctx context.Context) (string, error) { return prepared.Classes(ctx, "kafka-3", kafka3) }

// prepareOld starts a ZooKeeper, and makes a broker that is ruled by it.
func (c *Cluster) prepareOld(ctx context.Context, o Options) error {
	classes, err := PrepareOld(ctx)
	if err != nil {
		return err
	}
	address, err := c.startZooKeeper(ctx, o.Folder, classes)
	if err != nil {
		return err
	}
	if c.brokers, err = newBrokers(o); err != nil {
		return err
	}
	for _, b := range c.brokers {
		all := b.settings(o)
		all["broker.id"] = strconv.Itoa(b.id)
		all["zookeeper.connect"] = address
		all["zookeeper.session.timeout.ms"] = "3000"
		file, err := all.write(o.Folder, b.name, common)
		if err != nil {
			return err
		}
		b.command = func() *exec.Cmd {
			return java(context.WithoutCancel(ctx), o.Folder, classes, brokerHeap, "kafka.Kafka", file)
		}
	}
	return nil
}

// startZooKeeper starts a ZooKeeper and gives its host and port.
func (c *Cluster) startZooKeeper(ctx context.Context, folder, classes string) (string, error) {
	address, err := ports.Address()
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	all := settings{"dataDir": filepath.Join(folder, "zookeeper"), "clientPort": port}
	file, err := all.write(folder, "zookeeper", zookeeperCommon)
	if err != nil {
		return "", err
	}
	c.zookeeper = &node{name: "zookeeper", folder: folder, ready: process.Accepts(address), command: func() *exec.Cmd {
		return java(context.WithoutCancel(ctx), folder, classes, "128m", "org.apache.zookeeper.server.quorum.QuorumPeerMain", file)
	}}
	return address, c.zookeeper.start(ctx)
}
