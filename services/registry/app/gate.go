package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"path"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
)

// The RPCs whose rules hold for the faces that have no contract of ours, too.
const (
	reading  = registryv1.RegistryService_Watch_FullMethodName
	changing = registryv1.RegistryService_Join_FullMethodName
)

// gate lets into the faces over HTTP, and into xDS, whom the contract lets in by gRPC: who may Watch may read, who may Join may
// change. Over HTTP the password will do as well, since Eureka's clients and browsers have nothing else to give.
type gate struct {
	verifier rpc.Verifier
	rules    auth.Rules // of reading and changing
	user     string
	password conf.Secret
}

func newGate(verifier rpc.Verifier, cfg Config) (*gate, error) {
	var open []string
	if cfg.OpenReads {
		open = append(open, reading)
	}
	if cfg.Eureka.OpenWrites {
		open = append(open, changing)
	}
	rules, err := auth.RulesOf(map[string]grpc.ServiceInfo{
		registryv1.RegistryService_ServiceDesc.ServiceName: {Methods: []grpc.MethodInfo{{Name: path.Base(reading)}, {Name: path.Base(changing)}}},
	}, open...)
	if err != nil {
		return nil, err
	}
	return &gate{verifier: verifier, rules: rules, user: cfg.Eureka.User, password: cfg.Eureka.Password}, nil
}

// admit judges the values of the authorization header, or of the metadata of that name. It fails as Verify and Check do. Who calls is
// known to the audit, if there was a token to be verified.
func (g *gate) admit(ctx context.Context, method string, authorization []string) error {
	switch {
	case g.rules[method].GetAnonymous():
		return nil
	case len(authorization) == 0:
		return g.rules.Check(method, auth.Identity{}, false)
	case len(authorization) > 1:
		return fault.New(fault.Unauthenticated, "there is more than one authorization header")
	}
	token, err := auth.Bearer(authorization[0])
	if err != nil {
		return err
	}
	identity, err := g.verifier.Verify(ctx, token)
	if err != nil {
		return err
	}
	setCaller(ctx, identity)
	return g.rules.Check(method, identity, true)
}

// reads guards a face that can only be read.
func (g *gate) reads(next http.Handler) http.Handler {
	return g.guard(next, func(*http.Request) string { return reading })
}

// calls guards a face that has calls of both kinds.
func (g *gate) calls(next http.Handler) http.Handler {
	return g.guard(next, func(r *http.Request) string {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return reading
		}
		return changing
	})
}

func (g *gate) guard(next http.Handler, methodOf func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.knowsPassword(r) {
			next.ServeHTTP(w, r)
			return
		}
		if err := g.admit(r.Context(), methodOf(r), r.Header.Values("Authorization")); err != nil {
			g.refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knowsPassword compares in a time that tells nothing of what was expected.
func (g *gate) knowsPassword(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	return g.password != "" && ok && len(r.Header.Values("Authorization")) == 1 &&
		same(user, g.user)&same(password, g.password.Reveal()) == 1
}

func same(given, wanted string) int {
	g, w := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(wanted))
	return subtle.ConstantTimeCompare(g[:], w[:])
}

// discovery guards xDS, which is all reading.
type discovery struct {
	discoveryv3.AggregatedDiscoveryServiceServer
	gate *gate
}

func (d discovery) StreamAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	if err := d.admit(stream.Context()); err != nil {
		return err
	}
	return d.AggregatedDiscoveryServiceServer.StreamAggregatedResources(stream)
}

func (d discovery) DeltaAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	if err := d.admit(stream.Context()); err != nil {
		return err
	}
	return d.AggregatedDiscoveryServiceServer.DeltaAggregatedResources(stream)
}

func (d discovery) admit(ctx context.Context) error {
	return d.gate.admit(ctx, reading, metadata.ValueFromIncomingContext(ctx, "authorization"))
}
