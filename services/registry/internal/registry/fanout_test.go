package registry_test

import (
	"context"
	"fmt"
	"testing"

	"eventprospect/services/registry/internal/registry"
)

// BenchmarkWatchFanout is one change until the last of 50 watchers has it.
func BenchmarkWatchFanout(b *testing.B) {
	for _, size := range []int{3, 1000} {
		b.Run(fmt.Sprintf("instances=%d", size), func(b *testing.B) { benchmarkFanout(b, size) })
	}
}

func benchmarkFanout(b *testing.B, size int) {
	const watchers = 50
	s := settings()
	s.MaxInstances = size
	r := start(b, s)
	var first *registry.Session
	for i := range size {
		first = join(b, r, instance("event", fmt.Sprint(i)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	seen, ended := make(chan struct{}), make(chan struct{})
	for range watchers {
		w := watch(b, r, "event")
		next(b, w)
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				if _, err := w.Next(ctx); err != nil {
					return
				}
				seen <- struct{}{}
			}
		}()
	}
	changed := instance("event", fmt.Sprint(size-1))
	for i := 0; b.Loop(); i++ {
		changed.Zone = fmt.Sprint(i)
		put(b, first, changed)
		for range watchers {
			<-seen
		}
	}
	cancel()
	for range watchers {
		<-ended
	}
}
