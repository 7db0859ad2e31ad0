package etcd

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/storetest"
)

func benchmarked(b *testing.B) *Store {
	b.Helper()
	s, err := Embedded(b.Context(), b.TempDir(), quiet())
	if err != nil {
		b.Fatal(err)
	}
	closeLater(b, s)
	return s
}

// BenchmarkStart opens an etcd with 10,000 records.
func BenchmarkStart(b *testing.B) {
	folder := b.TempDir()
	for n := 0; b.Loop(); n++ {
		s, err := Embedded(b.Context(), folder, quiet())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if n == 0 {
			register(b, s, 10_000, 128)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkCommit registers one instance after the other, or 128 at once.
func BenchmarkCommit(b *testing.B) {
	for _, callers := range []int{1, 128} {
		b.Run(fmt.Sprint("callers-", callers), func(b *testing.B) {
			s := benchmarked(b)
			b.ResetTimer()
			took := register(b, s, b.N, callers)
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkRegister registers 10,000 instances by 128 callers, with a follower.
func BenchmarkRegister(b *testing.B) {
	s := benchmarked(b)
	ctx, cancel := context.WithCancel(b.Context())
	following := make(chan error)
	go func() { following <- s.Follow(ctx, deaf{}) }()
	for b.Loop() {
		register(b, s, 10_000, 128)
	}
	cancel()
	if err := <-following; err != nil {
		b.Fatal(err)
	}
}

// deaf is a follower that takes no time.
type deaf struct{}

func (deaf) Load(registry.State)  {}
func (deaf) Apply(registry.Batch) {}

var runs atomic.Int64

// register registers instances that all are new, and tells how long each took.
func register(b *testing.B, s *Store, instances, callers int) []time.Duration {
	run := runs.Add(1)
	took := make([]time.Duration, instances)
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for n := next.Add(1) - 1; n < int64(instances); n = next.Add(1) - 1 {
				began := time.Now()
				record := storetest.Sample(fmt.Sprint(run, "-", n))
				if err := s.Commit(b.Context(), registry.Change{Key: record.Instance.Key, Record: &record}); err != nil {
					b.Error(err)
				}
				took[n] = time.Since(began)
			}
		})
	}
	all.Wait()
	return took
}
