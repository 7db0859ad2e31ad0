package system

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"eventprospect/dev/internal/certificates"
	gateway "eventprospect/gateway/app"
	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/stream"
	event "eventprospect/services/event/app"
	prospect "eventprospect/services/prospect/app"
	registry "eventprospect/services/registry/app"
)

// startProcesses starts the processes of the mesh, each as it would run alone, and waits until all serve.
func (s *System) startProcesses(ctx context.Context) error {
	s.noteAddresses()
	registryConfig, eventConfig := registry.Default(), event.Default()
	prospectConfig, gatewayConfig := prospect.Default(), gateway.Default()
	for name, common := range map[string]*mesh.Config{
		"registry": &registryConfig.Config, "event": &eventConfig.Config, "prospect": &prospectConfig.Config, "gateway": &gatewayConfig.Config,
	} {
		s.adapt(name, common)
	}
	s.adaptKafka(&eventConfig.Kafka)
	s.adaptKafka(&prospectConfig.Kafka)
	eventConfig.Group = cmp.Or(s.cfg.Kafka.Group, eventConfig.Group)
	instances, err := s.folder("registry")
	if err != nil {
		return err
	}
	registryConfig.Store = conf.Secret("etcd:" + instances)
	registryConfig.OpenReads, registryConfig.Eureka.OpenWrites = !s.cfg.Closed, !s.cfg.Closed
	if eventConfig.Store, err = s.store("event", s.cfg.EventStore); err != nil {
		return err
	}
	if prospectConfig.Store, err = s.store("prospect", s.cfg.ProspectStore); err != nil {
		return err
	}
	return await(ctx,
		run(s, "registry", registryConfig, registry.Bind, s.ports.registry),
		run(s, "event", eventConfig, event.Bind, s.ports.event),
		run(s, "prospect", prospectConfig, prospect.Bind, s.ports.prospect),
		run(s, "gateway", gatewayConfig, gateway.Bind, s.ports.gateway))
}

func (s *System) noteAddresses() {
	scheme := "http://"
	if s.cfg.TLS != "" {
		scheme = "https://"
	}
	s.Gateway, s.GatewayAdmin = scheme+address(s.ports.gateway.main), address(s.ports.gateway.admin)
	s.Event, s.EventAdmin = address(s.ports.event.main), address(s.ports.event.admin)
	s.Prospect, s.ProspectAdmin = address(s.ports.prospect.main), address(s.ports.prospect.admin)
	s.Registry, s.RegistryAdmin = address(s.ports.registry.main), address(s.ports.registry.admin)
}

// RegistryRoutes gives every path that the registry serves over HTTP, as patterns of http.ServeMux: what a test has to walk.
func RegistryRoutes() []string { return registry.Routes() }

// store gives the setting of a service's store: by default a SQLite file in a folder of its own.
func (s *System) store(service, setting string) (conf.Secret, error) {
	if setting != "" {
		return conf.Secret(setting), nil
	}
	folder, err := s.folder(service)
	return conf.Secret("sqlite:" + filepath.Join(folder, service+".db")), err
}

// await waits until every process has started, or one has not.
func await(ctx context.Context, processes ...<-chan error) error {
	for _, started := range processes {
		select {
		case err := <-started:
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// adapt sets what differs from the defaults of a process that runs alone. The secret of a service account in the development
// realm is its name.
func (s *System) adapt(name string, cfg *mesh.Config) {
	if s.cfg.TLS != "" {
		cfg.TLS = certificates.Config(s.cfg.TLS, name)
	}
	if cfg.Registry != "" {
		cfg.Registry = s.Registry
	}
	cfg.Reflection = !s.cfg.Closed
	cfg.LogLevel = s.cfg.LogLevel
	cfg.Auth.Issuer = s.Issuer
	cfg.Auth.ClientSecret = conf.Secret(cfg.Auth.ClientID)
}

// adaptKafka sets where messages go.
func (s *System) adaptKafka(cfg *stream.Config) {
	cfg.Brokers = strings.Split(s.Kafka, ",")
	cfg.Topic = cmp.Or(s.cfg.Kafka.Topic, cfg.Topic)
}

// run starts one process. The channel gives nil when it serves, or the error with which it ended before.
func run[C mesh.Configuration](s *System, name string, cfg C, bind mesh.Bind[C], ports pair) <-chan error {
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan error, 2), make(chan struct{})
	var result error
	go func() {
		defer close(ended)
		err := mesh.Run(ctx, name, cfg, bind,
			mesh.WithLog(s.cfg.Log), mesh.WithListeners(ports.main, ports.admin),
			mesh.WithSpans(s.cfg.Spans...), mesh.WithStarted(func() { started <- nil }))
		if err != nil {
			result = fmt.Errorf("%s: %w", name, err)
		}
		if ctx.Err() == nil {
			started <- result
			s.fail(result)
		}
	}()
	s.onStop(func() error { cancel(); <-ended; return result })
	return started
}
