package app

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/event/internal/event"
)

const (
	storeAway = `"store":"not ready"`
	storeHere = `"store":"ready"`
	// back is how soon calls must work again; it is far more than what is logged, for machines that are busy.
	back = 5 * time.Second
)

func TestAStoreThatIsAwayAtTheStartIsWaitedFor(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, address string, p *proxy) {
		p.cut()
		issuer := meshtest.NewIssuer(t)
		l := launch(t, settings(t, issuer, address))
		awaitReady(t, l.admin, http.StatusServiceUnavailable, storeAway)
		if code, body := answer(t, l.admin, "/livez"); code != http.StatusOK {
			t.Errorf("/livez: %d %s", code, body)
		}
		client := eventv1.NewEventServiceClient(meshtest.Dial(t, l.address))
		short, cancel := context.WithTimeout(meshtest.As(t, issuer.Token("reader")), 100*time.Millisecond)
		defer cancel()
		if _, err := client.ListEvents(short, &eventv1.ListEventsRequest{}); err == nil {
			t.Error("a service without a store answers")
		}
		restored := time.Now()
		p.restore()
		select {
		case <-l.started:
		case <-time.After(meshtest.Patience):
			t.Fatal("it does not start")
		}
		t.Logf("serves %v after the store came", time.Since(restored))
		if _, err := client.ListEvents(meshtest.As(t, issuer.Token("reader")), &eventv1.ListEventsRequest{}); err != nil {
			t.Error(err)
		}
		awaitReady(t, l.admin, http.StatusOK, storeHere)
		l.stop()
		if err := l.end(t); err != nil {
			t.Error(err)
		}
	})
}

func TestWaitingForTheStoreEndsWithTheContext(t *testing.T) {
	t.Parallel()
	for name, hinder := range map[string]func(*proxy){"cut": (*proxy).cut, "frozen": (*proxy).freeze} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, address string, p *proxy) {
				hinder(p)
				l := launch(t, settings(t, meshtest.NewIssuer(t), address))
				awaitReady(t, l.admin, http.StatusServiceUnavailable, storeAway)
				stopped := time.Now()
				l.stop()
				if err := l.end(t); err != nil {
					t.Error(err)
				}
				t.Logf("stopped in %v", time.Since(stopped))
			})
		})
	}
}

func TestAWrongAccountOrDatabaseEndsTheStart(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, address string, _ *proxy) {
		stranger, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		stranger.User = url.UserPassword("stranger", "hidden")
		for wrong, want := range map[string]string{stranger.String(): "stranger", meshtest.WithName(t, address, "none_such"): "none_such"} {
			err := launch(t, settings(t, meshtest.NewIssuer(t), wrong)).end(t)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("error %v, want one that tells of %s", err, want)
			}
		}
	})
}

// awaitCall calls until the call works, or until it fails with this code, and returns how long that took.
func awaitCall(t *testing.T, code codes.Code, call func() error) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		err := call()
		if status.Code(err) == code {
			return time.Since(began)
		}
		if time.Since(began) > meshtest.Patience {
			t.Fatalf("error %v, want %v", err, code)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAStoreThatGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, address string, p *proxy) {
		issuer := meshtest.NewIssuer(t)
		running := meshtest.Run(t, "event", settings(t, issuer, address), Bind)
		client := eventv1.NewEventServiceClient(meshtest.Dial(t, running.Address))
		create := func() error {
			_, err := client.CreateEvent(meshtest.As(t, issuer.Token("editor")), &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "Fair"}})
			return err
		}
		if err := create(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			p.cut()
			began := time.Now()
			var f *fault.Error
			if err := create(); !errors.As(err, &f) || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
				t.Errorf("error %v, want Unavailable with a time to try again", err)
			}
			t.Logf("refused in %v", time.Since(began))
			awaitReady(t, running.Admin, http.StatusServiceUnavailable, storeAway)
			p.restore()
			took := awaitCall(t, codes.OK, create)
			t.Logf("a call works %v after the store is back", took)
			if took > back {
				t.Errorf("a call works only %v after the store is back", took)
			}
			awaitReady(t, running.Admin, http.StatusOK, storeHere)
		}
	})
}

// TestAStoreThatHangs has connections that stay but bring nothing.
func TestAStoreThatHangs(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, address string, p *proxy) {
		s, err := openStore(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		list := func(ctx context.Context) error {
			_, err := s.List(ctx, event.Query{Limit: 1})
			return err
		}
		if err := list(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.freeze()
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := list(short); !errors.Is(err, context.DeadlineExceeded) || fault.Is(err, fault.Unavailable) {
			t.Errorf("error %v, want the end of the caller's time", err)
		}
		began := time.Now()
		if err := list(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("error %v, want Unavailable", err)
		}
		t.Logf("gave up after %v", time.Since(began))
		p.restore()
		took := awaitCall(t, codes.OK, func() error { return list(t.Context()) })
		t.Logf("a call works %v after the store is back", took)
		if took > back {
			t.Errorf("a call works only %v after the store is back", took)
		}
	})
}
