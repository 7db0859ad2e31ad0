package app

import (
	"errors"
	"fmt"
	"strings"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/mtls"
	"eventprospect/services/registry/internal/eureka"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/xds"
)

// Config is what the registry is told.
type Config struct {
	mesh.Config `koanf:",flatten"`

	// Store is where the registries of a mesh keep what they know together: etcd:FOLDER for an etcd in this process, which
	// serves one registry; etcd://HOST:PORT,HOST:PORT,HOST:PORT/PREFIX for a cluster, which serves any number, and etcds: for
	// one that speaks TLS; memory: for nowhere.
	Store conf.Secret `koanf:"store"`
	// StoreTLS is how a cluster is spoken to by etcds:. Not enabled: it is trusted if this machine trusts it, and shown no certificate.
	StoreTLS mtls.ClientConfig `koanf:"store_tls"`
	// OpenReads lets anybody who reaches the port read, by each face, without a token or password: Watch and the lists of gRPC,
	// xDS, Eureka's lists, and the page.
	OpenReads bool `koanf:"open_reads"`
	// Term is how long an instance stays registered without a sign of life. Below 10s a busy machine takes
	// instances for dead that are merely slow; a broken connection is noticed at once, whatever the term.
	Term time.Duration `koanf:"term"`
	// Grace is how long a fresh registry says nothing about a service of which no instance is up, instead of saying that there
	// is none: instances that outlived the registry are on their way back, and resolvers still use those they know.
	// The default is longer than a member of the mesh takes to connect again (2.4s between attempts, 2s each).
	Grace time.Duration `koanf:"grace"`
	// MaxInstances bounds the instances of all services; who joins beyond is refused.
	MaxInstances int `koanf:"max_instances"`
	// MaxSize bounds the texts of one instance, in bytes; who has more to tell is refused.
	MaxSize int `koanf:"max_size"`
	// MaxWatchers bounds the Watch streams.
	MaxWatchers int `koanf:"max_watchers"`

	Eureka eureka.Config `koanf:"eureka"`
	XDS    xds.Config    `koanf:"xds"`
}

// Default works on a laptop. The registry does not join itself and calls nobody.
func Default() Config {
	cfg := Config{
		Config:       mesh.Defaults("8761", "18761", ""),
		Store:        "etcd:registry.etcd",
		Term:         10 * time.Second,
		Grace:        5 * time.Second,
		MaxInstances: 20_000,
		MaxSize:      16 << 10,
		MaxWatchers:  10_000,
		Eureka:       eureka.Default(),
		XDS:          xds.Default(),
	}
	cfg.Registry = ""
	return cfg
}

// Validate names every setting that can't work.
func (c Config) Validate() error {
	errs := []error{
		c.Config.Validate(), mesh.Under("store_tls.", c.StoreTLS.Validate()),
		mesh.Under("eureka.", c.Eureka.Validate()), mesh.Under("xds.", c.XDS.Validate()),
	}
	if c.StoreTLS.Enabled && !strings.HasPrefix(c.Store.Reveal(), "etcds:") {
		errs = append(errs, errors.New("store_tls: the store is not one of etcds:, which speaks TLS"))
	}
	if c.Registry != "" {
		errs = append(errs, errors.New("registry: must be empty: the registry does not join another"))
	}
	if c.Term < 100*time.Millisecond || c.Term > 10*time.Minute {
		errs = append(errs, fmt.Errorf("term: %v is not between 100ms and 10m", c.Term))
	}
	if c.Grace < 0 || c.Grace > time.Minute {
		errs = append(errs, fmt.Errorf("grace: %v is not between 0 and 1m", c.Grace))
	}
	if c.MaxInstances < 1 {
		errs = append(errs, fmt.Errorf("max_instances: %d is less than 1", c.MaxInstances))
	}
	if c.MaxSize < 1 {
		errs = append(errs, fmt.Errorf("max_size: %d is less than 1", c.MaxSize))
	}
	if c.MaxWatchers < 1 {
		errs = append(errs, fmt.Errorf("max_watchers: %d is less than 1", c.MaxWatchers))
	}
	return errors.Join(errs...)
}

// settings are those of the core.
func (c Config) settings() registry.Settings {
	return registry.Settings{
		Term: c.Term, Grace: c.Grace, MaxInstances: c.MaxInstances, MaxSize: c.MaxSize, MaxWatchers: c.MaxWatchers,
	}
}

// open lists the methods that mesh lets through without a token.
func (c Config) open() []string {
	// These have no contract of ours, and so no rule in it: the gate judges them.
	all := []string{
		discoveryv3.AggregatedDiscoveryService_StreamAggregatedResources_FullMethodName,
		discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResources_FullMethodName,
	}
	if !c.OpenReads {
		return all
	}
	return append(all,
		registryv1.RegistryService_Watch_FullMethodName,
		registryv1.RegistryService_ListInstances_FullMethodName,
		registryv1.RegistryService_GetInstance_FullMethodName)
}
