//go:build linux

// Command servers runs the real servers that the tests need, on free ports of loopback, without Docker: MariaDB and PostgreSQL
// from the system's packages; from Maven Central Keycloak, with the realm of this repository, and Apache Kafka, one broker that
// lets everybody in and one that asks who comes; and for MongoDB, whose server is in no package registry, the stand-in
// mongo-java-server. It also makes foreign programs ready that the tests run against the system, and tells where they are:
// eureka-js-client and kafkajs from npm, a Spring Boot application, Envoy, Chromium, kcat, and Kafka 3.9 with its ZooKeeper.
// What takes long to make is made once and kept in the user's cache.
//
//	servers [-only NAMES] run COMMAND…   starts them, runs the command with their addresses in its environment, and stops them
//	servers [-only NAMES] up             starts them, prints their addresses, and runs until Ctrl-C or `servers down`
//	servers down                         stops what `servers up` runs
//
// Zipkin, from Maven Central, is started when it is named: -only zipkin.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("servers", flag.ExitOnError)
	only := flags.String("only", "", "`names` of servers, split by commas; without it, all but zipkin")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var names []string
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	switch command := flags.Arg(0); {
	case command == "up" && flags.NArg() == 1:
		return up(ctx, chosen)
	case command == "down" && flags.NArg() == 1:
		return down()
	case command == "run" && flags.NArg() > 1:
		return with(ctx, chosen, flags.Args()[1:])
	}
	return errors.New("usage: servers [-only NAMES] run COMMAND… | servers [-only NAMES] up | servers down")
}

// with runs a command while the servers run. The command gets SIGTERM when this process is told to stop.
func with(ctx context.Context, chosen []server, command []string) error {
	s, err := start(ctx, chosen)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), s.environment()...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return errors.Join(cmd.Run(), s.stop())
}

// up runs the servers until the context ends. The file that `down` reads tells who they belong to.
func up(ctx context.Context, chosen []server) error {
	s, err := start(ctx, chosen)
	if err != nil {
		return err
	}
	for _, pair := range s.environment() {
		fmt.Println("export", pair)
	}
	if err := writePID(); err != nil {
		return errors.Join(err, s.stop())
	}
	<-ctx.Done()
	return errors.Join(s.stop(), os.Remove(pidFile()))
}
