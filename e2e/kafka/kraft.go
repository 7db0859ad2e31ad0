//go:build linux

package kafka

import (
	"context"
	"embed"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"eventprospect/e2e/prepared"
	"eventprospect/e2e/process"
)

// clusterID is any UUID in Kafka's spelling; each cluster is new.
const clusterID = "MkU3OEVBNTcwNTJENDM2Qg"

// kafka4 pins the line of Kafka that has no ZooKeeper.
//
//go:embed kafka-4/pom.xml
var kafka4 embed.FS

// prepare makes brokers that are the cluster's controllers as well.
func (c *Cluster) prepare(ctx context.Context, o Options) error {
	classes, err := prepared.Classes(ctx, "kafka-4", kafka4)
	if err != nil {
		return err
	}
	if c.brokers, err = newBrokers(o); err != nil {
		return err
	}
	var voters []string
	for _, b := range c.brokers {
		voters = append(voters, fmt.Sprintf("%d@%s", b.id, b.controller))
	}
	for _, b := range c.brokers {
		all := b.settings(o)
		b.rule(all, voters)
		file, err := all.write(o.Folder, b.name, common)
		if err != nil {
			return err
		}
		format := java(ctx, o.Folder, classes, "128m", "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", file)
		if err := process.Complete(format); err != nil {
			return err
		}
		b.command = func() *exec.Cmd {
			return java(context.WithoutCancel(ctx), o.Folder, classes, brokerHeap, "kafka.Kafka", file)
		}
	}
	return nil
}

// rule adds what makes the broker one of the controllers, which know within seconds who of them is dead.
func (b *broker) rule(all settings, voters []string) {
	all["process.roles"] = "broker,controller"
	all["node.id"] = strconv.Itoa(b.id)
	all["controller.quorum.voters"] = strings.Join(voters, ",")
	all["controller.listener.names"] = "CONTROLLER"
	all["listener.security.protocol.map"] = "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,THROUGH:PLAINTEXT"
	all["listeners"] += ",CONTROLLER://" + b.controller
	all["broker.heartbeat.interval.ms"] = "500"
	all["broker.session.timeout.ms"] = "3000"
}
