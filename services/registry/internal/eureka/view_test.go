package eureka

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
)

// wireApps reads a list as a client does.
type wireApps struct {
	Applications struct {
		Version     string `json:"versions__delta"`
		Hash        string `json:"apps__hashcode"`
		Application []struct {
			Name     string `json:"name"`
			Instance []info `json:"instance"`
		} `json:"application"`
	} `json:"applications"`
}

func (s *server) apps(t testing.TB, path string) (map[string]string, string) {
	t.Helper()
	var list wireApps
	if err := json.Unmarshal([]byte(s.must(t, 200, "GET", path, "", inJSON)), &list); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, app := range list.Applications.Application {
		for _, i := range app.Instance {
			all[app.Name+"/"+i.InstanceID] = i.ActionType + " " + i.Status
		}
	}
	return all, list.Applications.Hash
}

func (s *server) wantDelta(t testing.TB, hash string, want ...string) {
	t.Helper()
	got, gotHash := s.apps(t, "/eureka/apps/delta")
	all := map[string]string{}
	for _, one := range want {
		name, what, _ := strings.Cut(one, " ")
		all[name] = what
	}
	if fmt.Sprint(got) != fmt.Sprint(all) || gotHash != hash {
		t.Errorf("delta %v hash %q\nwant  %v hash %q", got, gotHash, all, hash)
	}
	if _, full := s.apps(t, "/eureka/apps"); full != gotHash {
		t.Errorf("the list's hash is %q, the delta's %q", full, gotHash)
	}
}

func TestTheDeltaTellsTheLastChangeOfEachInstanceInTheWindow(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.wantDelta(t, "")
	s.register(t, "ORDERS", "a", "UP")
	s.register(t, "ORDERS", "b", "UP")
	s.wantDelta(t, "UP_2_", "ORDERS/a ADDED UP", "ORDERS/b ADDED UP")
	s.clock.advance(2 * time.Minute)
	s.register(t, "ORDERS", "b", "DOWN")
	s.joined(t, nativeEvent())
	s.must(t, 200, "PUT", "/eureka/apps/ORDERS/a", "") // no change
	s.wantDelta(t, "DOWN_1_UP_2_", "ORDERS/a ADDED UP", "ORDERS/b MODIFIED DOWN", "EVENT/event-1 ADDED UP")
	s.clock.advance(time.Minute + deltaAge + time.Second)
	s.wantDelta(t, "DOWN_1_UP_2_", "ORDERS/b MODIFIED DOWN", "EVENT/event-1 ADDED UP")
	s.must(t, 200, "DELETE", "/eureka/apps/ORDERS/b", "")
	s.wantDelta(t, "UP_2_", "ORDERS/b DELETED DOWN", "EVENT/event-1 ADDED UP")
	s.clock.advance(window + time.Second)
	s.wantDelta(t, "UP_2_")
}

// A client that comes from before a restart is told all that is there: it may have missed some of it.
func TestAfterARestartTheDeltaHoldsEverything(t *testing.T) {
	t.Parallel()
	store := memory.New()
	first := faceOf(startCore(t, settings(), store, "a"), Default())
	first.register(t, "ORDERS", "a", "UP")
	second := faceOf(startCore(t, settings(), store, "b"), Default())
	second.wantDelta(t, "UP_1_", "ORDERS/a ADDED UP")
	second.clock.advance(window + deltaAge + time.Second)
	second.wantDelta(t, "UP_1_")
}

// A view that has missed more than the registry remembers is told everything again: only what differs is a change.
func TestAViewThatFellBehindFindsTheDifference(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.register(t, "ORDERS", "a", "UP")
	s.register(t, "ORDERS", "gone", "UP")
	s.wantDelta(t, "UP_2_", "ORDERS/a ADDED UP", "ORDERS/gone ADDED UP")
	s.clock.advance(window + deltaAge + time.Second)
	s.wantDelta(t, "UP_2_")
	for i := range 2100 {
		s.register(t, "NOISE", "x", map[bool]string{true: "UP", false: "DOWN"}[i%2 == 1])
	}
	s.must(t, 200, "DELETE", "/eureka/apps/ORDERS/gone", "")
	s.wantDelta(t, "UP_2_", "NOISE/x ADDED UP", "ORDERS/gone DELETED UP")
}

// A client that applies deltas to its list, as Netflix's does, has the registry's list at any time.
func TestDeltasLeadToTheList(t *testing.T) {
	t.Parallel()
	s := start(t)
	known, _ := s.apps(t, "/eureka/apps")
	for step := range 60 {
		id := fmt.Sprint(step * 7 % 11)
		switch step % 4 {
		case 3:
			s.do("DELETE", "/eureka/apps/ORDERS/"+id, "")
		default:
			s.register(t, "ORDERS", id, []string{"UP", "DOWN", "STARTING"}[step%3])
		}
		s.clock.advance(time.Second)
		delta, hash := s.apps(t, "/eureka/apps/delta")
		for name, what := range delta {
			action, status, _ := strings.Cut(what, " ")
			if known[name] = added + " " + status; action == deleted {
				delete(known, name)
			}
		}
		if want, wantHash := s.apps(t, "/eureka/apps"); fmt.Sprint(known) != fmt.Sprint(want) || hash != wantHash {
			t.Fatalf("step %d: %v, want %v", step, known, want)
		}
	}
}

