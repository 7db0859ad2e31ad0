package rpc_test

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	eventv1 "eventprospect/gen/event/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
)

// promise is one row of docs/resilience.md.
type promise struct {
	attempts int
	ending   string
}

// promises reads the table, by call and failure.
func promises(t *testing.T) map[string]promise {
	t.Helper()
	text, err := os.ReadFile("../../docs/resilience.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## What is tried again\n")
	section, _, _ = strings.Cut(section, "\n## ")
	all := map[string]promise{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		attempts, err := strconv.Atoi(cells[3])
		if err != nil {
			continue // the head
		}
		all[cells[1]+": "+cells[2]] = promise{attempts, cells[4]}
	}
	if !found || len(all) == 0 {
		t.Fatal("there is no table")
	}
	return all
}

// The kinds of calls.
func get(ctx context.Context, conn *grpc.ClientConn) error {
	_, err := eventv1.NewEventServiceClient(conn).GetEvent(ctx, &eventv1.GetEventRequest{Id: "x"})
	return err
}

func remove(ctx context.Context, conn *grpc.ClientConn) error {
	_, err := eventv1.NewEventServiceClient(conn).DeleteEvent(ctx, &eventv1.DeleteEventRequest{Id: "x"})
	return err
}

func watch(ctx context.Context, conn *grpc.ClientConn) error {
	stream, err := registryv1.NewRegistryServiceClient(conn).Watch(ctx, &registryv1.WatchRequest{Service: "event"})
	for err == nil {
		_, err = stream.Recv()
	}
	return err
}

// row says how one row is played: do is what the server does with each attempt.
type row struct {
	do      func(context.Context, *world, int) error
	prepare func(*testing.T, *world)
	timeout time.Duration // of the caller; 0: much
	away    bool          // nobody listens
	options []grpc.DialOption
}

func always(err error) func(context.Context, *world, int) error {
	return func(context.Context, *world, int) error { return err }
}

func once(do func(context.Context, *world) error) func(context.Context, *world, int) error {
	return func(ctx context.Context, w *world, attempt int) error {
		if attempt > 1 {
			return nil
		}
		return do(ctx, w)
	}
}

func hang(ctx context.Context, _ *world) error { <-ctx.Done(); return ctx.Err() }

func lose(ctx context.Context, w *world) error { w.wire.cut(); return hang(ctx, w) }

// slowly answers after a while; the caller may not wait for it.
func slowly(ctx context.Context, _ *world, _ int) error {
	timer := time.NewTimer(first * 5 / 2)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withCalls changes how the client calls. Unless told so, its first attempt has all the time that it needs.
func withCalls(change func(*rpc.Calls)) []grpc.DialOption {
	calls := rpc.DefaultCalls()
	calls.FirstAttempt = time.Minute
	change(&calls)
	return []grpc.DialOption{rpc.WithCalls(calls)}
}

func hasty(c *rpc.Calls) { c.FirstAttempt = first }

// broke has no retries left.
func broke(c *rpc.Calls) { c.FirstAttempt, c.RetryBurst = first, 0 }

// guarded has a breaker that opens with the first failure.
func guarded() []grpc.DialOption {
	cfg := rpc.BreakerConfig{Timeout: first / 2, Window: 1, MinimumCalls: 1, FailureRate: 100, Open: time.Hour}
	log := slog.New(slog.DiscardHandler)
	return []grpc.DialOption{rpc.WithBreaker("the Event service", cfg, log, eventv1.EventService_GetEvent_FullMethodName)}
}

func rows() map[string]row {
	away, later := always(fault.Away("the store", 0)), always(fault.Away("the Event service", 5*time.Second))
	missing := always(fault.Missing("Event", "x"))
	return map[string]row{
		"repeatable: nobody listens: it waits until its deadline": {away: true, timeout: first},
		"repeatable: nobody listens at first": {do: always(nil), away: true, prepare: func(_ *testing.T, w *world) {
			w.conn.Connect()
			go w.serve()
		}},
		"repeatable: UNAVAILABLE, once":                                     {do: once(func(context.Context, *world) error { return fault.Away("the store", 0) })},
		"repeatable: UNAVAILABLE, always":                                   {do: away},
		"repeatable: UNAVAILABLE, with RetryInfo of more than 2 s":          {do: later},
		"repeatable: the connection is lost after the request was sent":     {do: once(lose)},
		"repeatable: an instance hangs":                                     {do: once(hang), options: withCalls(hasty)},
		"repeatable: every answer takes 2.5 times the first attempt's time": {do: slowly, options: withCalls(hasty)},
		"repeatable: the caller's deadline is shorter than an attempt":      {do: once(hang), timeout: first / 2, options: withCalls(hasty)},
		"repeatable: the caller gives up":                                   {do: once(hang)},
		"repeatable: any other code, as NOT_FOUND":                          {do: missing},
		"repeatable: the server says DEADLINE_EXCEEDED before time is up":   {do: always(fault.New(fault.Timeout, "the store is slow"))},
		"repeatable: UNAVAILABLE, and the retry budget is empty":            {do: away, options: withCalls(broke)},
		"repeatable: slow, and the retry budget is empty: it isn't cut":     {do: slowly, options: withCalls(broke)},
		"other: nobody listens: it waits until its deadline":                {away: true, timeout: first},
		"other: UNAVAILABLE, always":                                        {do: away},
		"other: UNAVAILABLE, with RetryInfo of more than 2 s":               {do: later},
		"other: the connection is lost after the request was sent":          {do: once(lose)},
		"other: an instance hangs":                                          {do: once(hang), timeout: 2 * first},
		"other: any other code, as NOT_FOUND":                               {do: missing},
		"stream: UNAVAILABLE before the first message":                      {do: away},
		"stream: UNAVAILABLE after a message: the caller resumes":           {do: always(nil)},
		"breaker: it is open": {do: always(fault.New(fault.Internal, "bug")), options: guarded(), prepare: func(t *testing.T, w *world) {
			checkKind(t, get(as(t, "reader"), w.conn), fault.Internal)
			w.attempts.Store(0)
		}},
		"breaker: it is closed, and the call takes longer than its bound": {do: once(hang), options: guarded()},
	}
}

func TestWhatIsTriedAgainIsWhatTheTableSays(t *testing.T) {
	t.Parallel()
	table, cases := promises(t), rows()
	for name := range table {
		if _, ok := cases[name]; !ok {
			t.Errorf("no case for the row %q", name)
		}
	}
	for name, c := range cases {
		want, ok := table[name]
		if !ok {
			t.Errorf("no row for the case %q", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := c.play(t, name)
			if got != want {
				t.Errorf("%+v, the table says %+v", got, want)
			}
		})
	}
}

func (c row) play(t *testing.T, name string) promise {
	w := newWorld(t, c)
	if c.prepare != nil {
		c.prepare(t, w)
	}
	limit := c.timeout
	if limit == 0 {
		limit = 20 * time.Second
	}
	call, role := get, "reader"
	switch kind, _, _ := strings.Cut(name, ":"); kind {
	case "other":
		call, role = remove, "editor"
	case "stream":
		call = watch
	}
	ctx, cancel := context.WithTimeout(as(t, role), limit)
	defer cancel()
	if strings.HasSuffix(name, "gives up") {
		do := w.do
		w.do = func(ctx context.Context, attempt int) error { cancel(); return do(ctx, attempt) }
	}
	return promise{ending: kindName(t, call(ctx, w.conn)), attempts: int(w.attempts.Load())}
}
