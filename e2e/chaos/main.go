//go:build linux

// Command chaos makes trouble in a mesh of real processes on this machine, and measures it (docs/chaos.md).
//
//	chaos [flags] SCENARIO… | all   makes trouble under load and counts the requests that fail: none may
//	chaos [flags] propagation       measures how soon a join and a kill -9 reach a client's picker
//	chaos [flags] scale             measures 10,000 instances
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/chaos/internal/propagation"
	"eventprospect/e2e/chaos/internal/scale"
	"eventprospect/e2e/chaos/internal/scenario"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// settings are what the flags say.
type settings struct {
	rate, cycles, instances, services int
	lasts                             time.Duration
	serve                             string
}

func run(ctx context.Context, args []string, out, usage io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.Usage = func() { explain(usage, flags) }
	flags.IntVar(&s.rate, "rate", 400, "requests per second")
	flags.DurationVar(&s.lasts, "for", 30*time.Second, "how long the load lasts at least")
	flags.StringVar(&s.serve, "instances", "event", "the `program` that serves: event, the real one, or slow, which takes 20 ms for each request")
	flags.IntVar(&s.cycles, "cycles", 100, "joins and kills per way to find instances (propagation)")
	flags.IntVar(&s.instances, "n", 10_000, "instances (scale)")
	flags.IntVar(&s.services, "services", 100, "services that they are spread over (scale)")
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		if err == nil {
			flags.Usage()
		}
		return flag.ErrHelp
	}
	if s.serve != "event" && s.serve != "slow" {
		return fmt.Errorf("-instances: %q is neither event nor slow", s.serve)
	}
	if s.rate < 1 || s.cycles < 1 || s.instances < 1 || s.services < 1 || s.services > s.instances {
		return errors.New("-rate, -cycles, -n and -services must be at least 1, and -services at most -n")
	}
	switch flags.Arg(0) {
	case "propagation":
		return built(ctx, propagation.Needed(), func(programs fleet.Programs) error {
			return propagation.Run(ctx, programs, s.cycles, out)
		})
	case "scale":
		return built(ctx, scale.Needed(), func(programs fleet.Programs) error {
			return scale.Run(ctx, programs, scale.Size{Instances: s.instances, Services: s.services}, out)
		})
	}
	chosen, err := scenario.Find(flags.Args())
	if err != nil {
		return err
	}
	return built(ctx, scenario.Needed(chosen, s.serve), func(programs fleet.Programs) error {
		return scenarios(ctx, chosen, scenario.Options{Programs: programs, Instance: s.serve, Rate: s.rate, For: s.lasts}, out)
	})
}

// built does something with programs that it builds, and removes them then.
func built(ctx context.Context, names []string, do func(fleet.Programs) error) error {
	folder, err := os.MkdirTemp("", "eventprospect-programs-")
	if err != nil {
		return err
	}
	programs, err := fleet.Build(ctx, folder, names...)
	if err == nil {
		err = do(programs)
	}
	return errors.Join(err, os.RemoveAll(folder))
}

// explain writes the usage.
func explain(out io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(out, "Usage: chaos [flags] SCENARIO… | propagation | scale\n\nScenarios, under load; all is every one:\n")
	for _, s := range scenario.All() {
		fmt.Fprintf(out, "  %-16s  %s\n", s.Name, s.About)
	}
	fmt.Fprint(out, "\nFlags:\n")
	flags.PrintDefaults()
}