func TestBothFacesSeeTheSameInstances(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.joined(t, nativeEvent())
	s.must(t, 204, "POST", "/eureka/apps/event", body("EVENT", "foreign", "UP", "1"))
	watch, err := s.core.Watch("event", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	u, err := watch.Next(context.Background())
	if err != nil || len(u.Changed) != 2 || u.Changed[1].Address != "10.0.0.1:80" {
		t.Errorf("%+v %v", u, err)
	}
	got := s.must(t, 200, "GET", "/eureka/vips/event", "", inJSON)
	for _, part := range []string{`"instanceId":"event-1"`, `"instanceId":"foreign"`, `"gRPC_port":"8080"`, `"version":"1.2"`, `"apps__hashcode":"UP_2_"`} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
	if _, err := s.core.SetStatus(context.Background(), registry.Key{Service: "event", ID: "event-1"}, registry.OutOfService); err != nil {
		t.Fatal(err)
	}
	if got := s.must(t, 200, "GET", "/eureka/apps/EVENT/event-1", ""); !strings.Contains(got, "<status>OUT_OF_SERVICE</status><overriddenstatus>OUT_OF_SERVICE<") {
		t.Error(got)
	}
}

func TestTwoRegistriesAreOne(t *testing.T) {
	t.Parallel()
	store := memory.New()
	quick := settings()
	quick.Term = 200 * time.Millisecond
	a := startCore(t, quick, store, "a")
	first, second := faceOf(a, Default()), faceOf(startCore(t, quick, store, "b"), Default())
	short := strings.Replace(body("ORDERS", "a", "UP", "1"), `"status"`, `"leaseInfo":{"durationInSecs":2},"status"`, 1)
	first.must(t, 204, "POST", "/eureka/apps/ORDERS", short)
	// The client turns to the other one, before and after the first has gone, for longer than a lease.
	for began := time.Now(); time.Since(began) < 3*time.Second; time.Sleep(100 * time.Millisecond) {
		second.must(t, 200, "PUT", "/eureka/apps/ORDERS/a?status=UP&lastDirtyTimestamp=1", "")
		if time.Since(began) > time.Second {
			a.Stop()
		}
	}
	second.must(t, 200, "GET", "/eureka/apps/ORDERS/a", "")
	second.must(t, 200, "DELETE", "/eureka/apps/ORDERS/a", "")
	second.must(t, 404, "GET", "/eureka/apps/ORDERS", "")
}

// What has forgotten everything makes clients register again with their next renewal.
func TestARegistryWithoutAMemoryIsToldAgain(t *testing.T) {
	t.Parallel()
	before, after := start(t), start(t)
	before.register(t, "ORDERS", "a", "UP")
	after.must(t, 404, "PUT", "/eureka/apps/ORDERS/a?status=UP&lastDirtyTimestamp=1700000000000", "")
	after.register(t, "ORDERS", "a", "UP")
	after.must(t, 200, "PUT", "/eureka/apps/ORDERS/a?status=UP&lastDirtyTimestamp=1700000000000", "")
}

func TestManyClientsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			id := fmt.Sprint(c)
			for range 20 {
				s.register(t, "ORDERS", id, "UP")
				if got := s.do("GET", "/eureka/apps", "", inJSON).Body.String(); !strings.Contains(got, `"instanceId":"`+id+`"`) {
					t.Errorf("%s doesn't see itself", id)
				}
				s.do("PUT", "/eureka/apps/ORDERS/"+id+"/metadata?n="+id, "")
				s.do("GET", "/eureka/apps/delta", "", "Accept-Encoding: gzip")
				s.do("GET", "/eureka/apps/ORDERS", "")
				s.do("DELETE", "/eureka/apps/ORDERS/"+id, "")
			}
		})
	}
	clients.Wait()
	if all, hash := s.apps(t, "/eureka/apps"); len(all) != 0 || hash != "" {
		t.Errorf("%v %q", all, hash)
	}
}

// drain counts what is answered, and keeps none of it.
type drain struct {
	header http.Header
	size   int
}

func (d *drain) Header() http.Header { return d.header }
func (d *drain) WriteHeader(int)     {}

func (d *drain) Write(p []byte) (int, error) {
	d.size += len(p)
	return len(p), nil
}

func (s *server) size(method, path string, headers ...string) int {
	d := &drain{header: http.Header{}}
	s.ServeHTTP(d, request(method, path, "", headers))
	return d.size
}

func BenchmarkApps(b *testing.B) {
	const instances = 10_000
	s := start(b)
	for n := range instances {
		text := strings.NewReplacer("shop.local", fmt.Sprintf("shop-%05d.local", n), "ORDERS", fmt.Sprintf("ORDERS-%03d", n%100), `"durationInSecs":15`, `"durationInSecs":3600`).Replace(testdata(b, "spring.json"))
		s.must(b, http.StatusNoContent, "POST", fmt.Sprintf("/eureka/apps/ORDERS-%03d", n%100), text, bodyJSON)
	}
	for _, c := range []struct {
		name, path string
		change     bool
		headers    []string
	}{
		{"json/unchanged", "/eureka/apps", false, []string{inJSON}},
		{"json-gzip/unchanged", "/eureka/apps", false, []string{inJSON, "Accept-Encoding: gzip"}},
		{"json/changed", "/eureka/apps", true, []string{inJSON}},
		{"json-gzip/changed", "/eureka/apps", true, []string{inJSON, "Accept-Encoding: gzip"}},
		{"xml-gzip/changed", "/eureka/apps", true, []string{"Accept-Encoding: gzip"}},
		{"delta-json/changed", "/eureka/apps/delta", true, []string{inJSON}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s.do("GET", c.path, "", c.headers...)
			s.clock.advance(window + deltaAge + time.Second)
			s.do("GET", "/eureka/apps/delta", "", c.headers...)
			size := 0
			for n := 0; b.Loop(); n++ {
				if c.change {
					b.StopTimer()
					s.register(b, "ORDERS-000", "changing", map[bool]string{true: "UP", false: "DOWN"}[n%2 == 0])
					b.StartTimer()
				}
				size = s.size("GET", c.path, c.headers...)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
