//go:build linux

package propagation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/endpointsharding"
	"google.golang.org/grpc/balancer/roundrobin"
	"google.golang.org/grpc/connectivity"
)

// moment is something that happens to an instance in a client.
type moment int

const (
	told    moment = iota // the balancer is given its address
	picked                // the picker that calls go by has it, connected
	dropped               // the picker has it no more
	removed               // the balancer isn't given its address any more
)

// recorder is gRPC's round robin, and notes when what happens. It takes the place of the original in this whole process, so that every
// client, however it finds its instances, is measured at the same spot.
type recorder struct {
	balancer.Builder

	mu    sync.Mutex
	times map[mark]time.Time
	news  chan struct{} // closed when there is a new time
}

// mark is what is noted: a moment of the instance at an address.
type mark struct {
	address string
	moment  moment
}

// record starts to record. It has to be called before the first connection is made.
func record() *recorder {
	r := newRecorder(balancer.Get(roundrobin.Name))
	balancer.Register(r)
	return r
}

func newRecorder(original balancer.Builder) *recorder {
	return &recorder{Builder: original, times: map[mark]time.Time{}, news: make(chan struct{})}
}

// Build makes the balancer of one connection.
func (r *recorder) Build(cc balancer.ClientConn, opts balancer.BuildOptions) balancer.Balancer {
	out := &outgoing{ClientConn: cc, recorder: r}
	return &incoming{Balancer: r.Builder.Build(out, opts), recorder: r}
}

// note notes which addresses have come and which have gone.
func (r *recorder) note(before, after map[string]bool, came, went moment) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for address := range after {
		if !before[address] {
			r.times[mark{address, came}] = now
		}
	}
	for address := range before {
		if !after[address] {
			r.times[mark{address, went}] = now
		}
	}
	close(r.news)
	r.news = make(chan struct{})
}

// await waits for a moment and tells when it was.
func (r *recorder) await(ctx context.Context, address string, m moment) (time.Time, error) {
	for {
		r.mu.Lock()
		at, ok := r.times[mark{address, m}]
		news := r.news
		r.mu.Unlock()
		if ok {
			return at, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%s, moment %d: %w", address, m, ctx.Err())
		}
	}
}

// incoming sees the lists of addresses on their way to the balancer.
type incoming struct {
	balancer.Balancer
	recorder *recorder
	known    map[string]bool
}

func (i *incoming) UpdateClientConnState(state balancer.ClientConnState) error {
	now := map[string]bool{}
	for _, endpoint := range state.ResolverState.Endpoints {
		for _, address := range endpoint.Addresses {
			now[address.Addr] = true
		}
	}
	i.recorder.note(i.known, now, told, removed)
	i.known = now
	return i.Balancer.UpdateClientConnState(state)
}

// outgoing sees the pickers on their way from the balancer.
type outgoing struct {
	balancer.ClientConn
	recorder *recorder
	ready    map[string]bool
}

func (o *outgoing) UpdateState(state balancer.State) {
	now := map[string]bool{}
	for _, child := range endpointsharding.ChildStatesFromPicker(state.Picker) {
		if child.State.ConnectivityState == connectivity.Ready {
			now[child.Endpoint.Addresses[0].Addr] = true
		}
	}
	o.ClientConn.UpdateState(state)
	o.recorder.note(o.ready, now, picked, dropped)
	o.ready = now
}
