//go:build linux

package delivery

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"eventprospect/e2e/chaos/internal/fleet"
)

const (
	// away is how long what was killed or stopped stays away, cutFor how long a line is cut.
	away, cutFor = time.Second, 3 * time.Second
	// syncPatience bounds how long a broker that is back may take to have what the others have.
	syncPatience = 2 * time.Minute
	// tries is how often a process is started that ends by itself.
	tries = 5
)

// fault is one way in which the system suffers.
type fault struct {
	// name is what it is asked for by, about what happens.
	name, about string
	// strike makes the trouble and returns when what was broken runs again; whether it has recovered isn't waited for. It decides
	// by chance where there is a choice.
	strike func(ctx context.Context, w *world, chance *rand.Rand) error
	// cluster and server say that it needs brokers of Apache Kafka, and a database server.
	cluster, server bool
}

// all are the faults, in the order in which they strike: some while what an earlier one did is not over.
func all() []fault {
	return []fault{
		{name: "broker", about: "a broker is killed", strike: killBroker, cluster: true},
		{name: "prospect", about: "a Prospect service is killed, and its SQLite with it", strike: killProspect},
		{name: "network", about: "a broker, or each, is cut off from the services for 3 s", strike: cutNetwork, cluster: true},
		{name: "event", about: "one of two Event services is killed", strike: killEvent},
		{name: "database", about: "the events' database is stopped or killed", strike: loseDatabase, server: true},
		{name: "rebalance", about: "an Event service joins the group or leaves it", strike: rebalance, server: true},
	}
}

// Names are the names of the faults.
func Names() []string {
	var names []string
	for _, f := range all() {
		names = append(names, f.name)
	}
	return names
}

// About tells what a fault does.
func About(name string) string {
	for _, f := range all() {
		if f.name == name {
			return f.about
		}
	}
	return ""
}

// choose gives the faults that were asked for, or, if none were, all that are possible.
func choose(o Options) ([]fault, error) {
	var chosen []fault
	for _, f := range all() {
		possible := (!f.cluster || o.Brokers > 1) && (!f.server || o.EventStore != "sqlite")
		asked := slices.Contains(o.Faults, f.name)
		if asked && !possible {
			return nil, fmt.Errorf("the fault %s takes more than one broker, or a database server", f.name)
		}
		if asked || len(o.Faults) == 0 && possible {
			chosen = append(chosen, f)
		}
	}
	for _, name := range o.Faults {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("there is no fault %q: it is one of %s", name, strings.Join(Names(), ", "))
		}
	}
	return chosen, nil
}

func killProspect(ctx context.Context, w *world, chance *rand.Rand) error {
	return killOne(ctx, w.prospects, chance)
}

func killEvent(ctx context.Context, w *world, chance *rand.Rand) error {
	return killOne(ctx, w.residents, chance)
}

func killOne(ctx context.Context, nodes []*fleet.Node, chance *rand.Rand) error {
	node := nodes[chance.IntN(len(nodes))]
	node.Kill()
	pause(ctx, away)
	return restart(ctx, node)
}

func killBroker(ctx context.Context, w *world, chance *rand.Rand) error {
	i := chance.IntN(len(w.brokers))
	w.kafka.Kill(i)
	pause(ctx, away)
	if err := w.kafka.Restart(ctx, i); err != nil {
		return err
	}
	// Of three, one may be away: the next one dies when this one has all records.
	ctx, cancel := context.WithTimeout(ctx, syncPatience)
	defer cancel()
	return w.kafka.AwaitInSync(ctx)
}

// loseDatabase stops the server in one of its ways, or kills it.
func loseDatabase(ctx context.Context, w *world, chance *rand.Rand) error {
	if way := chance.IntN(len(w.server.Stops) + 1); way < len(w.server.Stops) {
		w.database.End(w.server.Stops[way])
	} else {
		w.database.Kill()
	}
	pause(ctx, away)
	return restart(ctx, w.database)
}

// rebalance lets a guest come, or one that is there go: mostly as it should, sometimes at once.
func rebalance(ctx context.Context, w *world, chance *rand.Rand) error {
	guest := w.guests[chance.IntN(len(w.guests))]
	switch {
	case !guest.Runs():
		return restart(ctx, guest)
	case chance.IntN(3) == 0:
		guest.Kill()
	default:
		if err := guest.Stop(); err != nil {
			w.ungraceful = append(w.ungraceful, err)
		}
	}
	return nil
}

// cutNetwork cuts the line to one broker, or all, and mends it, or breaks the connections as well.
func cutNetwork(ctx context.Context, w *world, chance *rand.Rand) error {
	lines := w.lines
	if chance.IntN(2) == 0 {
		i := chance.IntN(len(lines))
		lines = lines[i : i+1]
	}
	for _, line := range lines {
		line.Cut()
	}
	pause(ctx, cutFor)
	reset := chance.IntN(2) == 0
	for _, line := range lines {
		if reset {
			line.Reset()
		}
		line.Mend()
	}
	return nil
}

// pause waits, and tells whether the context has lasted.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
