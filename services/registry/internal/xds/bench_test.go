package xds_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"

	"eventprospect/services/registry/internal/registry"
)

// apart is how far changes lie apart in benchmarks, so that none waits for the one before.
const apart = 50 * time.Millisecond

// BenchmarkPropagation is the way of a change to a gRPC client, which calls all the time: from the call that joins an instance to the end
// of the first call that it answered, with connecting, and from the call that removes one to the end of the last call that it answered.
func BenchmarkPropagation(b *testing.B) {
	p, stays := start(b, defaults()), newBackend(b)
	p.join(stays.as("stays"))
	comes := newBackend(b)
	client := p.event()
	client.reach(stays)
	var added, removed []time.Duration
	for b.Loop() {
		began := time.Now()
		session := p.join(comes.as("comes"))
		for address := ""; address != comes.address; {
			address, _ = client.call()
		}
		added = append(added, time.Since(began))
		client.reach(stays, comes)
		time.Sleep(apart)
		began = time.Now()
		last := began
		session.Close()
		for quiet := 0; quiet < 50; quiet++ {
			if address, _ := client.call(); address == comes.address {
				quiet, last = 0, time.Now()
			}
		}
		removed = append(removed, last.Sub(began))
		time.Sleep(apart)
	}
	percentiles(b, "join", added)
	percentiles(b, "leave", removed)
}

// percentiles reports times in milliseconds.
func percentiles(b *testing.B, what string, times []time.Duration) {
	slices.Sort(times)
	for _, percent := range []int{50, 99} {
		at := times[(len(times)-1)*percent/100]
		b.ReportMetric(float64(at.Microseconds())/1000, fmt.Sprintf("%s-p%d-ms", what, percent))
	}
}

// BenchmarkChange is one change until the last of 50 clients has it that know all endpoints, and what each of them receives.
func BenchmarkChange(b *testing.B) {
	for _, size := range []struct{ endpoints, services int }{{1000, 1}, {1000, 100}, {10_000, 1}, {10_000, 100}, {10_000, 1000}} {
		for protocol, follow := range map[string]func(*plane, []string, func(int)){"sotw": followSotw, "delta": followDelta} {
			b.Run(fmt.Sprintf("endpoints=%d/services=%d/%s", size.endpoints, size.services, protocol), func(b *testing.B) {
				benchmarkChange(b, size.endpoints, size.services, follow)
			})
		}
	}
}

func benchmarkChange(b *testing.B, endpoints, services int, follow func(*plane, []string, func(int))) {
	const clients = 50
	p := start(b, defaults())
	names := make([]string, services)
	for i := range names {
		names[i] = fmt.Sprint("service", i)
	}
	member := func(i int) registry.Instance {
		return instance(names[i%services], fmt.Sprint(i), fmt.Sprintf("10.1.%d.%d:8080", i/256, i%256))
	}
	var session *registry.Session
	for i := range endpoints {
		session = p.join(member(i))
	}
	time.Sleep(time.Second) // until all is told
	var received atomic.Int64
	seen := make(chan struct{}, clients)
	for range clients {
		follow(p, names, func(size int) { received.Add(int64(size)); seen <- struct{}{} })
	}
	for range clients {
		<-seen
	}
	received.Store(0)
	var times []time.Duration
	changed := member(endpoints - 1)
	for b.Loop() {
		time.Sleep(apart)
		changed.Zone = fmt.Sprint(len(times) % 10)
		began := time.Now()
		p.put(session, changed)
		for range clients {
			<-seen
		}
		times = append(times, time.Since(began))
	}
	percentiles(b, "all", times)
	b.ReportMetric(float64(received.Load())/float64(clients*len(times)), "B/client")
}

// followSotw tells the size of each answer until the stream ends.
func followSotw(p *plane, names []string, receive func(int)) {
	s := p.sotw("raw", "")
	s.ask(endpointType, names...)
	go func() {
		for {
			answer, err := s.stream.Recv()
			if err != nil {
				return
			}
			receive(proto.Size(answer))
			_ = s.stream.Send(&discoveryv3.DiscoveryRequest{
				TypeUrl: endpointType, ResourceNames: names, VersionInfo: answer.GetVersionInfo(), ResponseNonce: answer.GetNonce(),
			})
		}
	}()
}

func followDelta(p *plane, names []string, receive func(int)) {
	d := p.delta()
	d.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: endpointType, ResourceNamesSubscribe: names})
	go func() {
		for {
			answer, err := d.stream.Recv()
			if err != nil {
				return
			}
			receive(proto.Size(answer))
			_ = d.stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: endpointType, ResponseNonce: answer.GetNonce()})
		}
	}()
}
