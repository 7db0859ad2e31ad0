package bench

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"

	"eventprospect/dev/stack"
	"eventprospect/dev/system"
	"eventprospect/e2e/client"
	"eventprospect/e2e/databases"
)

const (
	// rounds is how often the service and the bare code take turns; the median counts.
	rounds = 7
	// stored is how many entries are there to be read.
	stored = 200
	// rest is what a relay gets to note what it has published, after others have seen that: nothing tells when it has.
	rest = 300 * time.Millisecond
)

// crowds are the numbers of callers at once.
var crowds = []int{1, 16, 64}

// store creates entries and reads them, in one way.
type store struct {
	create func(ctx context.Context) (id string, err error)
	get    func(ctx context.Context, id string) error
	// settle waits until nothing is left to do of what was created.
	settle func(ctx context.Context) error
}

// contest is a service on an engine, and bare code on a database with the same schema.
type contest struct {
	name    string
	address func(testing.TB) string
	serve   func(b *testing.B, address string) store
	bare    func(b *testing.B, address string) store
}

var contests = []contest{
	{"event-sqlite", sqliteFile, serveEvents, bareEventsSQLite},
	{"event-mariadb", databases.MariaDB, serveEvents, bareEventsMariaDB},
	{"event-postgres", databases.PostgreSQL, serveEvents, bareEventsPostgreSQL},
	{"prospect-sqlite", sqliteFile, serveProspects, bareProspectsSQLite},
	{"prospect-mongodb", databases.MongoDB, serveProspects, bareProspectsMongoDB},
}

// BenchmarkStores compares engines, and each service with bare code of its engine's driver.
func BenchmarkStores(b *testing.B) {
	for _, c := range contests {
		b.Run(c.name, func(b *testing.B) {
			service, bare := c.serve(b, c.address(b)), c.bare(b, c.address(b))
			for _, callers := range crowds {
				b.Run(fmt.Sprintf("create/%d", callers), func(b *testing.B) {
					compare(b, callers, service, creating(service), creating(bare))
				})
			}
			forService, forBare := reading(b, service), reading(b, bare)
			for _, callers := range crowds {
				b.Run(fmt.Sprintf("get/%d", callers), func(b *testing.B) { compare(b, callers, service, forService, forBare) })
			}
		})
	}
}

func creating(s store) func(context.Context) error {
	return func(ctx context.Context) error { _, err := s.create(ctx); return err }
}

// reading creates some entries, and reads one after the other.
func reading(b *testing.B, s store) func(context.Context) error {
	b.Helper()
	ids := make([]string, stored)
	for i := range ids {
		var err error
		if ids[i], err = s.create(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	var next atomic.Int64
	return func(ctx context.Context) error { return s.get(ctx, ids[int(next.Add(1))%len(ids)]) }
}

// compare lets the service and the bare code take turns, so that both have the same of what else the machine does.
func compare(b *testing.B, callers int, s store, service, bare func(context.Context) error) {
	b.Helper()
	calls := max(1, b.N/rounds)
	var serviceRates, bareRates, ratios []float64
	for round := range rounds + 1 {
		serviceTook := run(b, callers, calls, service)
		if err := s.settle(b.Context()); err != nil {
			b.Fatal(err)
		}
		bareTook := run(b, callers, calls, bare)
		if round == 0 {
			continue // connections were made
		}
		serviceRates = append(serviceRates, float64(calls)/serviceTook.Seconds())
		bareRates = append(bareRates, float64(calls)/bareTook.Seconds())
		ratios = append(ratios, serviceTook.Seconds()/bareTook.Seconds())
	}
	b.ReportMetric(median(serviceRates), "ops/s")
	b.ReportMetric(median(bareRates), "bare-ops/s")
	b.ReportMetric(median(ratios), "x-bare")
	b.ReportMetric(0, "ns/op") // it would hold both, and the waiting between them
}

// run has callers do a number of calls, and tells how long all took.
func run(b *testing.B, callers, calls int, call func(context.Context) error) time.Duration {
	b.Helper()
	group, ctx := errgroup.WithContext(b.Context())
	var begun atomic.Int64
	begin := time.Now()
	for range callers {
		group.Go(func() error {
			for begun.Add(1) <= int64(calls) {
				if err := call(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func sqliteFile(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "bench.db") }

// serveEvents calls the Event service of a system.
func serveEvents(b *testing.B, address string) store {
	w := newWorldOn(b, address, "")
	return store{
		create: func(ctx context.Context) (id string, err error) {
			err = w.asEditor(ctx, func(ctx context.Context) error {
				e, err := w.events.CreateEvent(ctx, &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: eventName, DateEvent: eventDate}})
				id = e.GetId()
				return err
			})
			return id, err
		},
		get: func(ctx context.Context, id string) error {
			return w.asEditor(ctx, func(ctx context.Context) error {
				_, err := w.events.GetEvent(ctx, &eventv1.GetEventRequest{Id: id})
				return err
			})
		},
		settle: func(context.Context) error { return nil },
	}
}

// serveProspects calls the Prospect service of a system. Its prospects are announced, and become events, while more are
// created: that is part of what it does.
func serveProspects(b *testing.B, address string) store {
	w := newWorldOn(b, "", address)
	var created, settled atomic.Int32
	return store{
		create: func(ctx context.Context) (id string, err error) {
			err = w.asEditor(ctx, func(ctx context.Context) error {
				p, err := w.prospects.CreateProspect(ctx, &prospectv1.CreateProspectRequest{
					Prospect: &prospectv1.Prospect{FirstName: firstName, LastName: lastName, FiledWork: filedWork},
				})
				id = p.GetId()
				return err
			})
			created.Add(1)
			return id, err
		},
		get: func(ctx context.Context, id string) error {
			return w.asEditor(ctx, func(ctx context.Context) error {
				_, err := w.prospects.GetProspect(ctx, &prospectv1.GetProspectRequest{Id: id})
				return err
			})
		},
		settle: func(ctx context.Context) error {
			if now := created.Load(); settled.Swap(now) != now {
				return w.settle(ctx, now)
			}
			return nil
		},
	}
}

// asEditor makes a call in the name of an editor, whose token is renewed in time.
func (w *world) asEditor(ctx context.Context, call func(context.Context) error) error {
	ctx, err := w.As(ctx, client.Editor)
	if err != nil {
		return err
	}
	return call(ctx)
}

// settle waits until so many prospects have become events.
func (w *world) settle(ctx context.Context, created int32) error {
	ctx, cancel := context.WithTimeout(ctx, client.Patience)
	defer cancel()
	for {
		var events int32
		err := w.asEditor(ctx, func(ctx context.Context) error {
			page, err := w.events.PageEvents(ctx, &eventv1.PageEventsRequest{PageSize: 1})
			events = page.GetTotalElements()
			return err
		})
		if err != nil {
			return err
		}
		if events >= created {
			time.Sleep(rest)
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// migrate makes a service's schema in a database, for bare code to use.
func migrate(b *testing.B, eventStore, prospectStore string) {
	b.Helper()
	s, err := system.Start(b.Context(), system.Config{
		Realm: stack.Realm, Log: io.Discard, EventStore: eventStore, ProspectStore: prospectStore,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		b.Fatal(err)
	}
}
