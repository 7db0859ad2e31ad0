package mongodb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
)

// openAt opens a store for the time of the test.
func openAt(t testing.TB, address string, opts *options.ClientOptions) *Store {
	t.Helper()
	s, err := open(t.Context(), address, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var nobody = prospect.Prospect{ID: "a", Created: time.UnixMicro(1), Updated: time.UnixMicro(1), Version: 1}

// calls are all that can be asked of a store.
func calls(s *Store) map[string]func(context.Context) error {
	m := outbox.Message{ID: "m", Key: "a", Time: time.UnixMicro(1), Payload: []byte{}}
	return map[string]func(context.Context) error{
		"create": func(ctx context.Context) error { return s.Create(ctx, nobody, m) },
		"get":    func(ctx context.Context) error { _, err := s.Get(ctx, "a"); return err },
		"list":   func(ctx context.Context) error { _, err := s.List(ctx, prospect.Query{Limit: 1}); return err },
		"count":  func(ctx context.Context) error { _, err := s.Count(ctx, prospect.Filter{}); return err },
		"update": func(ctx context.Context) error {
			_, err := s.Update(ctx, "a", func(*prospect.Prospect) ([]outbox.Message, error) { return nil, nil })
			return err
		},
		"delete": func(ctx context.Context) error {
			return s.Delete(ctx, "a", func(prospect.Prospect) ([]outbox.Message, error) { return nil, nil })
		},
		"claim": func(ctx context.Context) error { _, err := s.Claim(ctx, "relay", 1, time.Hour); return err },
		"renew": func(ctx context.Context) error {
			return s.Renew(ctx, "relay", []outbox.Message{m}, time.Hour)
		},
		"waiting": func(ctx context.Context) error { _, err := s.Waiting(ctx); return err },
		"done":    func(ctx context.Context) error { return s.Done(ctx, []outbox.Message{m}) },
		"ping":    s.Ping,
	}
}

// all makes all calls at once.
func all(ctx context.Context, s *Store, each func(name string, took time.Duration, err error)) {
	var wait sync.WaitGroup
	for name, call := range calls(s) {
		wait.Go(func() {
			begin := time.Now()
			err := call(ctx)
			each(name, time.Since(begin), err)
		})
	}
	wait.Wait()
}

func wantAway(t *testing.T, name string, took time.Duration, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("%s: error %v, want Unavailable with the time to try again", name, err)
	}
	if took > timeout+time.Second {
		t.Errorf("%s: took %v", name, took)
	}
}

// TestAwayAndBack cuts the connections, and lets the server fall silent: both are Unavailable in bounded time, and over when
// the server is back.
func TestAwayAndBack(t *testing.T) {
	t.Parallel()
	way, address := newProxy(t, newDatabase(t))
	s := openAt(t, address, options.Client())
	works := func() {
		t.Helper()
		begin := time.Now()
		for s.Ping(t.Context()) != nil {
			if time.Since(begin) > meshtest.Patience {
				t.Fatal("it doesn't come back")
			}
		}
		t.Logf("works %v after the return", time.Since(begin))
		all(t.Context(), s, func(name string, _ time.Duration, err error) {
			if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.AlreadyExists) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	works()
	troubles := []struct {
		name       string
		begin, end func()
	}{
		{"cut", way.cut, func() { way.restore(t) }},
		{"silent", way.hush, way.speak},
	}
	for _, trouble := range troubles {
		trouble.begin()
		all(t.Context(), s, func(name string, took time.Duration, err error) {
			wantAway(t, trouble.name+", "+name, took, err)
			t.Logf("%s: %s took %v", trouble.name, name, took)
		})
		trouble.end()
		works()
	}
}

func TestAwayAtStart(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	begin := time.Now()
	_, err = Open(t.Context(), "mongodb://"+listener.Addr().String()+"/test")
	wantAway(t, "open", time.Since(begin), err)
	t.Logf("took %v", time.Since(begin))
}

// TestTheCallersOwnEnd: whoever has no time left is told so, also while the database is silent and its connections are all
// taken.
func TestTheCallersOwnEnd(t *testing.T) {
	t.Parallel()
	way, address := newProxy(t, newDatabase(t))
	s := openAt(t, address, options.Client())
	way.hush()
	defer way.speak()
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var wait sync.WaitGroup
	for range maxConnections + 8 { // the last ones get no connection
		wait.Go(func() {
			begin := time.Now()
			if _, err := s.Get(short, "a"); !errors.Is(err, context.DeadlineExceeded) || fault.Is(err, fault.Unavailable) {
				t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
			}
			if took := time.Since(begin); took > time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
	wait.Wait()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	all(gone, s, func(name string, _ time.Duration, err error) {
		if !errors.Is(err, context.Canceled) || fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: error %v, want %v", name, err, context.Canceled)
		}
	})
}

// TestWrongAddress: what can't work says so at once, without the password.
func TestWrongAddress(t *testing.T) {
	t.Parallel()
	server := strings.TrimPrefix(newDatabase(t), "mongodb://")
	if at := strings.LastIndex(server, "@"); at >= 0 {
		server = server[at+1:]
	}
	cases := map[string]struct{ address, want string }{
		"no database":    {"mongodb://u:geheim@localhost:1", "want mongodb://"},
		"no host":        {"mongodb:///geheim", "not a mongodb URL"},
		"another scheme": {"mysql://u:geheim@localhost/db", "not a mongodb URL"},
		"bad escape":     {"mongodb://u:ge%zzheim@localhost/db", "not a mongodb URL"},
		"unknown option": {"mongodb://u:geheim@localhost/db?w=geheim&authMechanism=geheim", "not a mongodb URL"},
		"empty":          {"", "not a mongodb URL"},
		"password":       {"mongodb://u:geheim@" + server, "auth"},
	}
	for name, c := range cases {
		_, err := Open(t.Context(), c.address)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
		if fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: error %v invites to try again", name, err)
		}
	}
}

func TestDatabaseName(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"mongodb://h/db":                           "db",
		"mongodb://u:p@h:1/db?authSource=admin":    "db",
		"mongodb://u:p@a:1,b:2,c/db?replicaSet=rs": "db",
		"mongodb://u:p@a,b:2,c:3/d%20b":            "d b",
		"mongodb+srv://u:p%2F@h/db":                "db",
		"mongodb://h":                              "", "mongodb://h/": "", "h/db": "", "": "",
	}
	for address, want := range cases {
		if got := databaseName(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

// givenUp is what an operation meets whose connection was closed because of another one's trouble.
type givenUp struct{}

func (givenUp) Error() string   { return "pool was cleared" }
func (givenUp) Retryable() bool { return true }

// TestErrors is the table of what the driver reports and what that means to a caller.
func TestErrors(t *testing.T) {
	t.Parallel()
	server := func(code int32) error { return mongo.CommandError{Code: code} }
	reset := &net.OpError{Op: "read", Err: errors.New("reset")}
	cases := map[string]struct {
		err  error
		away bool
	}{
		"connection lost":          {mongo.CommandError{Labels: []string{"NetworkError"}, Wrapped: reset}, true},
		"no server":                {topology.ServerSelectionError{Wrapped: errors.New("none")}, true},
		"connections given up":     {givenUp{}, true},
		"timeout":                  {context.DeadlineExceeded, true},
		"too few servers":          {mongo.WriteException{WriteConcernError: &mongo.WriteConcernError{Code: 64}}, true},
		"shutting down":            {server(11600), true},
		"shutting down, bulk":      {mongo.BulkWriteException{WriteConcernError: &mongo.WriteConcernError{Code: 91}}, true},
		"no primary":               {server(10107), true},
		"not yet recovered":        {server(13436), true},
		"time limit":               {server(50), true},
		"disk full":                {server(14031), true},
		"no such user":             {server(18), false},
		"not allowed":              {server(13), false},
		"document too large":       {server(10334), false},
		"duplicate key":            {mongo.WriteException{WriteErrors: []mongo.WriteError{{Code: 11000}}}, false},
		"other index of this name": {server(85), false},
		"anything":                 {errors.New("anything"), false},
	}
	for name, c := range cases {
		err := bounded(t.Context(), func(context.Context) error { return fmt.Errorf("wrapped: %w", c.err) })
		if fault.Is(err, fault.Unavailable) != c.away || !errors.As(err, new(*fault.Error)) == c.away {
			t.Errorf("%s: error %v, away: %v", name, err, c.away)
		}
	}
	missing := fault.Missing("Prospect", "a")
	if err := bounded(t.Context(), func(context.Context) error { return missing }); !errors.Is(err, missing) {
		t.Errorf("error %v, want the fault as it is", err)
	}
	if err := bounded(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
}
