package web_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
	"eventprospect/services/registry/internal/web"
)

// piped is a ResponseWriter whose text is read as it is written.
type piped struct {
	http.ResponseWriter
	*io.PipeWriter
	head http.Header
}

func (p piped) Header() http.Header            { return p.head }
func (p piped) Write(text []byte) (int, error) { return p.PipeWriter.Write(text) }
func (p piped) WriteHeader(int)                {}
func (p piped) Flush()                         {}

func TestChangesComeAtOnceButThoseThatFollowSoonComeTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core := registry.New(registry.Settings{Term: time.Hour, MaxInstances: 99, MaxSize: 999, MaxWatchers: 9}, memory.New(), registry.Node{Name: "a"})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- core.Run(ctx) }()
		synctest.Wait()
		r := &running{core: core}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/changes", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		out, in := io.Pipe()
		page := web.New(core, web.Settings{MaxStreams: 1, Heartbeat: 15 * time.Second, Pace: time.Second})
		go func() { page.ServeHTTP(piped{PipeWriter: in, head: http.Header{}}, request); in.Close(); ended <- nil }()
		s := &stream{lines: newScanner(out)}
		s.next(t)
		began := time.Now()
		s.nextLine(t, ": nothing new")
		if silent := time.Since(began); silent != 16*time.Second {
			t.Errorf("a sign of life after %v, want 15s after a second's rest", silent)
		}
		began = time.Now()
		r.join(t, instance("event", "a"))
		if got := s.next(t).Words; got != "event: a joined." || time.Since(began) != 0 {
			t.Errorf("after %v: %s", time.Since(began), got)
		}
		for n := range 20 {
			r.join(t, instance("event", fmt.Sprint("b", n)))
		}
		r.join(t, instance("event", "c")).Close()
		if got := s.next(t).Words; got != "22 changes: 21 joined, 1 left." || time.Since(began) != time.Second {
			t.Errorf("after %v: %s", time.Since(began), got)
		}
		cancel()
		for range 2 {
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
}
