package mesh

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"eventprospect/mesh/conf"
)

// Command is something else that a process's program can do, with the same configuration: `event migrate`.
type Command[C Configuration] struct {
	// Name is the argument that asks for it.
	Name string
	// About says what it does, for the usage.
	About string
	// Run does it.
	Run func(ctx context.Context, cfg C) error
}

// Main is the whole main function of a process: it reads the configuration, runs until a signal, and exits. With an argument it
// carries out a command instead; every program has `health`, which asks the running process whether it is ready.
func Main[C Configuration](name string, defaults C, bind Bind[C], commands ...Command[C]) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := execute(ctx, name, os.Args[1:], defaults, bind, append(commands, Command[C]{
		Name: "health", About: "ask the running process whether it is ready", Run: askHealth[C],
	}))
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func execute[C Configuration](ctx context.Context, name string, args []string, defaults C, bind Bind[C], commands []Command[C]) error {
	prefix := strings.ToUpper(name)
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	path := flags.String("config", "", "YAML `file` with settings; $"+conf.FileVariable(prefix)+" names one, too")
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "Usage: %s [flags] [command]\n", name)
		for _, c := range commands {
			fmt.Fprintf(flags.Output(), "  %s\n    \t%s\n", c.Name, c.About)
		}
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	cfg, err := conf.Load(defaults, prefix, conf.Path(prefix, *path), os.Environ())
	if err != nil {
		return err
	}
	switch flags.NArg() {
	case 0:
		return Run(ctx, name, cfg, bind)
	case 1:
		for _, c := range commands {
			if c.Name == flags.Arg(0) {
				return c.Run(ctx, cfg)
			}
		}
	}
	return fmt.Errorf("unexpected argument %q: see -help", flags.Arg(flags.NArg()-1))
}

// askHealth asks the process that runs with this configuration; it fails unless that is ready. Containers use it: their
// images hold no other program.
func askHealth[C Configuration](ctx context.Context, cfg C) error {
	// Longer than the checks may take, so that the answer tells which does not hold.
	ctx, cancel := context.WithTimeout(ctx, 2*checkTimeout)
	defer cancel()
	scheme := "http"
	if cfg.Common().TLS.Server.Admin {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+cfg.Common().Admin+"/readyz", nil)
	if err != nil {
		return err
	}
	// Its own transport: a proxy of the environment knows nothing of this machine's ports. Who answers isn't verified, as a kubelet
	// doesn't: nothing is told to him but that somebody asks.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // all is read
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	states, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err != nil {
		return err
	}
	return fmt.Errorf("not ready: %s", states)
}
