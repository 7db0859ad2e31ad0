// Command dev runs the whole system on this machine, in one process, with nothing to install.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"eventprospect/dev/internal/certificates"
	"eventprospect/dev/internal/issuer"
	"eventprospect/dev/internal/trial"
	"eventprospect/dev/stack"
	"eventprospect/dev/system"
)

const usage = `Usage: dev [flags]        runs the system until Ctrl-C
       dev [flags] try    runs the main path once, on free ports and temporary data
       dev tls FOLDER     makes certificates for all processes, or renews them: see -tls

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "dev: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("dev", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.Usage = func() { fmt.Fprint(log, usage); flags.PrintDefaults() }
	data := flags.String("data", defaultData(), "`folder` for all state; empty: a temporary one")
	realm := flags.String("realm", "", "Keycloak realm `file`; empty: the one of this repository")
	eventStore := flags.String("event-store", "", "`URL` of the Event service's database: mysql://… or postgres://…; empty: SQLite below the data folder")
	prospectStore := flags.String("prospect-store", "", "`URL` of the Prospect service's database: mongodb://…; empty: SQLite below the data folder")
	issuerURL := flags.String("issuer", "", "`URL` of a realm to take tokens from, such as a Keycloak's http://localhost:8180/realms/EventProspect; empty: the development issuer")
	issuerHost := flags.String("issuer-host", "localhost", "`host` to offer tokens on; one that other machines reach needs -expose-passwords, too")
	expose := flags.Bool("expose-passwords", false, "let other machines use the realm file's passwords, which anybody can read")
	kafka := flags.String("kafka", "", "`BROKERS` of an Apache Kafka to use, host:port split by commas; empty: an embedded one, with data below the data folder")
	secure := flags.String("tls", "", "`folder` of certificates: speak TLS; empty: plaintext")
	free := flags.Bool("free", false, "listen on free ports instead of the known ones")
	verbose := flags.Bool("v", false, "log what happens, not only what goes wrong")
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp
	}
	if err := mustNotContradict(flags, "issuer", "realm", "issuer-host", "expose-passwords"); err != nil {
		return err
	}
	cfg := system.Config{
		Data: *data, Ports: system.DefaultPorts(), Realm: stack.Realm, Log: console{log}, LogLevel: slog.LevelWarn,
		EventStore: *eventStore, ProspectStore: *prospectStore, Issuer: *issuerURL, IssuerHost: *issuerHost, ExposeIssuer: *expose, TLS: *secure,
	}
	if *verbose {
		cfg.Log, cfg.LogLevel = log, slog.LevelInfo
	}
	if *free {
		cfg.Ports = system.Ports{}
	}
	if err := readFlags(&cfg, *realm, *kafka); err != nil {
		return err
	}
	switch {
	case flags.NArg() == 0:
		return serve(ctx, cfg, out)
	case flags.NArg() == 1 && flags.Arg(0) == "try":
		cfg.Data, cfg.Ports, cfg.TLS = "", system.Ports{}, ""
		return trial.Run(ctx, cfg, out)
	case flags.NArg() == 2 && flags.Arg(0) == "tls":
		return certificates.Make(flags.Arg(1))
	}
	flags.Usage()
	return flag.ErrHelp
}

// readFlags sets what has to be read first: a realm file and Kafka's brokers, where they are given.
func readFlags(cfg *system.Config, realm, kafka string) (err error) {
	if realm != "" {
		if cfg.Realm, err = readRealm(realm); err != nil {
			return err
		}
	}
	if kafka != "" {
		cfg.Kafka.Brokers, err = parseBrokers(kafka)
	}
	return err
}

// readRealm reads a realm file that the development issuer understands.
func readRealm(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("realm file: %w", err)
	}
	if _, err := issuer.ParseRealm(text); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

// parseBrokers reads hosts and ports split by commas.
func parseBrokers(text string) ([]string, error) {
	brokers := strings.Split(text, ",")
	for _, broker := range brokers {
		if host, port, err := net.SplitHostPort(broker); err != nil || host == "" || port == "" {
			return nil, fmt.Errorf("-kafka: %q is not host:port", broker)
		}
	}
	return brokers, nil
}

// mustNotContradict refuses flags that mean nothing beside a certain one.
func mustNotContradict(flags *flag.FlagSet, one string, others ...string) (err error) {
	if flags.Lookup(one).Value.String() == "" {
		return nil
	}
	flags.Visit(func(f *flag.Flag) {
		if slices.Contains(others, f.Name) {
			err = fmt.Errorf("-%s: is for the development issuer, which -%s leaves out: give one of them", f.Name, one)
		}
	})
	return err
}

// defaultData is below the user's cache folder; without one, state is temporary.
func defaultData() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "eventprospect")
}

// serve runs the system until the context ends or a part fails.
func serve(ctx context.Context, cfg system.Config, out io.Writer) error {
	begin := time.Now()
	s, err := system.Start(ctx, cfg)
	if err != nil {
		return err
	}
	greet(out, s, time.Since(begin), cfg.TLS)
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "\nStopping.")
	case err = <-s.Failed():
	}
	return errors.Join(err, s.Stop())
}
