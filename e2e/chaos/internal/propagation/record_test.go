//go:build linux

package propagation

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/roundrobin"
	"google.golang.org/grpc/resolver"
)

// nothing is a client connection, and a balancer, of which nothing comes.
type nothing struct {
	balancer.ClientConn
	balancer.Balancer
}

func (nothing) UpdateClientConnState(balancer.ClientConnState) error { return nil }

func list(addresses ...string) balancer.ClientConnState {
	var state balancer.ClientConnState
	for _, a := range addresses {
		state.ResolverState.Endpoints = append(state.ResolverState.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: a}}})
	}
	return state
}

func TestAMomentIsWhenTheListChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder(balancer.Get(roundrobin.Name))
		in := &incoming{Balancer: nothing{}, recorder: r}
		begin := time.Now()
		go func() {
			for _, state := range []balancer.ClientConnState{list("a"), list("a", "b"), list("b", "a"), list("a")} {
				time.Sleep(time.Second)
				_ = in.UpdateClientConnState(state)
			}
		}()
		for _, want := range []struct {
			address string
			moment  moment
			after   time.Duration
		}{{"a", told, time.Second}, {"b", told, 2 * time.Second}, {"b", removed, 4 * time.Second}} {
			at, err := r.await(t.Context(), want.address, want.moment)
			if err != nil || at.Sub(begin) != want.after {
				t.Errorf("%s, moment %d: after %v, want %v; error %v", want.address, want.moment, at.Sub(begin), want.after, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.await(ctx, "a", removed); err == nil {
			t.Error("what has not happened has a time")
		}
	})
}
