//go:build linux

// Package propagation measures how long it takes until a client of gRPC goes by what has happened to an instance: its picker
// has it, or has it no more. Clients find the instances by the mesh's own resolver, by xDS and by etcd's own resolver, in turn.
package propagation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/chaos/internal/load"
)

const (
	// settle is the time between a join and the kill, and between the kill and the next join.
	settle = 20 * time.Millisecond
	// patience bounds every wait. etcd's resolver learns of a kill when the lease is over.
	patience = time.Minute
)

// Needed are the names of the programs that Run must have.
func Needed() []string { return []string{"dev", "registry", "etcd", "backend"} }

// Run measures so many joins and kills for each way, and prints a table.
func Run(ctx context.Context, programs fleet.Programs, cycles int, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "eventprospect-chaos-")
	if err != nil {
		return err
	}
	f := fleet.New(programs, folder)
	defer func() {
		f.End()
		err = errors.Join(err, os.RemoveAll(folder))
	}()
	r := record()
	ways, err := connect(ctx, f)
	if err == nil {
		m := &measurement{fleet: f, programs: programs, recorder: r, took: map[column][]time.Duration{}}
		defer m.end()
		if err = m.run(ctx, ways, cycles); err == nil {
			m.print(out, ways, cycles)
		}
	}
	for _, w := range ways {
		err = errors.Join(err, w.close())
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, f.LastWords())
	}
	return nil
}

// connect starts a registry with the etcd within, an etcd beside it, and a client for each way.
func connect(ctx context.Context, f *fleet.Fleet) ([]*way, error) {
	if err := f.Base(ctx); err != nil {
		return nil, err
	}
	registries, err := f.Registries(ctx, 1, "")
	if err != nil {
		return nil, err
	}
	_, store, err := f.Etcd(ctx, 1)
	if err != nil {
		return nil, err
	}
	var ways []*way
	for _, open := range []func() (*way, error){
		func() (*way, error) { return native(f, registries[0].Address) },
		func() (*way, error) { return byXDS(ctx, f, registries[0].Address) },
		func() (*way, error) { return byEtcd(store) },
	} {
		w, err := open()
		if err != nil {
			return ways, err
		}
		w.conn.Connect()
		ways = append(ways, w)
	}
	return ways, nil
}

// column is a kind of measured times: of a way, until a moment.
type column struct {
	way    string
	moment moment
}

// measurement is a run under way.
type measurement struct {
	fleet    *fleet.Fleet
	programs fleet.Programs
	recorder *recorder

	waiting  sync.WaitGroup
	mu       sync.Mutex
	took     map[column][]time.Duration
	failed   error
	backends []*backend
}

// run makes the cycles, way by way in turn. Each way has an instance that stays.
func (m *measurement) run(ctx context.Context, ways []*way, cycles int) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() {
		if err != nil {
			cancel()
		}
		m.waiting.Wait()
		err = errors.Join(err, m.failed)
	}()
	for _, w := range ways {
		if _, err := m.join(ctx, w, false); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	for range cycles {
		for _, w := range ways {
			b, err := m.join(ctx, w, true)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			m.kill(ctx, w, b)
		}
	}
	return nil
}

// join starts a backend, makes it known, and waits until the picker has it.
func (m *measurement) join(ctx context.Context, w *way, counts bool) (*backend, error) {
	b, err := startBackend(m.fleet, m.programs)
	if err != nil {
		return nil, err
	}
	m.backends = append(m.backends, b)
	begin, err := b.register(w.register)
	if err != nil {
		return nil, err
	}
	if counts {
		err = m.until(ctx, w, b.address, begin, told, picked)
	} else {
		_, err = m.recorder.await(ctx, b.address, picked)
	}
	time.Sleep(settle)
	return b, err
}

// kill kills a backend. It doesn't wait for etcd, which takes its time: all else goes on meanwhile.
func (m *measurement) kill(ctx context.Context, w *way, b *backend) {
	begin := time.Now()
	b.Kill()
	m.waiting.Go(func() {
		if err := m.until(ctx, w, b.address, begin, dropped, removed); err != nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.failed = errors.Join(m.failed, fmt.Errorf("%s: %w", w.name, err))
		}
	})
	if w.name != "etcd" {
		m.waitFor(ctx, b)
	}
	time.Sleep(settle)
}

// waitFor waits until nothing is left of a backend in its client.
func (m *measurement) waitFor(ctx context.Context, b *backend) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, _ = m.recorder.await(ctx, b.address, removed) // until tells of an error
}

// until notes how long it took until each of these moments.
func (m *measurement) until(ctx context.Context, w *way, address string, begin time.Time, moments ...moment) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, moment := range moments {
		at, err := m.recorder.await(ctx, address, moment)
		if err != nil {
			return err
		}
		m.mu.Lock()
		m.took[column{w.name, moment}] = append(m.took[column{w.name, moment}], at.Sub(begin))
		m.mu.Unlock()
	}
	return nil
}

// end ends all backends.
func (m *measurement) end() {
	for _, b := range m.backends {
		b.Kill()
	}
}

func (m *measurement) print(out io.Writer, ways []*way, cycles int) {
	fmt.Fprintf(out, "p50 / p99 of %d joins and %d kills for each way, in turn\n", cycles, cycles)
	fmt.Fprintf(out, "%-8s %22s %22s %22s %22s\n", "", "join: told", "join: in the picker", "kill -9: told", "kill -9: not picked")
	for _, w := range ways {
		fmt.Fprintf(out, "%-8s", w.name)
		for _, moment := range []moment{told, picked, removed, dropped} {
			took := m.took[column{w.name, moment}]
			fmt.Fprintf(out, " %10.1f / %6.1f ms", milliseconds(load.Percentile(took, 50)), milliseconds(load.Percentile(took, 99)))
		}
		fmt.Fprintln(out)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
