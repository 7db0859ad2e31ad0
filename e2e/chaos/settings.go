//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"eventprospect/e2e/chaos/internal/delivery"
	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/chaos/internal/scenario"
)

// settings are what the flags say, and the names of what is to be run.
type settings struct {
	names []string

	rate, cycles, n, services int
	lasts                     time.Duration
	serve                     string

	workers, brokers          int
	every                     time.Duration
	faults                    string
	eventStore, prospectStore string
	seed                      uint64
}

// parse reads them. flag.ErrHelp says that the usage was written instead.
func parse(args []string, usage io.Writer) (s settings, err error) {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.Usage = func() { explain(usage, flags) }
	flags.IntVar(&s.rate, "rate", 400, "requests per second")
	flags.DurationVar(&s.lasts, "for", 30*time.Second, "how long the load lasts at least")
	flags.StringVar(&s.serve, "instances", "event", "the `program` that serves: event, the real one, or slow, which takes 20 ms for each request")
	flags.IntVar(&s.cycles, "cycles", 100, "joins and kills per way to find instances (propagation)")
	flags.IntVar(&s.n, "n", 0, "instances (scale), by default 10,000; or prospects (delivery), by default 100,000")
	flags.IntVar(&s.services, "services", 100, "services that they are spread over (scale)")
	flags.IntVar(&s.workers, "workers", 32, "callers, each of which waits for its answer (delivery)")
	flags.DurationVar(&s.every, "every", 5*time.Second, "the time from one fault to the next (delivery)")
	flags.StringVar(&s.faults, "faults", "", "`names` of faults, split by commas, instead of all (delivery): "+strings.Join(delivery.Names(), ", "))
	flags.IntVar(&s.brokers, "brokers", 3, "brokers of Apache Kafka; 0: the embedded Kafka (delivery)")
	flags.StringVar(&s.eventStore, "event-store", "postgres", "the `engine` of the events' database: postgres, mysql or sqlite (delivery)")
	flags.StringVar(&s.prospectStore, "prospect-store", "", "the `URL` of a MongoDB for two Prospect services, instead of one on SQLite (delivery)")
	flags.Uint64Var(&s.seed, "seed", 1, "decides whom each fault strikes (delivery)")
	if err := flags.Parse(args); err != nil {
		return s, flag.ErrHelp // the flag set has told what is wrong
	}
	if s.names = flags.Args(); len(s.names) == 0 {
		flags.Usage()
		return s, flag.ErrHelp
	}
	return s, s.validate()
}

func (s settings) validate() error {
	if s.serve != "event" && s.serve != "slow" {
		return fmt.Errorf("-instances: %q is neither event nor slow", s.serve)
	}
	if s.eventStore != "postgres" && s.eventStore != "mysql" && s.eventStore != "sqlite" {
		return fmt.Errorf("-event-store: %q is none of postgres, mysql, sqlite", s.eventStore)
	}
	if s.rate < 1 || s.cycles < 1 || s.n < 0 || s.workers < 1 || s.services < 1 || s.services > s.count(s.services) {
		return errors.New("-rate, -cycles, -n, -workers and -services must be at least 1, and -services at most -n")
	}
	if s.brokers < 0 || s.every <= 0 {
		return errors.New("-brokers must not be less than 0, and -every more")
	}
	return nil
}

// count gives the number that was asked for, or else this one.
func (s settings) count(otherwise int) int {
	if s.n == 0 {
		return otherwise
	}
	return s.n
}

func (s settings) options(programs fleet.Programs, progress io.Writer) delivery.Options {
	o := delivery.Options{
		Programs: programs, Prospects: s.count(100_000), Workers: s.workers, Every: s.every,
		Brokers: s.brokers, EventStore: s.eventStore, ProspectStore: s.prospectStore, Seed: s.seed, Progress: progress,
	}
	if s.faults != "" {
		o.Faults = strings.Split(s.faults, ",")
	}
	return o
}

// explain writes the usage.
func explain(out io.Writer, flags *flag.FlagSet) {
	fmt.Fprint(out, "Usage: chaos [flags] SCENARIO… | propagation | scale | delivery\n\nScenarios, under load; all is every one:\n")
	for _, s := range scenario.All() {
		fmt.Fprintf(out, "  %-16s  %s\n", s.Name, s.About)
	}
	fmt.Fprint(out, "\nFaults of delivery:\n")
	for _, name := range delivery.Names() {
		fmt.Fprintf(out, "  %-16s  %s\n", name, delivery.About(name))
	}
	fmt.Fprint(out, "\nFlags:\n")
	flags.PrintDefaults()
}
