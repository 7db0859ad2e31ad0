package bench

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"eventprospect/dev/stack"
	"eventprospect/dev/system"
	"eventprospect/e2e/command"
	"eventprospect/e2e/kafka/kafkatest"
)

// callers is how many call at once where throughput is measured.
const callers = 16

// starts bounds how often the system is started, whatever -benchtime says.
const starts = 20

// BenchmarkCreateREST is the time from POST /prospects to 201.
func BenchmarkCreateREST(b *testing.B) {
	w := newWorld(b)
	latency(b, func() error { _, err := w.createREST(b.Context()); return err })
}

// BenchmarkCreateGRPC is the time of CreateProspect.
func BenchmarkCreateGRPC(b *testing.B) {
	w := newWorld(b)
	latency(b, func() error { return w.createGRPC(w.ctx) })
}

// BenchmarkGetREST is the time of GET /prospects/{id}.
func BenchmarkGetREST(b *testing.B) {
	w := newWorld(b)
	id, err := w.createREST(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	latency(b, func() error { return w.getREST(b.Context(), id) })
}

// BenchmarkVisible is the time from sending POST /prospects until the event that it causes is in ListEvents.
func BenchmarkVisible(b *testing.B) {
	for _, c := range []struct {
		name  string
		kafka func(testing.TB) system.Kafka
	}{
		{"kfake", func(testing.TB) system.Kafka { return system.Kafka{} }},
		{"kafka", kafkatest.Own},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := startWorld(b, system.Config{Kafka: c.kafka(b)})
			latency(b, func() error { return w.visible(b.Context()) })
		})
	}
}

// BenchmarkThroughput is what sixteen callers get done at once.
func BenchmarkThroughput(b *testing.B) {
	w := newWorld(b)
	id, err := w.createREST(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		call func() error
	}{
		{"CreateREST", func() error { _, err := w.createREST(b.Context()); return err }},
		{"CreateGRPC", func() error { return w.createGRPC(w.ctx) }},
		{"GetREST", func() error { return w.getREST(b.Context(), id) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := c.call(); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// BenchmarkStart is the time until everything serves, on data that was used before.
func BenchmarkStart(b *testing.B) {
	data := b.TempDir()
	start := func() (took time.Duration) {
		begin := time.Now()
		s, err := system.Start(b.Context(), system.Config{Realm: stack.Realm, Log: io.Discard, Data: data})
		if err != nil {
			b.Fatal(err)
		}
		took = time.Since(begin)
		if err := s.Stop(); err != nil {
			b.Error(err)
		}
		return took
	}
	start()
	var took []time.Duration
	var sum time.Duration
	for range min(b.N, starts) {
		took = append(took, start())
		sum += took[len(took)-1]
	}
	b.ReportMetric(float64(sum.Nanoseconds())/float64(len(took)), "ns/op")
	report(b, took)
}

// BenchmarkIdleMemory is what the dev command holds of the machine's memory when it is ready, with nothing to do.
func BenchmarkIdleMemory(b *testing.B) {
	p := command.Start(b, command.Build(b), "-free", "-data", "")
	status, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(p.PID()), "status"))
	if err != nil {
		b.Skipf("this machine doesn't tell: %v", err)
	}
	var kilobytes float64
	if _, err := fmt.Sscanf(lineOf(string(status), "VmRSS:"), "VmRSS: %f kB", &kilobytes); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(kilobytes/1024, "RSS-MB")
	b.ReportMetric(0, "ns/op") // nothing is timed
}

func lineOf(text, prefix string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}
