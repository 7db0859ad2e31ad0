//go:build linux

// Command chaos makes trouble in a mesh of real processes on this machine, and measures it (docs/chaos.md).
//
//	chaos [flags] SCENARIO… | all   makes trouble under load and counts the requests that fail: none may
//	chaos [flags] propagation       measures how soon a join and a kill -9 reach a client's picker
//	chaos [flags] scale             measures 10,000 instances
//	chaos [flags] delivery          creates 100,000 prospects while everything dies: none may be lost, none doubled
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

	"eventprospect/e2e/chaos/internal/delivery"
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

func run(ctx context.Context, args []string, out, usage io.Writer) error {
	s, err := parse(args, usage)
	if err != nil {
		return err
	}
	switch s.names[0] {
	case "propagation":
		return built(ctx, propagation.Needed(), func(programs fleet.Programs) error {
			return propagation.Run(ctx, programs, s.cycles, out)
		})
	case "scale":
		return built(ctx, scale.Needed(), func(programs fleet.Programs) error {
			return scale.Run(ctx, programs, scale.Size{Instances: s.count(10_000), Services: s.services}, out)
		})
	case "delivery":
		return built(ctx, delivery.Needed(), func(programs fleet.Programs) error {
			return deliver(ctx, s.options(programs, out), out)
		})
	}
	chosen, err := scenario.Find(s.names)
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
