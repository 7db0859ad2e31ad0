package xds_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"eventprospect/services/registry/internal/registry"
)

func TestAnIncrementalClientIsToldWhatChanged(t *testing.T) {
	t.Parallel()
	s := defaults()
	s.Retain = 50 * time.Millisecond
	p := start(t, s)
	session := p.join(instance("event", "a", "10.0.0.1:80"))
	p.join(instance("prospect", "a", "10.0.0.2:80"))
	d := p.delta()
	// As Envoy begins: all clusters, then the endpoints of each by name.
	d.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: clusterType, Node: &corev3.Node{Id: "envoy"}})
	d.want(clusterType, []string{"event", "prospect"}, nil)
	d.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: endpointType, ResourceNamesSubscribe: []string{"event", "prospect"}})
	d.want(endpointType, []string{"event", "prospect"}, nil)
	p.join(instance("prospect", "b", "10.0.0.3:80"))
	d.want(endpointType, []string{"prospect"}, nil)
	session.Close()
	d.want(endpointType, []string{"event"}, nil) // empty
	d.want(clusterType, nil, []string{"event"})
	d.want(endpointType, nil, []string{"event"})
	p.join(instance("event", "a", "10.0.0.1:80"))
	for range 2 {
		if answer := d.answer(); len(answer.GetResources()) != 1 || answer.GetResources()[0].GetName() != "event" {
			t.Errorf("%s: %d resources, want event", answer.GetTypeUrl(), len(answer.GetResources()))
		}
	}
}

// Who is told of a route before its cluster has to do without, for a moment.
func TestWhatLeadsSomewhereIsToldLastAndTakenBackFirst(t *testing.T) {
	t.Parallel()
	order := []string{endpointType, clusterType, routeType, listenerType}
	brief := defaults()
	brief.Retain = 0
	p := start(t, brief)
	p.join(instance("there", "a", "10.0.0.1:80"))
	p.join(instance("too", "a", "10.0.0.1:80"))
	for i := range 20 {
		name := fmt.Sprint("service", i)
		s, d := p.sotw("raw", ""), p.delta()
		for _, typeURL := range order { // an answer shows that all before was heard
			s.ask(typeURL, name)
			s.ack(s.answer(), name)
			d.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typeURL, ResourceNamesSubscribe: []string{name, "there"}})
			d.want(typeURL, []string{"there"}, nil)
		}
		session := p.join(instance(name, "a", "10.0.0.1:80"))
		for _, typeURL := range order {
			if answer := s.answer(); answer.GetTypeUrl() != typeURL || len(answer.GetResources()) != 1 {
				t.Fatalf("got %s, want %s", answer.GetTypeUrl(), typeURL)
			}
			d.want(typeURL, []string{name}, nil)
		}
		d.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: endpointType, ResourceNamesSubscribe: []string{"too"}})
		d.want(endpointType, []string{"too"}, nil)
		session.Close()
		var removed []string
		for len(removed) < len(order) {
			if answer := d.answer(); len(answer.GetRemovedResources()) > 0 {
				removed = append(removed, answer.GetTypeUrl())
			}
		}
		slices.Reverse(removed)
		if !slices.Equal(removed, order) {
			t.Fatalf("removed last to first: %v", removed)
		}
		s.stop()
	}
}

func TestAServiceStaysKnownAfterItsLastInstanceHasGone(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	session := p.join(instance("event", "a", "10.0.0.1:80"))
	s := p.sotw("raw", "")
	s.ask(endpointType, "event")
	s.wantNames("event")
	session.Close()
	answer := s.answer()
	if found := priorities(t, answer.GetResources()[0]); len(found) > 0 {
		t.Errorf("endpoints %v, want none", found)
	}
	for _, typeURL := range []string{listenerType, routeType, clusterType} {
		s.ask(typeURL, "event")
		s.wantNames("event")
	}
}

func TestAServiceThatNeverHadAnInstanceThatIsUpIsKnown(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	starting := instance("event", "a", "10.0.0.1:80")
	starting.Reported = registry.Starting
	p.join(starting)
	s := p.sotw("raw", "")
	s.ask(endpointType, "event")
	answer := s.answer()
	if found := priorities(t, answer.GetResources()[0]); len(found) > 0 {
		t.Errorf("endpoints %v, want none", found)
	}
}

// A client that doesn't ignore deletions takes an answer without a service for its end.
func TestAFreshRegistryDoesNotSayThatAServiceIsGoneBeforeTheGraceIsOver(t *testing.T) {
	t.Parallel()
	s := defaults()
	s.grace = 300 * time.Millisecond
	began := time.Now()
	p := start(t, s)
	p.join(instance("event", "a", "10.0.0.1:80"))
	all, nobody := p.sotw("all", ""), p.sotw("nobody", "")
	all.ask(clusterType)
	nobody.ask(listenerType, "event", "nobody")
	p.join(instance("prospect", "a", "10.0.0.1:80"))
	all.wantNames("event", "prospect")
	nobody.wantNames("event")
	if waited := time.Since(began); waited < s.grace {
		t.Errorf("they were told after %v, before the grace of %v was over", waited, s.grace)
	}
}

