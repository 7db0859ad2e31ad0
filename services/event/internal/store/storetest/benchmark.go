package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"eventprospect/services/event/internal/event"
)

// Benchmark measures Create, and Apply of messages that all are new. Each turn also runs the bare insert of one row, by
// nothing but the driver: x_bare is how many times as long ours takes.
func Benchmark(b *testing.B, s Store, bare func(ctx context.Context, e event.Event) error) {
	for name, ours := range map[string]func(ctx context.Context, e event.Event) error{
		"create": s.Create,
		"apply": func(ctx context.Context, e event.Event) error {
			_, err := s.Apply(ctx, tells(e.ID, e))
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			var took, bareTook time.Duration
			run := fmt.Sprint(name, time.Now().UnixNano())
			for n := 0; b.Loop(); n++ {
				began := time.Now()
				if err := ours(b.Context(), sample(fmt.Sprint(run, "-", n), n)); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				if err := bare(b.Context(), sample(fmt.Sprint(run, "-bare-", n), n)); err != nil {
					b.Fatal(err)
				}
				took, bareTook = took+between.Sub(began), bareTook+time.Since(between)
			}
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/"+name)
			b.ReportMetric(float64(bareTook.Nanoseconds())/float64(b.N), "ns/bare")
			b.ReportMetric(float64(took)/float64(bareTook), "x_bare")
			b.ReportMetric(0, "ns/op") // both together: it tells nothing
		})
	}
}

// BenchmarkBatches measures Apply with batches as the consumer has them, by as many callers as there are lanes; all messages are new.
// msgs/s is what counts: every batch is durable when it is counted.
func BenchmarkBatches(b *testing.B, s Store) {
	const size, lanes = 500, 4
	run := fmt.Sprint("batch", time.Now().UnixNano())
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range lanes {
		all.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				told := make([]event.Told, size)
				for i := range told {
					e := sample(uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s-%d-%d", run, n, i)).String(), i)
					e.ProspectID = e.ID
					told[i] = tells(e.ID, e)
				}
				if added, err := s.Apply(b.Context(), told...); err != nil || added != size {
					b.Errorf("added %d, error %v", added, err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "msgs/s")
}

// BenchmarkForget measures Forget with as many messages at once as the service has it, of ten times as many.
func BenchmarkForget(b *testing.B, s Store) {
	const size, parts = 1000, 10
	began := time.Now().UTC().Truncate(time.Microsecond)
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		for part := 0; n%parts == 0 && part < parts; part++ {
			told := make([]event.Told, size)
			for i := range told {
				e := sample(uuid.NewString(), 0)
				e.Created = began.Add(time.Duration(part) * time.Microsecond)
				told[i] = tells(e.ID, e)
			}
			if _, err := s.Apply(b.Context(), told...); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if forgotten, err := s.Forget(b.Context(), began.Add(time.Second), size); err != nil || forgotten != size {
			b.Fatal(forgotten, err)
		}
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "msgs/s")
}
