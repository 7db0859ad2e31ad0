//go:build linux

// Package scenario lets parts of a mesh of real processes die, hang and come back under load, and counts what that
// costs those who call: no request may fail.
package scenario

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Scenario is one way to make trouble.
type Scenario struct {
	// Name is what it is asked for by, About what happens.
	Name, About string
	// round makes the trouble once and returns when all is well again. Rounds are counted from 0.
	round func(ctx context.Context, w *world, n int) error

	cluster  bool              // an etcd of three members and two registries over it, instead of one registry with the etcd within
	gateway  bool              // the load comes through a gateway, as JSON
	settings map[string]string // of the instances, beyond the usual ones
}

// All are the scenarios, in the order in which they are shown.
func All() []Scenario {
	return []Scenario{
		{Name: "rolling", About: "each instance in turn is told to stop (SIGTERM) and started again", round: restart},
		{
			Name: "exit", About: "the same with instances that take no time to stop: they leave without grace", round: restart,
			settings: map[string]string{"DRAIN": "0s", "STOP": "0s"},
		},
		{Name: "kill", About: "each instance in turn is killed (SIGKILL) and started again", round: kill},
		{Name: "hang", About: "each instance in turn hangs for 7 s (SIGSTOP, SIGCONT)", round: hang},
		{Name: "registry", About: "the registry is killed and started again after 2 s", round: killRegistry},
		{Name: "registry-kill", About: "the same, and an instance is killed meanwhile", round: killRegistryAndInstance},
		{Name: "registry-restart", About: "the registry is told to stop and started again", round: restartRegistry},
		{Name: "etcd", About: "of three etcd members under two registries, each in turn is killed for 3 s", round: killEtcd, cluster: true},
		{Name: "registries", About: "of two registries, each in turn is killed for 3 s, or told to stop and started again", round: loseRegistry, cluster: true},
		{Name: "gateway", About: "as kill, with the load through a gateway, as JSON", round: kill, gateway: true},
	}
}

// Find gives the scenarios with these names; "all" stands for every one.
func Find(names []string) ([]Scenario, error) {
	byName := map[string]Scenario{}
	var known []string
	for _, s := range All() {
		byName[s.Name] = s
		known = append(known, s.Name)
	}
	var found []Scenario
	for _, name := range names {
		s, ok := byName[name]
		switch {
		case name == "all":
			found = append(found, All()...)
		case ok:
			found = append(found, s)
		default:
			return nil, fmt.Errorf("there is no scenario %q: it is one of all, %s", name, strings.Join(known, ", "))
		}
	}
	return found, nil
}

const (
	// calm is the time between the end of one trouble and the next.
	calm = time.Second
	// hangs is how long an instance hangs: longer than any call may take.
	hangs = 7 * time.Second
	// registryAway and memberAway are how long a registry and an etcd member stay dead.
	registryAway, memberAway = 2 * time.Second, 3 * time.Second
)

func restart(ctx context.Context, w *world, n int) error {
	instance := w.instance(n)
	w.observer.excuse(instance.Address)
	if err := instance.Stop(); err != nil {
		return err
	}
	return w.bringBack(ctx, instance)
}

func kill(ctx context.Context, w *world, n int) error {
	instance := w.instance(n)
	w.observer.excuse(instance.Address)
	instance.Kill()
	return w.bringBack(ctx, instance)
}

// hang excuses the instance: with the time since its last heartbeat it may be silent for longer than its term.
func hang(ctx context.Context, w *world, n int) error {
	instance := w.instance(n)
	w.observer.excuse(instance.Address)
	if err := instance.Halt(); err != nil {
		return err
	}
	pause(ctx, hangs)
	if err := instance.Resume(); err != nil {
		return err
	}
	pause(ctx, calm) // now it has been heard from, or has joined again
	return w.observer.await(ctx, instance.Address)
}

func killRegistry(ctx context.Context, w *world, _ int) error {
	w.registries[0].Kill()
	pause(ctx, registryAway)
	return w.awaitAll(ctx, w.registries[0].Start(ctx))
}

func restartRegistry(ctx context.Context, w *world, _ int) error {
	if err := w.registries[0].Stop(); err != nil {
		return err
	}
	return w.awaitAll(ctx, w.registries[0].Start(ctx))
}

func killRegistryAndInstance(ctx context.Context, w *world, n int) error {
	instance := w.instance(n)
	w.observer.excuse(instance.Address)
	w.registries[0].Kill()
	pause(ctx, registryAway/4)
	instance.Kill()
	pause(ctx, registryAway*3/4)
	if err := w.registries[0].Launch(); err != nil {
		return err
	}
	if err := w.bringBack(ctx, instance); err != nil {
		return err
	}
	return w.awaitAll(ctx, w.registries[0].Await(ctx))
}

func killEtcd(ctx context.Context, w *world, n int) error {
	member := w.etcd[n%len(w.etcd)]
	member.Kill()
	pause(ctx, memberAway)
	return w.awaitAll(ctx, member.Start(ctx))
}

// loseRegistry kills a registry in one round and restarts it gracefully in the next, then takes the other.
func loseRegistry(ctx context.Context, w *world, n int) error {
	registry := w.registries[n/2%len(w.registries)]
	if n%2 == 0 {
		registry.Kill()
		pause(ctx, memberAway)
	} else if err := registry.Stop(); err != nil {
		return err
	}
	return w.awaitAll(ctx, registry.Start(ctx))
}

// pause waits, and not longer than the context.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
