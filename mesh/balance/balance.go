// Package balance is the load balancing policy of our clients: gRPC's round robin, which sends no call twice to the same
// instance while there is another, and leaves instances out that don't answer.
//
// gRPC's own outlier detection (gRFC A50) doesn't do: it takes any answer but OK for a failure, NOT_FOUND too, and lets the attempts of
// one call meet the same instance that hangs. In grpc-go (v1.85) it also counts an instance twice whose late failures come
// after its ejection, and never takes one of the two back, until nothing is ejected any more.
package balance

import (
	"math/rand/v2"
	"sync/atomic"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/endpointsharding"
	"google.golang.org/grpc/balancer/pickfirst"
	"google.golang.org/grpc/connectivity"
)

// Name is that of the policy in a gRPC service config.
const Name = "mesh_round_robin"

// gRPC reads the names of its policies without a lock: they have to be known before anything runs.
func init() { balancer.Register(builder{}) }

type builder struct{}

func (builder) Name() string { return Name }

// Build makes the policy of one connection. As in round robin, each instance has a policy of its own that keeps it connected.
func (builder) Build(cc balancer.ClientConn, opts balancer.BuildOptions) balancer.Balancer {
	p := &policy{ClientConn: cc, ready: map[string]*instance{}}
	return endpointsharding.NewBalancer(p, opts, balancer.Get(pickfirst.Name).Build, endpointsharding.Options{})
}

// policy stands between the instances' own policies and the connection.
type policy struct {
	balancer.ClientConn
	ready map[string]*instance // by address; gRPC calls UpdateState one after the other
}

// UpdateState puts our picker in the place of gRPC's. What is known of an instance is kept as long as it is connected.
func (p *policy) UpdateState(state balancer.State) {
	if state.ConnectivityState == connectivity.Ready {
		state.Picker = p.picker(endpointsharding.ChildStatesFromPicker(state.Picker))
	} else {
		clear(p.ready)
	}
	p.ClientConn.UpdateState(state)
}

func (p *policy) picker(children []endpointsharding.ChildState) *picker {
	known := p.ready
	p.ready = make(map[string]*instance, len(children))
	picks := &picker{}
	for _, child := range children {
		if child.State.ConnectivityState != connectivity.Ready {
			continue
		}
		address := child.Endpoint.Addresses[0].Addr
		one := known[address]
		if one == nil {
			one = &instance{}
		}
		p.ready[address] = one
		picks.choices = append(picks.choices, choice{one, child.State.Picker})
	}
	picks.next.Store(rand.Uint32())
	return picks
}

// picker chooses an instance for each attempt.
type picker struct {
	choices []choice // at least one
	next    atomic.Uint32
}

// choice is an instance and gRPC's way to it.
type choice struct {
	*instance
	picker balancer.Picker
}

// Pick takes the next instance in turn that this call has not tried and that answers, or else the best there is. It never waits.
func (p *picker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	w := wayOf(info.Ctx)
	chosen, probe := p.choose(w)
	result, err := chosen.picker.Pick(info)
	if err != nil {
		return result, err
	}
	w.note(chosen.instance)
	done := result.Done
	result.Done = func(d balancer.DoneInfo) {
		chosen.note(d, probe)
		if done != nil {
			done(d)
		}
	}
	return result, nil
}

// choose tells, too, whether the attempt is a probe of an instance that was left out.
func (p *picker) choose(w *way) (chosen choice, probe bool) {
	turn := int(p.next.Add(1) % uint32(len(p.choices)))
	first, rank := w.first(), worst
	for i := range p.choices {
		c := p.choices[(turn+i)%len(p.choices)]
		if first && c.probe(w.overdue()) {
			return c, true
		}
		if r := rankOf(w.tried(c.instance), c.out.Load()); r < rank {
			chosen, rank = c, r
		}
		if rank == best {
			break
		}
	}
	return chosen, false
}

const (
	best  = 0
	worst = 4
)

// rankOf says how good a choice an instance is; 0 is best. What this very call has met counts more than what others have.
func rankOf(tried, out bool) int {
	rank := best
	if tried {
		rank += 2
	}
	if out {
		rank++
	}
	return rank
}