func TestAFreshRegistryAnswersAtOnceWhatItKnows(t *testing.T) {
	t.Parallel()
	s := defaults()
	s.grace = 2 * patience
	p := start(t, s)
	p.join(instance("event", "a", "10.0.0.1:80"))
	known, some := p.sotw("known", ""), p.sotw("some", "")
	known.ask(listenerType, "event")
	known.wantNames("event")
	some.ask(listenerType, "event", "prospect")
	p.join(instance("prospect", "a", "10.0.0.1:80"))
	some.wantNames("event", "prospect")
}

func TestChangesThatClientsCannotSeeAreNotSent(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	told := instance("event", "a", "10.0.0.1:80")
	session := p.join(told)
	p.join(instance("prospect", "a", "10.0.0.1:81"))
	s := p.sotw("raw", "")
	s.ask(endpointType, "event", "prospect")
	s.wantNames("event", "prospect")
	told.Metadata = map[string]string{"version": "2"}
	p.put(session, told)
	p.join(instance("prospect", "b", "10.0.0.2:81"))
	answer := s.answer()
	if len(answer.GetResources()) != 1 || nameOf(t, answer.GetResources()[0]) != "prospect" {
		t.Errorf("%d resources, want that which changed", len(answer.GetResources()))
	}
}

func TestABurstOfChangesGoesOutTogether(t *testing.T) {
	t.Parallel()
	const changes = 200
	p := start(t, defaults())
	p.join(instance("event", "0", "10.0.0.1:1"))
	s := p.sotw("raw", "")
	s.ask(endpointType, "event")
	answer := s.answer()
	first := versionOf(t, answer)
	s.ack(answer, "event")
	began := time.Now()
	for i := range changes {
		time.Sleep(time.Millisecond) // or else they would go together whatever the face does
		p.join(instance("event", fmt.Sprint(i+1), fmt.Sprintf("10.0.0.1:%d", i+2)))
	}
	for found := 0; found < changes+1; found = priorities(t, answer.GetResources()[0])[0] {
		answer = s.answer()
		s.ack(answer, "event")
	}
	most := 7 + int(time.Since(began)/(20*time.Millisecond))
	if told := versionOf(t, answer) - first; told > most {
		t.Errorf("%d changes were told %d times, want at most %d", changes, told, most)
	}
}

// versionOf gives how often endpoints were told until an answer.
func versionOf(t *testing.T, answer *discoveryv3.DiscoveryResponse) int {
	t.Helper()
	_, number, _ := strings.Cut(answer.GetVersionInfo(), "-")
	version, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func TestWhatClientsRefuseIsLoggedOnce(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	p.join(instance("event", "a", "10.0.0.1:80"))
	for range 2 {
		s := p.sotw("picky", "")
		s.ask(clusterType, "event")
		s.refuse(s.answer(), "I don't like it "+strings.Repeat("x", 1000), "event")
		s.ask(routeType, "event")
		s.wantNames("event") // the stream goes on
	}
	s := p.sotw("other", "")
	s.ask(clusterType, "event")
	s.refuse(s.answer(), "me neither", "event")
	until(t, "both are logged", func() bool { return strings.Contains(p.log.String(), "me neither") })
	if n := strings.Count(p.log.String(), "a client refused resources"); n != 2 || len(p.log.String()) > 2000 {
		t.Errorf("%d lines were logged, want 2 that are short: %s", n, p.log)
	}
}

func TestTypesThatThereAreNoneOfAreNotAnswered(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	p.join(instance("event", "a", "10.0.0.1:80"))
	s := p.sotw("envoy", "")
	s.ask("type.googleapis.com/envoy.service.runtime.v3.Runtime", "rtds")
	s.ask(endpointType, "event")
	s.wantNames("event")
}

func TestStreamsEndWhenTheRegistryStops(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	s, d := p.sotw("raw", ""), p.delta()
	s.ask(listenerType, "nobody")
	s.wantNames()
	d.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: clusterType})
	d.want(clusterType, nil, nil)
	p.core.Stop()
	if _, err := s.stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("error %v, want UNAVAILABLE", err)
	}
	if _, err := d.stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("error %v, want UNAVAILABLE", err)
	}
	if _, err := p.sotw("new", "").stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("error %v, want UNAVAILABLE", err)
	}
}

func TestOneStreamServesTwoServices(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	p.join(instance("event", "a", "10.0.0.1:80"))
	p.join(instance("prospect", "a", "10.0.0.1:81"))
	s := p.sotw("raw", "")
	s.ask(listenerType, "event")
	first := s.answer()
	s.ack(first, "event")
	s.ack(first, "event", "prospect") // one more, later
	s.wantNames("event", "prospect")
	s.ask(endpointType, "event", "prospect")
	s.wantNames("event", "prospect")
	p.join(instance("prospect", "b", "10.0.0.2:81"))
	answer := s.answer()
	if len(answer.GetResources()) != 1 || nameOf(t, answer.GetResources()[0]) != "prospect" {
		t.Errorf("%d resources, want that which changed", len(answer.GetResources()))
	}
}
